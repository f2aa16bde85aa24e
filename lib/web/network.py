"""How names become addresses, and addresses connections: the two things that a test replaces."""

import errno
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from ipaddress import ip_address

from lib.web.addresses import Address
from lib.web.outcomes import Unavailable

SLICE = 0.1
"""Seconds between two looks at whether the caller still wants it."""

Check = Callable[[], None]
"""Raises when time is over or nobody wants the page any more."""

_IN_PROGRESS = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY})


class Network:
    """The system's resolver and sockets; calls end when their time is over or `check` raises."""

    def resolve(self, host: str, seconds: float, check: Check) -> tuple[Address, ...]:
        """Return the addresses of a host; raises Unavailable.

        The system's resolver cannot be interrupted, so it works in a thread of its own, which is left behind when it
        takes too long. It reads odd spellings (0x7f.1, 2130706433) as other programs do; the address is what counts.
        """
        found: list[tuple[Address, ...] | OSError | UnicodeError] = []

        def look() -> None:
            try:
                rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
                found.append(tuple(dict.fromkeys(ip_address(row[4][0]) for row in rows)))
            except (OSError, UnicodeError) as error:
                found.append(error)

        thread = threading.Thread(target=look, name="web-resolver", daemon=True)
        thread.start()
        until = time.monotonic() + seconds
        while not found:
            thread.join(SLICE)
            check()
            if not found and time.monotonic() > until:
                raise Unavailable(f"the name {host} was not found within {seconds:g} s", passing=True)
        answer = found[0]
        if isinstance(answer, tuple):
            return answer
        # A host that is not known may not exist; more often it is this machine that has no network.
        raise Unavailable(f"no host {host} was found", passing=isinstance(answer, OSError)) from answer

    def connect(self, address: Address, port: int, seconds: float, check: Check) -> socket.socket:
        """Return a connection, which does not block; raises OSError."""
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            problem = connection.connect_ex((str(address), port))
            if problem in _IN_PROGRESS:
                await_ready(connection, select.POLLOUT, seconds, check)
                problem = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        except BaseException:
            connection.close()
            raise
        if problem:
            connection.close()
            raise OSError(problem, os.strerror(problem))
        return connection


def await_ready(connection: socket.socket, event: int, seconds: float, check: Check) -> None:
    """Return when a connection can be read or written; raises TimeoutError, and what `check` raises."""
    poll = select.poll()
    poll.register(connection, event)
    until = time.monotonic() + seconds
    while True:
        check()
        left = until - time.monotonic()
        if poll.poll(max(0.0, min(left, SLICE)) * 1000):
            return
        if left <= 0:
            raise TimeoutError
