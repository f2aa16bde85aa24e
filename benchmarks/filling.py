"""Runs written straight into the database of a Prefect server: ten thousand of them over HTTP would take an hour."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from prefect.server.database import orm_models as orm
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from lib.runs.plan import Phase, Workflow
from lib.runs.progress import ProgressRecord

RUNS_AT_ONCE = 200
LONGEST = 4.0
"""Seconds that a phase takes, at most."""


def workflow_of(phases: int, key: str = "filled") -> Workflow:
    """Return a workflow of so many phases, one after the other."""
    chain = [
        Phase(n, f"p{n}", f"Phase {n}", "nowhere:flow", "base", after=(f"p{n - 1}",) if n > 1 else ())
        for n in range(1, phases + 1)
    ]
    return Workflow(key, key.capitalize(), "nowhere:flow", tuple(chain))


def fill(
    database: str, workflow: Workflow, *, completed: int = 0, working: int = 0, parameters: int = 300
) -> list[UUID]:
    """Write runs of a workflow into a database, and return the ids of those that are at work.

    `completed` ones end one after the other until an hour ago; those that are `working` are in their last phase. A
    child carries `parameters` bytes of parameters. The server may be up; its tables are there already.
    """
    return asyncio.run(_fill(database, workflow, completed, working, parameters))


async def _fill(database: str, workflow: Workflow, completed: int, working: int, parameters: int) -> list[UUID]:
    patience = {"timeout": 60} if database.startswith("sqlite") else {}
    engine = create_async_engine(database, connect_args=patience)
    now, draw = datetime.now(UTC), random.Random(completed)
    try:
        async with engine.begin() as connection:
            flows = await _flows(connection, workflow)
        making = (
            _run(workflow, flows, draw, now - timedelta(hours=1, minutes=completed - n), done=True, padding=parameters)
            for n in range(completed)
        )
        while part := list(islice(making, RUNS_AT_ONCE)):
            await _write(engine, part)
        begun = [
            _run(
                workflow,
                flows,
                draw,
                now - timedelta(minutes=1, seconds=LONGEST * len(workflow.phases)),
                done=False,
                padding=parameters,
            )
            for _ in range(working)
        ]
        await _write(engine, begun)
    finally:
        await engine.dispose()
    return [run.root for run in begun]


@dataclass
class _Run:
    """The rows of one run."""

    root: UUID = field(default_factory=uuid4)
    roots: list[dict[str, Any]] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)
    children: list[dict[str, Any]] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)


async def _flows(connection: AsyncConnection, workflow: Workflow) -> dict[str, UUID]:
    names = [workflow.flow_name(), *(workflow.flow_name(phase) for phase in workflow.phases)]
    there = {row.name: row.id for row in await connection.execute(sa.select(orm.Flow.id, orm.Flow.name))}
    new = {name: uuid4() for name in names if name not in there}
    if new:
        await connection.execute(sa.insert(orm.Flow), [{"id": each, "name": name} for name, each in new.items()])
    return there | new


def _run(
    workflow: Workflow, flows: dict[str, UUID], draw: random.Random, start: datetime, *, done: bool, padding: int
) -> _Run:
    run = _Run()
    name, clock = f"film {draw.randrange(10**6)}.zip", start
    source = {"source": f"/rushes/{name}"}
    for phase in workflow.phases:
        ended = done or phase is not workflow.phases[-1]
        seconds, work = draw.uniform(0.5, LONGEST), draw.uniform(1e3, 1e5)
        child, link = uuid4(), uuid4()
        run.links.append(
            {"id": link, "flow_run_id": run.root, "name": phase.name, "task_key": phase.key, "dynamic_key": str(link)}
        )
        run.children.append(
            _flow_run(child, flows[workflow.flow_name(phase)], f"{phase.number} {phase.name} · {name}", clock, seconds)
            | {
                "parent_task_run_id": link,
                "tags": [workflow.key, phase.key, f"run:{run.root}"],
                "parameters": {**source, "options": "x" * padding},
            }
            | _state(run, child, clock + timedelta(seconds=seconds), ended=ended, message="12 done")
        )
        record = ProgressRecord(
            done=12 if ended else 4,
            total=12,
            percent=100 if ended else 34.5,
            engine="ffmpeg 7.1",
            figures="3004 frames, 73 scenes",
            work=work,
            worked=work,
        )
        note = {"type": "progress", "data": record.percent, "metadata_": record.as_metadata()}
        run.notes.append({"id": uuid4(), "flow_run_id": child, "description": record.sentence(), **note})
        clock += timedelta(seconds=seconds)
    run.roots.append(
        _flow_run(
            run.root, flows[workflow.flow_name()], f"{workflow.name} · {name}", start, (clock - start).total_seconds()
        )
        | {"parent_task_run_id": None, "tags": [workflow.key], "parameters": source}
        | _state(run, run.root, clock, ended=done, message=f"{len(workflow.phases)} phases completed")
    )
    return run


def _flow_run(run_id: UUID, flow: UUID, name: str, start: datetime, seconds: float) -> dict[str, Any]:
    moments = {"created": start, "expected_start_time": start, "start_time": start}
    return {"id": run_id, "flow_id": flow, "name": name, "run_count": 1, "total_run_time": timedelta(0), **moments}


def _state(run: _Run, run_id: UUID, end: datetime, *, ended: bool, message: str) -> dict[str, Any]:
    kind, name = ("COMPLETED", "Completed") if ended else ("RUNNING", "Running")
    # A state has its run's id: it can then be linked to its run by one update, once both are there.
    state = {"type": kind, "name": name, "message": message, "timestamp": end}
    run.states.append({"id": run_id, "flow_run_id": run_id, **state})
    return {"state_type": kind, "state_name": name, "state_timestamp": end, "end_time": end if ended else None}


async def _write(engine: Any, runs: list[_Run]) -> None:
    def rows(kind: str) -> Iterator[dict[str, Any]]:
        return (row for run in runs for row in getattr(run, kind))

    tables = {"roots": orm.FlowRun, "links": orm.TaskRun, "children": orm.FlowRun, "states": orm.FlowRunState}
    async with engine.begin() as connection:
        for kind, table in {**tables, "notes": orm.Artifact}.items():
            if some := list(rows(kind)):
                await connection.execute(sa.insert(table), some)
        link = sa.update(orm.FlowRun).where(orm.FlowRun.state_id.is_(None)).values(state_id=orm.FlowRun.id)
        await connection.execute(link)
