"""Runs in a process of one's own: begun and carried out here, without a worker."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.flow_engine import run_flow_sync
from prefect.states import Pending

from flows.orchestration import load_flow
from lib.runs.family import name_for
from lib.runs.plan import Workflow
from lib.runs.process import place_of


def begin_here(workflow: Workflow, parameters: Mapping[str, Any]) -> str:
    """Make a run of a workflow that no worker will take up, and return its id: `carry_out_here` is to follow."""
    flow = load_flow(workflow.flow)
    with get_client(sync_client=True) as client:
        run = client.create_flow_run(
            flow,
            name=name_for(workflow, parameters),
            parameters=dict(parameters),
            state=Pending(),
            tags=[workflow.key],
        )
        client.update_flow_run(run.id, infrastructure_pid=place_of())
    return str(run.id)


def begin_again_here(run_id: str) -> None:
    """Have a run that ended wait to be carried out in this process."""
    with get_client(sync_client=True) as client:
        client.update_flow_run(UUID(run_id), infrastructure_pid=place_of())
        client.set_flow_run_state(UUID(run_id), Pending(message="Resumed"), force=True)


def carry_out_here(workflow: Workflow, run_id: str) -> None:
    """Carry out a run in this process, in its main thread, from its beginning or from where it ended.

    For a run of `begin_here`, and for one that `lib.runs.control.resume` leaves to a process with StartedByHandError.
    How it ended is in its status.
    """
    flow = load_flow(workflow.flow)
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(UUID(run_id))
    run_flow_sync(flow, flow_run=run, parameters=flow.validate_parameters(run.parameters), return_type="state")
