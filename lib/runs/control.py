"""Control over runs: the second half of the adapter to Prefect's API."""

import contextlib
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterParentFlowRunId
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelling


def cancel_run(run_id: str) -> None:
    """Ask a run and its children to stop; returns at once. A run that ended or is gone already is left as it is.

    Children first: the server passes a cancellation on to them only once the parent is cancelled, and late.
    """
    with get_client(sync_client=True) as client, contextlib.suppress(ObjectNotFound, httpx.HTTPError):
        parent = FlowRunFilterParentFlowRunId(any_=[UUID(run_id)])
        for child in client.read_flow_runs(flow_run_filter=FlowRunFilter(parent_flow_run_id=parent), limit=200):
            _cancel(client, child.id)
        _cancel(client, UUID(run_id))


def _cancel(client: SyncPrefectClient, run_id: UUID) -> None:
    state = client.read_flow_run(run_id).state
    if state is not None and not state.is_final():
        client.set_flow_run_state(run_id, Cancelling())
