"""Which process works on a run: `host:pid`, kept in Prefect's own field of a flow run, its `infrastructure_pid`."""

import os
import socket


def place_of(pid: int | None = None) -> str:
    """Return where a process of this machine is found; this process when none is given."""
    return f"{socket.gethostname()}:{os.getpid() if pid is None else pid}"


def pid_here(place: str | None) -> int | None:
    """Return the id of the process at a place on this machine; None for another machine's, a container, nothing."""
    host, _, pid = (place or "").rpartition(":")
    return int(pid) if host == socket.gethostname() and pid.isascii() and pid.isdigit() else None
