"""Runs with their children, as Prefect's server tells of them: what a status is derived from."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from uuid import UUID

from lib.runs.plan import Workflow
from lib.runs.progress import ProgressRecord
from lib.runs.server import PrefectClient, RunRow, artifacts, by_parent, children_of, flow_names
from lib.runs.status import PARTIAL, Observed, RunState

TAG = "run:"
"""What a child's tag that names its run begins with."""

NAME_LENGTH = 200
"""Longest subject that is shown, in characters."""

_STATES: Mapping[str, RunState] = {
    "SCHEDULED": RunState.PENDING,
    "PENDING": RunState.PENDING,
    "RUNNING": RunState.RUNNING,
    "PAUSED": RunState.PAUSED,
    "COMPLETED": RunState.COMPLETED,
    "FAILED": RunState.FAILED,
    "CRASHED": RunState.CRASHED,
    "CANCELLED": RunState.CANCELLED,
    "CANCELLING": RunState.RUNNING,
}


async def read_families(client: PrefectClient, roots: Sequence[UUID]) -> dict[UUID, list[Observed]]:
    """Return the children of each of these runs with their progress.

    Two calls at the same time, and one more of each per 200 rows; of several runs a child is its own that carries the
    run's tag.
    """
    if not roots:
        return {}
    children, notes = await asyncio.gather(
        children_of(client, *roots), artifacts(client, "progress", flow_runs=by_parent(*roots))
    )
    names = await flow_names(client, (child.flow_id for child in children))
    progress: dict[UUID, ProgressRecord] = {}
    for note in notes:  # the last written comes first
        if note.flow_run_id is not None and note.flow_run_id not in progress:
            progress[note.flow_run_id] = ProgressRecord.from_metadata(note.metadata or {})
    families: dict[UUID, list[Observed]] = {root: [] for root in roots}
    for child in children:
        root = roots[0] if len(roots) == 1 else _root_of(child)
        if root in families:
            families[root].append(observe(child, names.get(child.flow_id, ""), progress.get(child.id)))
    return families


def observe(run: RunRow, flow: str, progress: ProgressRecord | None = None) -> Observed:
    """Return what a row tells of a run."""
    return Observed(
        run_id=str(run.id),
        flow=flow,
        parent=str(run.parent_task_run_id) if run.parent_task_run_id else None,
        name=run.name,
        state=_state_of(run),
        stopping=run.state is not None and run.state.type == "CANCELLING",
        message=(run.state.message or "") if run.state else "",
        created=run.created,
        started=run.start_time,
        ended=run.end_time,
        attempt=max(run.run_count, 1),
        progress=progress,
    )


def chosen(workflow: Workflow, run: RunRow) -> set[str] | None:
    """Return the keys of the phases that a run was asked for; None when that cannot be told."""
    only, first, last = (run.parameters.get(name) for name in ("only", "first", "last"))
    try:
        return {phase.key for phase in workflow.select(only or (), first, last)}
    except (ValueError, TypeError):
        return None


def subject_of(workflow: Workflow, run: RunRow) -> str:
    """Return what a run is about: the last part of the parameter that says so, or else the run's own name."""
    value = run.parameters.get(workflow.subject)
    return (PurePath(value).name if isinstance(value, str) else "")[:NAME_LENGTH] or run.name


def _state_of(run: RunRow) -> RunState:
    if run.state is None:
        return RunState.PENDING
    if run.state.type == "FAILED" and run.state.name == PARTIAL:
        return RunState.PARTIAL
    return _STATES[run.state.type]


def _root_of(child: RunRow) -> UUID | None:
    for tag in child.tags:
        if tag.startswith(TAG):
            try:
                return UUID(tag.removeprefix(TAG))
            except ValueError:
                continue
    return None
