"""The one adapter between Prefect's API and the status of runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterType,
    FlowFilter,
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import ArtifactSort, FlowRunSort
from prefect.exceptions import ObjectNotFound

from lib.runs.plan import Workflow
from lib.runs.progress import ProgressRecord
from lib.runs.status import PARTIAL, Observed, RunState, RunStatus, derive

PAGE = 200
"""Most rows that Prefect's API gives in one call."""

_STATES = {
    StateType.SCHEDULED: RunState.PENDING,
    StateType.PENDING: RunState.PENDING,
    StateType.RUNNING: RunState.RUNNING,
    StateType.PAUSED: RunState.PAUSED,
    StateType.COMPLETED: RunState.COMPLETED,
    StateType.FAILED: RunState.FAILED,
    StateType.CRASHED: RunState.CRASHED,
    StateType.CANCELLED: RunState.CANCELLED,
    StateType.CANCELLING: RunState.RUNNING,
}


class RunNotFoundError(LookupError):
    """There is no such run of a known workflow."""


@contextmanager
def connected() -> Iterator[SyncPrefectClient]:
    """Give a client of the Prefect server that PREFECT_API_URL names."""
    with get_client(sync_client=True) as client:
        yield client


def run_status(run_id: str, workflows: dict[str, Workflow], client: SyncPrefectClient | None = None) -> RunStatus:
    """Return the status of a run of one of `workflows`, in five calls of Prefect's API and one more per 200 children.

    Raises RunNotFoundError for an id that is not a run, or is a run of something else.
    """
    if client is None:
        with connected() as own:
            return run_status(run_id, workflows, own)
    try:
        root = client.read_flow_run(UUID(run_id))
        workflow = workflows[_flow_names(client, [root])[root.flow_id]]
    except (ValueError, KeyError, ObjectNotFound) as error:
        raise RunNotFoundError(f"There is no run {run_id}.") from error
    children = read_children(client, root.id)
    progress = _progress_of(client, root.id)
    names = _flow_names(client, children)
    observed = [_observe(child, names.get(child.flow_id, ""), progress.get(str(child.id))) for child in children]
    return derive(
        workflow,
        _observe(root, workflow.key, None),
        observed,
        datetime.now(UTC),
        chosen=_chosen(workflow, root.parameters),
        subject=PurePath(str(root.parameters.get(workflow.subject, root.name))).name,
    )


def read_children(client: SyncPrefectClient, root: UUID) -> list[FlowRun]:
    """Return every child of a run, found by the parent link alone."""
    return _pages(
        lambda offset: client.read_flow_runs(
            flow_run_filter=_children_of(root), limit=PAGE, offset=offset, sort=FlowRunSort.EXPECTED_START_TIME_ASC
        )
    )


def _children_of(root: UUID) -> FlowRunFilter:
    return FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[root]))


def _pages(read: Any) -> list[Any]:
    rows: list[Any] = []
    while True:
        page = read(len(rows))
        rows += page
        if len(page) < PAGE:
            return rows


def _progress_of(client: SyncPrefectClient, root: UUID) -> dict[str, ProgressRecord]:
    """Return the latest progress record of each child of a run, by the child's id."""
    artifacts = _pages(
        lambda offset: client.read_artifacts(
            artifact_filter=ArtifactFilter(type=ArtifactFilterType(any_=["progress"])),
            flow_run_filter=_children_of(root),
            sort=ArtifactSort.UPDATED_DESC,
            limit=PAGE,
            offset=offset,
        )
    )
    records: dict[str, ProgressRecord] = {}
    for artifact in artifacts:
        records.setdefault(str(artifact.flow_run_id), ProgressRecord.from_metadata(artifact.metadata_ or {}))
    return records


def _flow_names(client: SyncPrefectClient, runs: list[FlowRun]) -> dict[UUID, str]:
    ids = sorted({run.flow_id for run in runs})
    if not ids:
        return {}
    flows = client.read_flows(flow_filter=FlowFilter.model_validate({"id": {"any_": ids}}), limit=PAGE)
    return {flow.id: flow.name for flow in flows}


def _chosen(workflow: Workflow, parameters: dict[str, Any]) -> set[str] | None:
    only, first, last = (parameters.get(name) for name in ("only", "first", "last"))
    try:
        return {phase.key for phase in workflow.select(only or (), first, last)}
    except (ValueError, TypeError):
        return None


def _observe(run: FlowRun, flow: str, progress: ProgressRecord | None) -> Observed:
    return Observed(
        run_id=str(run.id),
        flow=flow,
        parent=str(run.parent_task_run_id) if run.parent_task_run_id else None,
        name=run.name,
        state=_state_of(run.state),
        stopping=run.state is not None and run.state.type is StateType.CANCELLING,
        message=(run.state.message or "") if run.state else "",
        created=run.created,
        started=run.start_time,
        ended=run.end_time,
        attempt=max(run.run_count, 1),
        progress=progress,
    )


def _state_of(state: State[Any] | None) -> RunState:
    if state is None:
        return RunState.PENDING
    if state.type is StateType.FAILED and state.name == PARTIAL:
        return RunState.PARTIAL
    return _STATES[state.type]
