"""Which process works on a run: `host:pid`, kept in Prefect's own field of a flow run, its `infrastructure_pid`."""

import os
import socket

from lib.settings import settings


def host_name() -> str:
    """Return the name of this machine among those that share a server."""
    return settings().host_name or socket.gethostname()


def place_of(pid: int | None = None) -> str:
    """Return where a process of this machine is found; this process when none is given."""
    return f"{host_name()}:{os.getpid() if pid is None else pid}"


def host_of(place: str | None) -> str:
    """Return the name of the machine that a place is on; empty when the place does not say."""
    return (place or "").rpartition(":")[0]


def pid_here(place: str | None) -> int | None:
    """Return the id of the process at a place on this machine; None for another machine's, a container, nothing."""
    host, _, pid = (place or "").rpartition(":")
    return int(pid) if host == host_name() and pid.isascii() and pid.isdigit() else None
