"""The workers of this machine's work pools, all in one process: `python -m deployments.workers ENVIRONMENT…`."""

import sys
from collections.abc import Sequence

import anyio
from prefect.workers.process import ProcessWorker

from deployments.catalogue import pool_name


async def work(environments: Sequence[str]) -> None:
    """Take up the runs of these environments' pools until cancelled."""
    async with anyio.create_task_group() as together:
        for environment in environments:
            worker = ProcessWorker(work_pool_name=pool_name(environment), create_pool_if_not_found=False)
            together.start_soon(worker.start)


if __name__ == "__main__":
    anyio.run(work, sys.argv[1:])
