"""Work pools: one per environment, which says how the flow runs of its phases are executed."""

import shlex
from pathlib import Path
from typing import Any

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentUpdate, WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.filters import WorkPoolFilter, WorkPoolFilterName
from prefect.client.schemas.objects import WorkPool
from prefect.workers.process import ProcessWorker

from deployments import environments
from deployments.containers import image_of
from lib.runs.plan import environments_of
from lib.settings import Settings, settings
from lib.workflows import workflows

PAGE = 200
POOL = "regie-"
"""What the names of Régie's work pools begin with."""


def pool_name(environment: str) -> str:
    """Return the name of an environment's work pool."""
    return f"{POOL}{environment}"


def environment_of(pool: str) -> str:
    """Return the environment of a work pool by its name."""
    return pool.removeprefix(POOL)


async def register_pools(client: PrefectClient, root: Path, config: Settings | None = None) -> None:
    """Make or update the work pool of every environment; `root` is the folder of the virtual environments.

    Its type is the profile. A pool of another type is replaced: its deployments and their runs stay (see
    deployments.taking_up), its workers have to be those of the new type.
    """
    config = config or settings()
    pools = {pool.name: pool for pool in await client.read_work_pools(limit=PAGE)}
    for key in environments_of(workflows().values()):
        docker = config.profile == "docker"
        template = docker_template(key, config) if docker else process_template(environments.python(key, root))
        pool = pools.get(pool_name(key))
        if pool is None:
            new = WorkPoolCreate(name=pool_name(key), type=config.profile, base_job_template=template)
            await client.create_work_pool(new)
        elif pool.type != config.profile:
            await _replace(client, pool, config.profile, template)
        elif pool.base_job_template != template:
            await client.update_work_pool(pool.name, WorkPoolUpdate(base_job_template=template))


def process_template(python: Path) -> dict[str, Any]:
    """Return the job template of a process pool whose flow runs are executed by `python`."""
    template = ProcessWorker.get_default_base_job_template()
    template["variables"]["properties"]["command"]["default"] = process_command(python)
    return template


def process_command(python: Path) -> str:
    """Return the command line by which `python` carries out a flow run; it ends with its worker, however that ends."""
    return shlex.join(map(str, [python, "-m", "lib.child", "0", python, "-m", "prefect.engine"]))


def docker_template(environment: str, config: Settings) -> dict[str, Any]:
    """Return the job template of a Docker pool: which image, and what its containers are given.

    What depends on the machine, as folders, user and variables do, is added by the worker that starts a container. So
    is every secret: anybody who reads Prefect's API can read a template.
    """
    from prefect_docker.worker import DockerWorker

    template: dict[str, Any] = DockerWorker.get_default_base_job_template()
    graphics = {"device_requests": [{"count": -1, "capabilities": [["gpu"]]}]}
    defaults = {
        "image": image_of(environment, config),
        "image_pull_policy": config.docker_pull,
        "network_mode": config.docker_network,
        "auto_remove": True,
        # A run ends with its worker, however the worker ends.
        "command": "python -m lib.tether prefect.engine",
        "mem_limit": config.docker_memory.get(environment),
        "container_create_kwargs": graphics if environment in config.docker_gpus else None,
    }
    for name, value in defaults.items():
        if value is not None:
            template["variables"]["properties"][name]["default"] = value
    return template


async def _replace(client: PrefectClient, pool: WorkPool, kind: str, template: dict[str, Any]) -> None:
    """Make a pool anew as one of another type, which Prefect's API does not change."""
    named = WorkPoolFilter(name=WorkPoolFilterName(any_=[pool.name]))
    deployments = await client.read_deployments(work_pool_filter=named, limit=PAGE)
    await client.delete_work_pool(pool.name)
    new = WorkPoolCreate(
        name=pool.name,
        description=pool.description,
        type=kind,
        base_job_template=template,
        is_paused=pool.is_paused,
        concurrency_limit=pool.concurrency_limit,
    )
    await client.create_work_pool(new)
    for deployment in deployments:
        there = {
            "work_pool_name": pool.name,
            "work_queue_name": deployment.work_queue_name,
            # These two have defaults, which Prefect would take where they are not given.
            "tags": deployment.tags,
            "parameter_openapi_schema": deployment.parameter_openapi_schema,
        }
        await client.update_deployment(deployment.id, DeploymentUpdate.model_validate(there))
