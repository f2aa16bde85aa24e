"""One request and its answer, over connections that go only to addresses that were checked."""

import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import httpcore
import httpx

from lib.web.connections import Connections
from lib.web.leash import Leash
from lib.web.network import Network
from lib.web.options import WebOptions
from lib.web.outcomes import TooLarge, Unavailable
from lib.web.places import Place

KEPT = 20
"""Idle connections that are kept open."""
KEPT_SECONDS = 10.0
CLOSING_SECONDS = 2.0

_IDENTITY = frozenset({"", "identity"})


@dataclass
class Answer:
    """The head of an answer, whose body is still to be read."""

    place: Place
    status: int
    headers: httpx.Headers
    _chunks: Iterable[bytes]

    @property
    def encoding(self) -> str:
        """How the body is packed; empty when it is not."""
        found = ",".join(self.headers.get_list("content-encoding")).strip().lower()
        return "" if found in _IDENTITY else found

    def header(self, name: str) -> str:
        """Return the first header of a name; empty when there is none."""
        return next((value.strip() for value in self.headers.get_list(name)), "")

    def read(self, most: int, cut: bool = False) -> bytes:
        """Return the body as it was sent; beyond `most` bytes, cut off there or raise TooLarge."""
        told = self.header("content-length")
        if not cut and told.isdecimal() and len(told) < 20 and int(told) > most:
            raise TooLarge(f"{self.place.host} sends {int(told)} bytes; {most} are allowed")
        body = bytearray()
        for chunk in self._chunks:
            body += chunk
            if len(body) > most:
                if cut:
                    break
                raise TooLarge(f"{self.place.host} sends more than {most} bytes")
        return bytes(body[:most])


class Wire:
    """Connections to sites, made and kept; used by any number of threads."""

    def __init__(self, options: WebOptions, network: Network, trust: ssl.SSLContext | None = None) -> None:
        self._options = options
        self._active = 0
        self._changed = threading.Condition()
        # HTTP/1.1 only, and no proxy: neither the environment's nor any other.
        self._pool = httpcore.ConnectionPool(
            ssl_context=trust or _trust(),
            max_connections=None,
            max_keepalive_connections=KEPT,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=Connections(options, network),
        )

    @contextmanager
    def asked(self, place: Place, headers: dict[str, str], leash: Leash) -> Iterator[Answer]:
        """Ask for a page and give its answer; raises every outcome that is the network's."""
        timeout = {"connect": self._options.connect_seconds, "read": self._options.read_seconds}
        timeout["write"] = timeout["read"]
        leash.bytes = 0
        url = self._at(place)
        lines = [("Host", place.url.netloc.decode("ascii")), *headers.items()]
        with self._counted(), leash.running(), _told(place.host):
            leash.check()
            with self._pool.stream("GET", url, headers=lines, extensions={"timeout": timeout}) as response:
                leash.bytes = -1
                yield Answer(place, response.status, httpx.Headers(response.headers), response.iter_stream())

    def _at(self, place: Place) -> httpcore.URL:
        """Return what is asked: the place itself, or what stands for its host."""
        scheme, host, port = place.url.scheme, place.host, place.port
        if stand_in := self._options.hosts.get(place.host):
            scheme, (host, _, number) = "http", stand_in.rpartition(":")
            port = int(number)
        return httpcore.URL(scheme=scheme, host=host, port=port, target=place.url.raw_path)

    def close(self) -> None:
        """Close all connections, once those who use them have felt that they should stop."""
        with self._changed:
            self._changed.wait_for(lambda: self._active == 0, CLOSING_SECONDS)
        self._pool.close()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._changed:
            self._active += 1
        try:
            yield
        finally:
            with self._changed:
                self._active -= 1
                self._changed.notify_all()


@cache
def _trust() -> ssl.SSLContext:
    return httpx.create_ssl_context()


@contextmanager
def _told(host: str) -> Iterator[None]:
    """Say in the words of outcomes what goes wrong between here and a host."""
    try:
        yield
    except httpcore.ConnectError as error:
        raise _no_connection(host, error) from error
    except httpcore.TimeoutException as error:
        raise Unavailable(f"{host} does not answer", passing=True) from error
    except (httpcore.RemoteProtocolError, httpcore.LocalProtocolError) as error:
        raise Unavailable(f"{host} breaks off or answers nothing that is HTTP", passing=True) from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise Unavailable(f"the connection to {host} broke", passing=True) from error


def _no_connection(host: str, error: BaseException) -> Unavailable:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Unavailable(f"the certificate of {host} is not valid: {cause.verify_message}")
    if isinstance(cause, ssl.SSLError):
        return Unavailable(f"{host} speaks no TLS that is understood here")
    return Unavailable(f"{host} cannot be connected to", passing=True)
