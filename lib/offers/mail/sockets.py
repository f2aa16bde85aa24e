"""Sockets whose reader hears that it is to stop, however long the other side keeps silent."""

import select
import socket
import ssl
import time
from typing import Any

SECONDS_BETWEEN_LOOKS = 0.2
"""A thread that waits for the network does not hear that it is to stop: it waits this long at a time."""


class _Waiting(socket.socket):
    def recv_into(self, *args: Any, **options: Any) -> int:
        """Read once there is something to be read; TimeoutError when there is nothing for as long as the time-out."""
        timeout = self.gettimeout()
        deadline = None if timeout is None else time.monotonic() + timeout
        poll = select.poll()
        poll.register(self, select.POLLIN)
        while not (self._held() or poll.poll(SECONDS_BETWEEN_LOOKS * 1000)):
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError("timed out")
        return super().recv_into(*args, **options)

    def _held(self) -> int:
        """Return how many bytes were received that nobody has read."""
        return 0


class SecureSocket(_Waiting, ssl.SSLSocket):
    """What a context of TLS with this as its `sslsocket_class` makes of a socket."""

    def _held(self) -> int:
        return self.pending()


def stoppable(plain: socket.socket) -> socket.socket:
    """Return a connection in place of another one, which is of no more use."""
    timeout = plain.gettimeout()
    made = _Waiting(plain.family, plain.type, plain.proto, plain.detach())
    made.settimeout(timeout)
    return made


def tls() -> ssl.SSLContext:
    """Return the context of a client that trusts whom the system trusts."""
    context = ssl.create_default_context()
    context.sslsocket_class = SecureSocket
    return context
