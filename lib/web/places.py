"""Addresses of pages, as they are checked before anything is asked of anybody."""

import re
from dataclasses import dataclass

import httpx

from lib.web.options import WebOptions
from lib.web.outcomes import Refused

PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[0-9a-z_.-]{1,253}|[0-9a-f:.]{2,45}")  # a name, or an address of either version


@dataclass(frozen=True)
class Place:
    """Where a page is: an address that has passed the checks."""

    url: httpx.URL
    host: str
    """In ASCII and lower case."""
    port: int

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.url.scheme}://{host}:{self.port}"

    @property
    def asked(self) -> str:
        """What is asked for: the address without its fragment."""
        return str(self.url.copy_with(fragment=None))

    def __str__(self) -> str:
        """Return the whole address."""
        return str(self.url)


def place_of(address: str, options: WebOptions, base: Place | None = None) -> Place:
    """Return the place that an address names, from `base` on; raises Refused.

    Only http and https, only their own ports and those that any user may open (1024 and up: mail, remote shells and the
    like lie below), no name and password within, no longer than the options say.
    """
    address = address.strip()
    if len(address) > options.url_length:
        raise Refused(f"the address is longer than {options.url_length} characters", by="us")
    try:
        url = base.url.join(address) if base else httpx.URL(address)
        host = url.raw_host.decode("ascii").lower()
    except (httpx.InvalidURL, ValueError) as error:
        raise Refused("the address is not well formed", by="us") from error
    if url.scheme not in PORTS:
        raise Refused(f"the address begins with “{url.scheme[:20]}:”; only http: and https: are fetched", by="us")
    if not host:
        raise Refused("the address names no host", by="us")
    if not _HOST.fullmatch(host):
        raise Refused("the address names a host that cannot be", by="us")
    if url.userinfo:
        raise Refused(f"the address holds a user name or a password for {host}", by="us")
    port = PORTS[url.scheme] if url.port is None else url.port
    if port not in PORTS.values() and not 1024 <= port <= 65535:
        raise Refused(f"port {port} of {host} is not one for pages", by="us")
    if port == PORTS[url.scheme]:
        url = url.copy_with(port=None)
    if len(str(url)) > options.url_length:
        raise Refused(f"the address is longer than {options.url_length} characters", by="us")
    return Place(url, host, port)
