"""Runs with their children, as Prefect's server tells of them: what a status is derived from."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import Any
from uuid import UUID

from lib.runs.plan import Workflow
from lib.runs.progress import ProgressRecord
from lib.runs.server import (
    PAGE,
    PrefectClient,
    RunRow,
    artifacts,
    children_of,
    count_flow_runs,
    flow_names,
)
from lib.runs.status import PARTIAL, Observed, RunState

TAG = "run:"
"""What a child's tag that names its run begins with."""
ATTEMPT_TAG = "attempt:"
"""What a child's tag begins with that says which attempt of its run began it, from 1."""

REMEMBERED = 100
"""Of how many runs the completed children are remembered in this process."""
LATE = timedelta(seconds=30)
"""How long after the end of a child its progress may still be written: it is tried for a few seconds."""

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


_settled: OrderedDict[tuple[str, UUID], Mapping[UUID, Observed]] = OrderedDict()


async def read_families(
    client: PrefectClient, roots: Sequence[UUID], *, remember: bool = True
) -> dict[UUID, list[Observed]]:
    """Return the children of each of these runs with their progress.

    Two calls, and two more per 200 children; of several runs a child is its own that carries the run's tag. Of a run
    that is looked at again and again the children that completed are remembered, since 200 of them take Prefect's
    server longer to tell than all the rest: a third call, beside the first, asks whether they all still are completed.
    Without `remember` none are.
    """
    if not roots:
        return {}
    keys = {root: (str(client.api_url), root) for root in roots}
    known = {root: _settled.get(key, {}) for root, key in keys.items()}
    without = [child for family in known.values() for child in family]
    new, there = await asyncio.gather(_read_new(client, roots, without), _count_completed(client, without))
    if there != len(without):
        known = {root: {} for root in roots}
        new = await _read_new(client, roots, ())
    families = {root: {**known[root], **new[root]} for root in roots}
    if remember:
        for root, key in keys.items():
            _settled[key] = {child: each for child, each in families[root].items() if _is_settled(each)}
            _settled.move_to_end(key)
        while len(_settled) > REMEMBERED:
            _settled.popitem(last=False)
    return {root: list(family.values()) for root, family in families.items()}


async def _read_new(
    client: PrefectClient, roots: Sequence[UUID], without: Collection[UUID]
) -> dict[UUID, dict[UUID, Observed]]:
    """Return the children of each of these runs by their ids, but for those that are known already."""
    children = await children_of(client, *roots, without=without)
    # By their ids, not by the parent link: for that Prefect's server goes through the artifacts of all runs there are.
    progress, names = await asyncio.gather(
        _progress_of(client, [child.id for child in children]),
        flow_names(client, (child.flow_id for child in children)),
    )
    families: dict[UUID, dict[UUID, Observed]] = {root: {} for root in roots}
    for child in children:
        root = roots[0] if len(roots) == 1 else _root_of(child)
        if root in families:
            families[root][child.id] = observe(child, names.get(child.flow_id, ""), progress.get(child.id))
    return families


async def _progress_of(client: PrefectClient, runs: Sequence[UUID]) -> dict[UUID, ProgressRecord]:
    """Return the last progress record of each of these runs that has one."""
    progress: dict[UUID, ProgressRecord] = {}
    for first in range(0, len(runs), PAGE):
        missing = set(runs[first : first + PAGE])
        offset = 0
        while missing:
            notes = await artifacts(client, "progress", runs[first : first + PAGE], offset=offset)
            for note in notes:  # the last written comes first
                if note.flow_run_id in missing:
                    missing.remove(note.flow_run_id)
                    progress[note.flow_run_id] = ProgressRecord.from_metadata(note.metadata or {})
            offset += len(notes)
            if len(notes) < PAGE:
                break
    return progress


async def _count_completed(client: PrefectClient, runs: Collection[UUID]) -> int:
    if not runs:
        return 0
    # As "in no other state": asked for those that completed, SQLite would go through all of them that there are.
    others = [kind for kind in _STATES if kind != "COMPLETED"]
    wanted = {"id": {"any_": [str(each) for each in runs]}, "state": {"type": {"not_any_": others}}}
    return await count_flow_runs(client, flow_runs=wanted)


def _is_settled(child: Observed) -> bool:
    """Say whether nothing more is to be told of a child: it completed so long ago that its last progress is written."""
    return child.state is RunState.COMPLETED and child.ended is not None and datetime.now(UTC) - child.ended > LATE


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
        of_attempt=_attempt_of(run),
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
    """Return what a run is about, or else its own name."""
    return subject_in(workflow, run.parameters) or run.name


def subject_in(workflow: Workflow, parameters: Mapping[str, Any]) -> str:
    """Return what a run with these parameters is about: the last part of the one that says so; empty without it."""
    value = parameters.get(workflow.subject)
    return (PurePath(value).name if isinstance(value, str) else "")[:NAME_LENGTH]


def name_for(workflow: Workflow, parameters: Mapping[str, Any]) -> str | None:
    """Return the name that a run is made with: lists of runs are searched by it. None where Prefect makes one up."""
    subject = subject_in(workflow, parameters)
    return f"{workflow.key} · {subject}" if subject else None


def _state_of(run: RunRow) -> RunState:
    if run.state is None:
        return RunState.PENDING
    if run.state.type == "FAILED" and run.state.name == PARTIAL:
        return RunState.PARTIAL
    return _STATES[run.state.type]


def _attempt_of(child: RunRow) -> int:
    for tag in child.tags:
        number = tag.removeprefix(ATTEMPT_TAG)
        if number != tag and number.isascii() and number.isdecimal():
            return int(number[:9])
    return 0


def _root_of(child: RunRow) -> UUID | None:
    for tag in child.tags:
        if tag.startswith(TAG):
            try:
                return UUID(tag.removeprefix(TAG))
            except ValueError:
                continue
    return None
