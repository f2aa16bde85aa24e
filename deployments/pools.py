"""Work pools: one per environment, which says how the flow runs of its phases are executed."""

import shlex
from pathlib import Path
from typing import Any

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.workers.process import ProcessWorker

from deployments import environments
from lib.runs.plan import environments_of
from lib.workflows import workflows


def pool_name(environment: str) -> str:
    """Return the name of an environment's work pool."""
    return f"regie-{environment}"


async def register_pools(client: PrefectClient, root: Path) -> None:
    """Make or update the work pool of every environment; `root` is the folder of the virtual environments."""
    pools = {pool.name: pool.base_job_template for pool in await client.read_work_pools()}
    for key in environments_of(workflows().values()):
        template = process_template(environments.python(key, root))
        if pool_name(key) not in pools:
            new = WorkPoolCreate(name=pool_name(key), type="process", base_job_template=template)
            await client.create_work_pool(new)
        elif pools[pool_name(key)] != template:
            await client.update_work_pool(pool_name(key), WorkPoolUpdate(base_job_template=template))


def process_template(python: Path) -> dict[str, Any]:
    """Return the job template of a process pool whose flow runs are executed by `python`."""
    template = ProcessWorker.get_default_base_job_template()
    # A run ends with its worker, however the worker ends.
    command = [python, "-m", "lib.child", "0", python, "-m", "prefect.engine"]
    template["variables"]["properties"]["command"]["default"] = shlex.join(map(str, command))
    return template
