"""Ports of this machine: one to listen on, or who has it."""

import contextlib
import errno
import os
import socket
import time

import psutil

from lib.errors import InputError

PATIENCE_SECONDS = 1.0
"""How long a port that is taken is asked for again: a process that was killed a moment ago may hold it still."""


def listen_on(host: str, port: int, variable: str) -> socket.socket:
    """Return a socket that listens there, on any free port for 0.

    Raises InputError that says who has the port, and that the environment variable gives another one.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            family, *_, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
            return socket.create_server(address[:2], family=family)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
                raise InputError(f"Régie cannot listen on {host}, port {port} ({variable}): {reason}.") from error
            if time.monotonic() > deadline:
                raise InputError(
                    f"Port {port} is taken by {holder(port)}. Give another one: {variable}={another(port)}"
                ) from error
        time.sleep(0.05)


def holder(port: int) -> str:
    """Return who listens on a port, in words, as far as this user may know."""
    with contextlib.suppress(psutil.Error, OSError):
        for each in psutil.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and each.pid and each.laddr and each.laddr.port == port:
                process = psutil.Process(each.pid)
                words = f"process {each.pid} ({process.name()})"
                home = process.environ().get("REGIE_HOME")
                return f"{words}, which works for Régie's home {home}" if home else words
    return "another program"


def another(port: int) -> int:
    """Return a port to propose in place of one that is taken."""
    return port + 100 if port + 100 < 2**16 else port - 100
