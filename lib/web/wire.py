"""One request and its answer, over connections that go only to addresses that were checked."""

import select
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from socket import socket
from typing import TypeVar

import httpcore
import httpx

from lib.web.addresses import is_allowed
from lib.web.network import Check, Network, await_ready
from lib.web.options import WebOptions
from lib.web.outcomes import Refused, TooLarge, Unavailable
from lib.web.places import Place

KEPT = 20
"""Idle connections that are kept open."""
KEPT_SECONDS = 10.0
CLOSING_SECONDS = 2.0

_IDENTITY = frozenset({"", "identity"})
T = TypeVar("T")


class Leash:
    """How far one page may go: seconds of transfer and bytes on the wire, over all its redirects."""

    def __init__(self, seconds: float, wanted: Check) -> None:
        self.seconds = seconds
        self.left = seconds
        self.wanted = wanted
        """Raises Stopped when nobody wants the page any more."""
        self.bytes = 0
        """Of headers, so far; −1 once they are there."""
        self._until = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let time count within the block."""
        self._until = time.monotonic() + self.left
        token = _leash.set(self)
        try:
            yield
        finally:
            _leash.reset(token)
            self.left = self._until - time.monotonic()

    def check(self) -> None:
        """Raise Stopped or Unavailable when it is over."""
        self.wanted()
        if time.monotonic() > self._until:
            raise Unavailable(f"the page did not come within {self.seconds:g} s", passing=True)


# Connections are shared between pages; whichever reads from one is held by its own leash.
_leash: ContextVar[Leash] = ContextVar("leash")


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
            network_backend=_Backend(options, network),
        )

    @contextmanager
    def asked(self, place: Place, headers: dict[str, str], leash: Leash) -> Iterator[Answer]:
        """Ask for a page and give its answer; raises every outcome that is the network's."""
        timeout = {"connect": self._options.connect_seconds, "read": self._options.read_seconds}
        timeout["write"] = timeout["read"]
        leash.bytes = 0
        target = place.url.raw_path
        url = httpcore.URL(scheme=place.url.scheme, host=place.host, port=place.port, target=target)
        lines = [("Host", place.url.netloc.decode("ascii")), *headers.items()]
        with self._counted(), leash.running(), _told(place.host):
            leash.check()
            with self._pool.stream("GET", url, headers=lines, extensions={"timeout": timeout}) as response:
                leash.bytes = -1
                yield Answer(place, response.status, httpx.Headers(response.headers), response.iter_stream())

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


class _Backend(httpcore.NetworkBackend):
    """What the pool connects with."""

    def __init__(self, options: WebOptions, network: Network) -> None:
        self._options = options
        self._network = network

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Resolve, check every address, and connect to one that was checked: what a name says next does not count."""
        leash, seconds = _leash.get(), timeout or self._options.connect_seconds
        addresses = self._network.resolve(host, seconds, leash.check)
        if not addresses or not all(is_allowed(address, self._options.allow_private) for address in addresses):
            raise Refused(f"{host} is at a private address, which this client keeps away from", by="us")
        problem: OSError = OSError("no address")
        for address in addresses[:4]:
            try:
                return _Stream(self._network.connect(address, port, seconds, leash.check), self._options)
            except OSError as error:
                problem = error
        if isinstance(problem, TimeoutError):
            raise httpcore.ConnectTimeout from problem
        raise httpcore.ConnectError(str(problem)) from problem


class _Stream(httpcore.NetworkStream):
    """A connection that never blocks for longer than a slice, so that time-outs and stops are felt."""

    def __init__(self, connection: socket, options: WebOptions) -> None:
        self._socket = connection
        self._options = options

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        leash = _leash.get()
        leash.check()
        if leash.bytes >= self._options.header_bytes:
            raise TooLarge(f"the headers of the answer are larger than {self._options.header_bytes} bytes")
        try:
            data = self._waiting(lambda: self._socket.recv(max_bytes), select.POLLIN, timeout)
        except TimeoutError as error:
            raise httpcore.ReadTimeout from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error
        if leash.bytes >= 0:
            leash.bytes += len(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            while buffer:
                rest = buffer
                buffer = rest[self._waiting(lambda: self._socket.send(rest), select.POLLOUT, timeout) :]  # noqa: B023
        except TimeoutError as error:
            raise httpcore.WriteTimeout from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Greet the host by its name, whatever address it is at, and have its certificate checked."""
        try:
            safe = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname, do_handshake_on_connect=False)
            self._socket = safe
            self._waiting(safe.do_handshake, select.POLLIN, timeout)
        except TimeoutError as error:
            self.close()
            raise httpcore.ConnectTimeout from error
        except (OSError, ValueError) as error:  # ssl's errors are OSErrors; names that cannot be, ValueErrors
            self.close()
            raise httpcore.ConnectError(str(error)) from error
        except BaseException:
            self.close()
            raise
        return self

    def get_extra_info(self, info: str) -> object:
        """Return what the pool wants to know: whether an idle connection was closed or talks out of turn."""
        if info == "is_readable":
            poll = select.poll()
            poll.register(self._socket, select.POLLIN)
            return bool(poll.poll(0))
        return None

    def _waiting(self, act: Callable[[], T], event: int, timeout: float | None) -> T:
        seconds = timeout or self._options.read_seconds
        while True:
            try:
                return act()
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                wanted = select.POLLOUT if isinstance(error, ssl.SSLWantWriteError) else event
                if isinstance(error, ssl.SSLWantReadError):
                    wanted = select.POLLIN
                await_ready(self._socket, wanted, seconds, _leash.get().check)
