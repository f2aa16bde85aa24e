"""Work pools and deployments, made from the declared workflows."""

import shlex
from pathlib import Path
from typing import Any

import anyio
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import WorkPool
from prefect.exceptions import ObjectAlreadyExists
from prefect.utilities.callables import parameter_schema
from prefect.workers.process import ProcessWorker

from deployments import environments
from flows.orchestration import DEPLOYMENT, load_flow
from lib.runs.plan import environments_of
from lib.workflows import WORKFLOWS


def pool_name(environment: str) -> str:
    """Return the name of an environment's work pool."""
    return f"regie-{environment}"


async def register(root: Path) -> None:
    """Make or update the work pools and the deployments of every workflow on the server that PREFECT_API_URL names.

    `root` is the folder of the virtual environments.
    """
    async with get_client() as client, anyio.create_task_group() as together:
        for key in environments_of(WORKFLOWS.values()):
            await _make_pool(client, key, root)
        for workflow in WORKFLOWS.values():
            together.start_soon(_deploy, client, workflow.flow, workflow.environment)
            for phase in workflow.phases:
                together.start_soon(_deploy, client, phase.flow, phase.environment)


async def _make_pool(client: PrefectClient, key: str, root: Path) -> WorkPool | None:
    template = process_template(environments.python(key, root))
    try:
        pool = WorkPoolCreate(name=pool_name(key), type="process", base_job_template=template)
        return await client.create_work_pool(pool)
    except ObjectAlreadyExists:
        await client.update_work_pool(pool_name(key), WorkPoolUpdate(base_job_template=template))
        return None


def process_template(python: Path) -> dict[str, Any]:
    """Return the job template of a process pool whose flow runs are executed by `python`."""
    template = ProcessWorker.get_default_base_job_template()
    # A run ends with its worker, however the worker ends.
    command = [python, "-m", "deployments.child", "0", python, "-m", "prefect.engine"]
    template["variables"]["properties"]["command"]["default"] = shlex.join(map(str, command))
    return template


async def _deploy(client: PrefectClient, entrypoint: str, environment: str) -> None:
    flow = load_flow(entrypoint)
    flow_id = await client.create_flow_from_name(flow.name)
    await client.create_deployment(
        flow_id=flow_id,
        name=DEPLOYMENT,
        entrypoint=entrypoint.replace(":", "."),
        work_pool_name=pool_name(environment),
        description=flow.description,
        tags=["regie"],
        parameter_openapi_schema=parameter_schema(flow).model_dump_for_openapi(),
        enforce_parameter_schema=True,
    )
