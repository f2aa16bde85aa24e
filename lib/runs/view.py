"""What a run shows besides its phases: a small document, kept up to date while it works, an artifact of its own."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from lib.runs.plan import Workflow
from lib.runs.reader import RunNotFoundError, read_status
from lib.runs.server import PrefectClient, RunRow, artifacts, flow_runs
from lib.runs.status import RunStatus

TYPE = "view"
"""Type of the artifact: one per run."""
RUNS_LOOKED_AT = 20
"""Among how many of the newest runs a view is looked for."""

T = TypeVar("T")


@dataclass(frozen=True)
class Shown(Generic[T]):
    """What the runs of a workflow show."""

    status: RunStatus | None = None
    """Of the newest run; None when there is no run."""
    run: RunRow | None = None
    """The newest run that has a view."""
    view: T | None = None


async def read_views(client: PrefectClient, runs: Sequence[UUID]) -> dict[UUID, Mapping[str, Any]]:
    """Return the views of those runs that have one, as they are now, by the run's id; one call."""
    found: dict[UUID, Mapping[str, Any]] = {}
    for row in await artifacts(client, TYPE, runs):
        if row.flow_run_id is not None and isinstance(row.data, dict):
            found.setdefault(row.flow_run_id, row.data)
    return found


async def read_shown(
    client: PrefectClient, workflow: Workflow, understand: Callable[[Mapping[str, Any]], T | None]
) -> Shown[T]:
    """Return how the newest run of a workflow stands, and the view of the newest that has one.

    A view that `understand` returns None for is passed over. Takes two calls more than `read_status`, whose errors it
    raises.
    """
    runs = await flow_runs(
        client,
        flow_runs={
            "parent_task_run_id": {"is_null_": True},
            "expected_start_time": {"before_": datetime.now(UTC).isoformat()},
        },
        flows={"name": {"any_": [workflow.flow_name()]}},
        sort="EXPECTED_START_TIME_DESC",
        limit=RUNS_LOOKED_AT,
    )
    if not runs:
        return Shown()
    try:
        views, status = await asyncio.gather(
            read_views(client, [run.id for run in runs]),
            read_status(client, str(runs[0].id), {workflow.key: workflow}),
        )
    except RunNotFoundError:  # it was deleted meanwhile
        return Shown()
    for run in runs:
        if run.id in views and (view := understand(views[run.id])) is not None:
            return Shown(status, run, view)
    return Shown(status)
