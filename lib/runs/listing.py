"""The runs of the known workflows, the newest first, read from Prefect's server."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field

from lib.runs.family import chosen, observe, read_families, subject_of
from lib.runs.past import PastRun
from lib.runs.past_reader import read_pasts
from lib.runs.plan import Workflow
from lib.runs.server import PAGE, PrefectClient, RunRow, count_flow_runs, flow_names, flow_runs
from lib.runs.status import PARTIAL, Observed, RunState, derive


class RunSummary(BaseModel):
    """One run in a list of runs."""

    run_id: str
    workflow: str
    subject: str
    state: RunState
    stopping: bool = Field(default=False, description="Whether it was asked to stop and has not ended yet.")
    message: str = ""
    progress: float | None = Field(
        default=None, ge=0, le=100, description="None for a run that ended without completing: its own status tells."
    )
    estimated_end: datetime | None = None
    created: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    duration: float | None = Field(default=None, description="Seconds from start to end, or until now.")


class RunList(BaseModel):
    """A part of the runs that were asked for."""

    items: list[RunSummary]
    total: int = Field(description="How many there are of them all.")


async def read_runs(
    client: PrefectClient,
    workflows: Mapping[str, Workflow],
    *,
    workflow: str = "",
    states: Collection[RunState] = (),
    subject: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    offset: int = 0,
) -> RunList:
    """Return runs of the known workflows, the newest first: by when they were due, which never changes.

    `workflow` is the key of one workflow; `states` any of them. `subject` is a part of a run's name, in any case: every
    orchestrator puts its subject there, and Prefect can search for nothing else of it; `%` and `_` stand for anything.
    Takes two calls, and for the unfinished ones among at most 200 runs what `read_status` takes for one.
    """
    known = {each.flow_name(): each for key, each in workflows.items() if workflow in {"", key}}
    if not known:
        return RunList(items=[], total=0)
    filters: dict[str, Any] = {
        "flows": {"name": {"any_": list(known)}},
        "flow_runs": {"parent_task_run_id": {"is_null_": True}, **_wanted(states, subject, since, until)},
    }
    rows, total = await asyncio.gather(
        flow_runs(
            client, **filters, sort="EXPECTED_START_TIME_DESC", limit=max(0, min(limit, PAGE)), offset=max(0, offset)
        ),
        count_flow_runs(client, **filters),
    )
    names = await flow_names(client, (row.flow_id for row in rows))
    runs = [(row, known[names[row.flow_id]]) for row in rows if names.get(row.flow_id) in known]
    going = [(each, row) for row, each in runs if not observe(row, each.key).state.final]
    families, pasts = await asyncio.gather(
        read_families(client, [row.id for _, row in going]), read_pasts(client, going)
    )
    items = [_summary(row, each, families.get(row.id), pasts.get(row.id, ())) for row, each in runs]
    return RunList(items=items, total=total)


def _wanted(
    states: Collection[RunState], subject: str, since: datetime | None, until: datetime | None
) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    if states:
        wanted["state"] = state_filter(states)
    if subject:
        # PostgreSQL reads a backslash as an escape and SQLite does not: any one character stands for it.
        wanted["name"] = {"like_": subject.replace("\\", "_")}
    times = {name: time.isoformat() for name, time in (("after_", since), ("before_", until)) if time is not None}
    if times:
        wanted["expected_start_time"] = times
    return wanted


def state_filter(states: Collection[RunState]) -> dict[str, Any]:
    """Return Prefect's filter of these states: partial is a failure by type, and told apart by its name."""
    types = sorted({kind for state in states for kind in _TYPES[state]})
    if RunState.PARTIAL not in states:
        return {"type": {"any_": types}} | ({"name": {"not_any_": [PARTIAL]}} if RunState.FAILED in states else {})
    partial = {"name": {"any_": [PARTIAL]}}
    if RunState.FAILED in states:
        return {"type": {"any_": types}}
    return {"operator": "or_", "type": {"any_": types}, **partial} if types else partial


_TYPES: Mapping[RunState, tuple[str, ...]] = {
    RunState.PENDING: ("SCHEDULED", "PENDING"),
    RunState.RUNNING: ("RUNNING", "CANCELLING"),
    RunState.PAUSED: ("PAUSED",),
    RunState.COMPLETED: ("COMPLETED",),
    RunState.PARTIAL: (),
    RunState.FAILED: ("FAILED",),
    RunState.CRASHED: ("CRASHED",),
    RunState.CANCELLED: ("CANCELLED",),
    RunState.SKIPPED: (),
}


def _summary(row: RunRow, workflow: Workflow, children: list[Observed] | None, past: Sequence[PastRun]) -> RunSummary:
    root, now = observe(row, workflow.key), datetime.now(UTC)
    progress = 100.0 if root.state is RunState.COMPLETED else None
    estimated_end = None
    if children is not None:
        status = derive(workflow, root, children, now, chosen=chosen(workflow, row), past=past)
        progress, estimated_end = status.progress, status.estimated_end
    end = root.ended if root.state.final else now
    return RunSummary(
        run_id=root.run_id,
        workflow=workflow.key,
        subject=subject_of(workflow, row),
        state=root.state,
        stopping=root.stopping,
        message=root.message,
        progress=progress,
        estimated_end=estimated_end,
        created=root.created,
        started=root.started,
        ended=root.ended if root.state.final else None,
        duration=max((end - root.started).total_seconds(), 0.0) if root.started and end else None,
    )
