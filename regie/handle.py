"""A run of a workflow, in the hand of a Python program."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from deployments.running import running_server
from lib.errors import InputError
from lib.runs.plan import Workflow
from lib.runs.status import RunState, RunStatus
from lib.settings import settings
from lib.storage.address import is_url
from lib.workflows import workflows

if TYPE_CHECKING:  # Prefect takes seconds to import
    from lib.runs.logs import LogLine
    from lib.runs.server import Connection

SECONDS_BETWEEN_LOOKS = 0.5
PLACES = ("source", "out")
"""Parameters that name a place: a relative path is meant from here, and the run may work elsewhere."""


class RunEndedError(Exception):
    """A run ended otherwise than completed; the message says how and why."""

    def __init__(self, status: RunStatus) -> None:
        troubled = [f"{phase.name}: {phase.error}" for phase in status.phases if phase.error and phase.run_id]
        why = "; ".join(troubled) or status.message
        super().__init__(f"The run of {status.subject} is {status.state.value}" + (f": {why}" if why else "."))
        self.status = status


@dataclass(frozen=True)
class Run:
    """A run, wherever it works."""

    id: str
    server: str
    """Address of the Prefect API that knows it."""

    def status(self) -> RunStatus:
        """Say how far it is, phase by phase, and when it is thought to end."""
        with _connected(self.server) as connection:
            return _status(connection, self.id)

    def wait(
        self,
        timeout: float | None = None,
        progress: Callable[[RunStatus], object] | None = None,
        *,
        check: bool = False,
    ) -> RunStatus:
        """Wait until it has ended, and return how; `progress` is called with its status about twice a second.

        Raises TimeoutError after `timeout` seconds, and RunEndedError with `check` when it did not complete. The run
        itself goes on, whatever is raised.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with _connected(self.server) as connection:
            while not (status := _status(connection, self.id)).over:
                if progress is not None:
                    progress(status)
                left = SECONDS_BETWEEN_LOOKS if deadline is None else deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"The run of {status.subject} still goes on, after {timeout:.0f} s.")
                time.sleep(min(SECONDS_BETWEEN_LOOKS, left))
        if progress is not None:
            progress(status)
        if check and status.state is not RunState.COMPLETED:
            raise RunEndedError(status)
        return status

    def cancel(self) -> bool:
        """Ask it to stop, and say whether there was anything to stop; returns at once, and `wait` says when it has."""
        from lib.runs import control

        with _connected(self.server) as connection:
            return connection(control.cancel, self.id)

    def resume(self) -> None:
        """Have it go on after it failed, was cancelled or lost its process; phases that completed are kept.

        Raises InputError when it cannot go on.
        """
        from lib.runs import control

        with _connected(self.server) as connection:
            connection(control.resume, self.id, workflows())

    def logs(self, *, phases: Collection[str] = (), level: str = "info") -> "list[LogLine]":
        """Return what it and its phases have said so far, at least as grave as `level`, in the order of time.

        `phases` are their keys, "" for the orchestrator's own lines; all when empty.
        """
        from lib.runs.logs import read_logs

        lines: list[LogLine] = []
        after, more = "", True
        with _connected(self.server) as connection:
            while more:
                page = connection(read_logs, self.id, workflows(), phases=phases, level=level, after=after)
                lines += page.lines
                after, more = page.next, page.more
        return lines


def start(workflow: str, **parameters: Any) -> Run:
    """Start a run of a workflow: `start("video", source="rushes", out="film", only=[3, 4])`; a worker takes it up.

    The parameters are those of its flow. Raises InputError when there is no server, no such workflow, or it does not
    take these parameters.
    """
    from lib.runs import control

    server = _server()
    with _connected(server) as connection:
        return Run(connection(control.start, _workflow(workflow), plain(parameters)), server)


def run(run_id: str) -> Run:
    """Return the run of this id; InputError when there is none."""
    from lib.runs.reader import find_run

    server = _server()
    with _connected(server) as connection:
        found, _ = connection(find_run, run_id, workflows())
        return Run(str(found.id), server)


def latest(workflow: str = "") -> Run:
    """Return the newest run, of a workflow or of any; InputError when there is none yet."""
    from lib.runs.reader import LATEST, find_run

    known = {workflow: _workflow(workflow)} if workflow else workflows()
    server = _server()
    with _connected(server) as connection:
        found, _ = connection(find_run, LATEST, known)
        return Run(str(found.id), server)


@contextmanager
def _connected(server: str) -> "Iterator[Connection]":
    from lib.runs.reader import RunNotFoundError
    from lib.runs.server import client_of, connected

    try:
        with connected(client_of(server)) as connection:
            yield connection
    except RunNotFoundError as error:
        raise InputError(f"{error} `regie runs` lists what there is.") from error


def _status(connection: "Connection", run_id: str) -> RunStatus:
    from lib.runs.reader import read_status

    return connection(read_status, run_id, workflows())


def _server() -> str:
    if server := running_server(settings()):
        return server
    raise InputError(
        "No server is up on this machine: start it with `regie up`. One elsewhere is named by the setting server_url."
    )


def _workflow(key: str) -> Workflow:
    if key not in workflows():
        raise InputError(f"There is no workflow {key}: there are {', '.join(workflows())}.")
    return workflows()[key]


def plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as Prefect's API takes them."""
    plain: dict[str, Any] = to_jsonable_python(dict(parameters))
    for name in PLACES:
        if isinstance(place := plain.get(name), str) and place and not is_url(place):
            plain[name] = str(Path(place).expanduser().absolute())
    return plain
