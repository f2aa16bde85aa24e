"""The connections of an HTTP client, which can be ended while other threads use them."""

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import httpx2


class Connections:
    """What a client is connected by. To close a connection does not end the read of another thread; to hang up does."""

    def __init__(self) -> None:
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._over = False
        self._lock = threading.Lock()

    def watch(self, request: httpx2.Request) -> None:
        """Learn of the connection that is made for a request, if one is; to be given to the client as an event hook."""
        request.extensions = {**request.extensions, "trace": self._learn}

    def hang_up(self) -> None:
        """End them all, and those that are made from now on."""
        with self._lock:
            self._over = True
            for each in self._sockets:
                _hang_up(each)

    def _learn(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            with self._lock:
                connection = info["return_value"].get_extra_info("socket")
                self._sockets.add(connection)
                if self._over:
                    _hang_up(connection)


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        # That of an SSLSocket would take from a thread that reads what it reads with.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
