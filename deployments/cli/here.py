"""Run the flow of a workflow in this process."""

import threading
from typing import TYPE_CHECKING, Any
from uuid import UUID

from deployments.cli.follow import follow
from lib.runs.plan import Workflow
from lib.runs.status import RunStatus
from lib.workflows import workflows

if TYPE_CHECKING:  # Prefect takes seconds to import, and reads where it is at home while it is
    from prefect.client.schemas.objects import FlowRun

    from lib.runs.server import Connection


def create_here(workflow: Workflow, parameters: dict[str, Any]) -> "FlowRun":
    """Make a run of a workflow that no worker takes up."""
    from prefect.client.orchestration import get_client
    from prefect.states import Pending

    from flows.orchestration import load_flow

    with get_client(sync_client=True) as client:
        return client.create_flow_run(
            load_flow(workflow.flow), parameters=parameters, state=Pending(), tags=[workflow.key]
        )


def again_here(run_id: str) -> "FlowRun":
    """Make a run that ended ready to go on in this process, and return it."""
    from prefect.client.orchestration import get_client
    from prefect.states import Pending

    with get_client(sync_client=True) as client:
        client.set_flow_run_state(UUID(run_id), Pending(message="Resumed"), force=True)
        return client.read_flow_run(UUID(run_id))


def run_here(connection: "Connection", workflow: Workflow, run: "FlowRun", *, show: bool) -> RunStatus:
    """Carry out a run in this process, its main thread, while another thread follows it."""
    from prefect.flow_engine import run_flow_sync

    from flows.orchestration import load_flow
    from lib.runs.reader import read_status

    flow = load_flow(workflow.flow)
    follower = threading.Thread(target=follow, args=(connection, str(run.id)), kwargs={"show": show}, daemon=True)
    follower.start()
    run_flow_sync(flow, flow_run=run, parameters=flow.validate_parameters(run.parameters), return_type="state")
    follower.join()
    return connection(read_status, str(run.id), workflows())
