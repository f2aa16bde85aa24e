"""Control over runs: the second half of the adapter to Prefect's API."""

import contextlib
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelling

from lib.runs.reader import read_children

_LEFT_ALONE = (ObjectNotFound, httpx.HTTPError)
"""What must not keep the others from being stopped: one that is gone, a server in trouble."""


def cancel_run(run_id: str) -> None:
    """Ask a run and its children to stop; returns at once. A run that ended or is gone already is left as it is.

    Children first: the server passes a cancellation on to them only once the parent is cancelled, and late.
    """
    root = UUID(run_id)
    runs = [root]
    with get_client(sync_client=True) as client:
        with contextlib.suppress(*_LEFT_ALONE):
            runs = [*(child.id for child in read_children(client, root)), root]
        for each in runs:
            with contextlib.suppress(*_LEFT_ALONE):
                _cancel(client, each)


def _cancel(client: SyncPrefectClient, run_id: UUID) -> None:
    state = client.read_flow_run(run_id).state
    if state is not None and not state.is_final():
        client.set_flow_run_state(run_id, Cancelling())
