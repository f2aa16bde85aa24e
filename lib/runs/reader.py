"""The status of a run, read from Prefect's server."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterParentFlowRunId
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort

from lib.runs.family import chosen, observe, read_families, subject_of
from lib.runs.past import PastRun
from lib.runs.past_reader import read_past
from lib.runs.plan import Workflow
from lib.runs.server import Connection, PrefectClient, RunRow, connected, flow_names, flow_run, flow_runs
from lib.runs.status import RunState, RunStatus, derive

__all__ = ["RunNotFoundError", "connected", "read_children", "read_status", "run_status"]

PAGE = 200
LATEST = "latest"
"""In place of a run's id: the newest run of a known workflow."""


class RunNotFoundError(LookupError):
    """There is no such run of a known workflow."""


async def read_status(client: PrefectClient, run_id: str, workflows: Mapping[str, Workflow]) -> RunStatus:
    """Return the status of a run of one of `workflows`; `latest` is the newest of them.

    Takes four calls of Prefect's API, and two more per 200 children; the first time in a process also one for the names
    of flows and three for the past that an estimate rests on. Raises RunNotFoundError for an id that
    is not a run, or is a run of something else, and ServerError when the server cannot be asked.
    """
    wanted = await id_of(client, run_id, workflows)

    async def run_and_past() -> tuple[RunRow, Workflow, Sequence[PastRun]]:
        run, workflow = await find_run(client, str(wanted), workflows)
        # A run that completed is at 100 whatever its phases weigh.
        over = observe(run, workflow.key).state is RunState.COMPLETED
        return run, workflow, () if over else await read_past(client, workflow, run)

    (run, workflow, past), families = await asyncio.gather(run_and_past(), read_families(client, [wanted]))
    return derive(
        workflow,
        observe(run, workflow.key),
        families[run.id],
        datetime.now(UTC),
        chosen=chosen(workflow, run),
        subject=subject_of(workflow, run),
        past=past,
    )


def run_status(run_id: str, workflows: Mapping[str, Workflow], connection: Connection | None = None) -> RunStatus:
    """Return the status of a run as `read_status` does, for code that is not asynchronous, in and out of an event loop.

    Who asks again and again opens a connection once and hands it on: `with connected() as connection`.
    """
    with nullcontext(connection) if connection else connected() as asked:
        return asked(read_status, run_id, workflows)


async def id_of(client: PrefectClient, run_id: str, workflows: Mapping[str, Workflow]) -> UUID:
    """Return a run's id as one; `latest` is the newest run that was due. RunNotFoundError for what is none."""
    if run_id != LATEST:
        try:
            return UUID(run_id)
        except ValueError:
            raise RunNotFoundError(f"There is no run {run_id}.") from None
    found = await flow_runs(
        client,
        flow_runs={
            "parent_task_run_id": {"is_null_": True},
            "expected_start_time": {"before_": datetime.now(UTC).isoformat()},
        },
        flows={"name": {"any_": [workflow.flow_name() for workflow in workflows.values()]}},
        sort="EXPECTED_START_TIME_DESC",
        limit=1,
    )
    if not found:
        raise RunNotFoundError("There is no run yet.")
    return found[0].id


async def find_run(client: PrefectClient, run_id: str, workflows: Mapping[str, Workflow]) -> tuple[RunRow, Workflow]:
    """Return a run and its workflow; RunNotFoundError as in `read_status`."""
    run = await flow_run(client, await id_of(client, run_id, workflows))
    if run is not None and run.parent_task_run_id is None:
        name = (await flow_names(client, [run.flow_id])).get(run.flow_id)
        for workflow in workflows.values():
            if workflow.flow_name() == name:
                return run, workflow
    raise RunNotFoundError(f"There is no run {run_id}.")


def read_children(client: SyncPrefectClient, root: UUID) -> list[FlowRun]:
    """Return every child of a run, found by the parent link alone."""
    children: list[FlowRun] = []
    while True:
        page = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[root])),
            limit=PAGE,
            offset=len(children),
            sort=FlowRunSort.EXPECTED_START_TIME_ASC,
        )
        children += page
        if len(page) < PAGE:
            return children
