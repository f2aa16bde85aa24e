"""A run of the toy workflow as tests steer it, and what it leaves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from regie_toy_holder import until
from regie_toy_plan import TOY

from deployments.pools import pool_name
from lib.files import is_temporary
from lib.runs.control import resume_run, start_run
from lib.runs.reader import run_status
from lib.runs.status import PhaseStatus, RunState, RunStatus

SECONDS_TO_STOP = 5.0
"""How soon after the request a run has ended, on a machine where nothing else is at work (see `shared`)."""
SECONDS_TO_NOTICE = 60.0
"""How soon after the death of its process a run is shown as crashed."""


@dataclass
class Run:
    """A run of the toy workflow, and what its phases leave in a folder."""

    home: Path
    folder: Path
    run_id: str = ""

    def parameters(self, orders: dict[str, str], **selection: Any) -> dict[str, Any]:
        return {
            "source": "toy box",
            "orders": {"phases": orders, "folder": str(self.folder), "steps": 4, "pause": 0.01},
            **selection,
        }

    def start(self, orders: dict[str, str], **selection: Any) -> "Run":
        self.run_id = start_run(TOY, self.parameters(orders, **selection))
        return self

    def status(self) -> RunStatus:
        return run_status(self.run_id, {"toy": TOY})

    def phase(self, key: str) -> PhaseStatus:
        return next(phase for phase in self.status().phases if phase.key == key)

    def states(self) -> dict[str, str]:
        return {phase.key: phase.state.value for phase in self.status().phases if phase.state is not RunState.SKIPPED}

    def ended(self, seconds: float = 90) -> RunStatus:
        until(lambda: self.status().state.final, seconds)
        return self.status()

    def becomes(self, states: dict[str, str], seconds: float = SECONDS_TO_NOTICE) -> None:
        until(lambda: self.states() == states, seconds)

    def wait_for_half(self, key: str) -> None:
        """Wait until a phase is in the middle of its second item, with half a file written."""
        until(lambda: self.worked(key)[-1:] == ["two"] and self.temporary())

    def temporary(self) -> list[Path]:
        return [path for path in self.folder.iterdir() if is_temporary(path)]

    def worked(self, key: str) -> list[str]:
        """The items that a phase worked on, in every attempt."""
        return self._book(key, "worked")

    def processes(self, key: str) -> list[int]:
        """The processes that a phase began in, one per attempt."""
        return [int(line.split()[0]) for line in self._book(key, "begun")]

    def _book(self, key: str, name: str) -> list[str]:
        book = self.folder / f"{key}.{name}"
        return book.read_text().splitlines() if book.exists() else []

    def mend(self, *keys: str) -> None:
        """Take back what these phases were ordered to do."""
        for key in keys:
            (self.folder / f"{key}.go").touch()

    def resume(self) -> RunStatus:
        resume_run(self.run_id, {"toy": TOY})
        status = self.ended()
        assert status.run_id == self.run_id
        return status


def unchanged(before: PhaseStatus, after: PhaseStatus) -> bool:
    """Whether a phase was not run again: it is the same child, that worked at the same time."""
    return (before.run_id, before.started, before.ended) == (after.run_id, after.started, after.ended)


def pause(environment: str, *, is_paused: bool) -> None:
    """Let the workers of an environment take up nothing, or take up runs again."""
    with get_client(sync_client=True) as client:
        client.update_work_pool(pool_name(environment), WorkPoolUpdate(is_paused=is_paused))


@contextmanager
def paused(environment: str) -> Iterator[None]:
    """Let the workers of an environment take up nothing for a while."""
    pause(environment, is_paused=True)
    try:
        yield
    finally:
        pause(environment, is_paused=False)
