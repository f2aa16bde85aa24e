"""The names of the console: where it listens, and under which names it may be asked for."""

import ipaddress
from collections.abc import Collection


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address to listen on."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def allowed_hosts(host: str, port: int, names: Collection[str] = ()) -> frozenset[str]:
    """Return what the header `Host` may say when the console listens on `host`; in lower case, with the port.

    `names` are further ones, as they stand in the address of a browser.
    """
    host = host.strip("[]")
    own = {"127.0.0.1", "localhost", "[::1]", f"[{host}]" if ":" in host else host}
    hosts = {f"{name.lower()}:{port}" for name in own} | {name.lower() for name in names}
    if port == 80:  # browsers leave it out
        hosts |= {name.lower() for name in own}
    return frozenset(hosts)
