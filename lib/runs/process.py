"""What works on a run: a process, `host:pid`, or a container, `host:name`.

It is kept in Prefect's own field of a flow run, its `infrastructure_pid`.
"""

import os
import socket

from lib.settings import settings

TOLD = "REGIE_PLACE"
"""Variable that tells the processes in a container where they are: their own ids mean nothing outside of it."""
CONTAINER = "regie-"
"""What the names of the containers of runs begin with."""


def host_name() -> str:
    """Return the name of this machine among those that share a server."""
    return settings().host_name or socket.gethostname()


def place_of(pid: int | None = None) -> str:
    """Return where a process of this machine is found; this process, or its container, when none is given."""
    told = os.environ.get(TOLD)
    return told if told and pid is None else f"{host_name()}:{os.getpid() if pid is None else pid}"


def place_of_container(name: str) -> str:
    """Return where a container of this machine is found, by its name."""
    return f"{host_name()}:{name}"


def host_of(place: str | None) -> str:
    """Return the name of the machine that a place is on; empty when the place does not say."""
    return (place or "").rpartition(":")[0]


def pid_here(place: str | None) -> int | None:
    """Return the id of the process at a place on this machine; None for another machine's, a container, nothing."""
    host, _, pid = (place or "").rpartition(":")
    return int(pid) if host == host_name() and pid.isascii() and pid.isdigit() else None


def which_here(place: str | None) -> int | str | None:
    """Return what is at a place on this machine: the id of a process, the name of a container; None for others."""
    host, _, name = (place or "").rpartition(":")
    return name if host == host_name() and name.startswith(CONTAINER) else pid_here(place)
