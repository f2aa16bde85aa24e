"""Connections for the pool: only to addresses that were checked, and never waiting longer than the page may take."""

import select
import ssl
from collections.abc import Callable, Iterable
from socket import socket
from typing import TypeVar

import httpcore

from lib.web.addresses import is_allowed
from lib.web.leash import current
from lib.web.network import Network, await_ready
from lib.web.options import WebOptions
from lib.web.outcomes import Refused, TooLarge

T = TypeVar("T")


class Connections(httpcore.NetworkBackend):
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
        leash, seconds = current.get(), timeout or self._options.connect_seconds
        addresses = self._network.resolve(host, seconds, leash.check)
        private = self._options.allow_private or f"{host}:{port}" in self._options.hosts.values()
        if not addresses or not all(is_allowed(address, private) for address in addresses):
            raise Refused(f"{host} is at a private address, which this client keeps away from", by="us")
        problem: OSError = OSError("no address")
        for address in addresses[:4]:
            try:
                return Connection(self._network.connect(address, port, seconds, leash.check), self._options)
            except OSError as error:
                problem = error
        if isinstance(problem, TimeoutError):
            raise httpcore.ConnectTimeout from problem
        raise httpcore.ConnectError(str(problem)) from problem


class Connection(httpcore.NetworkStream):
    """A connection that never blocks for longer than a slice, so that time-outs and stops are felt."""

    def __init__(self, connection: socket, options: WebOptions) -> None:
        self._socket = connection
        self._options = options

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what came, within the bounds of the page that is being fetched."""
        leash = current.get()
        leash.check()
        if leash.bytes >= self._options.header_bytes:
            raise TooLarge(f"the headers of the answer are larger than {self._options.header_bytes} bytes")
        if leash.bytes >= 0:
            max_bytes = min(max_bytes, self._options.header_bytes - leash.bytes)
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
        """Send all of it."""
        try:
            while buffer:
                rest = buffer
                buffer = rest[self._waiting(lambda: self._socket.send(rest), select.POLLOUT, timeout) :]  # noqa: B023
        except TimeoutError as error:
            raise httpcore.WriteTimeout from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        """Let go of the connection."""
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
            except BlockingIOError:
                wanted = event
            except ssl.SSLWantReadError:
                wanted = select.POLLIN
            except ssl.SSLWantWriteError:
                wanted = select.POLLOUT
            await_ready(self._socket, wanted, seconds, current.get().check)
