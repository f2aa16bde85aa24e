"""The workers of this machine's work pools, all in one process: `python -m deployments.workers ENVIRONMENT…`."""

import sys
from collections.abc import Sequence

import anyio
import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.workers.process import ProcessWorker

from deployments.catalogue import pool_name

SECONDS_BETWEEN_TRIES = 0.2


async def work(environments: Sequence[str]) -> None:
    """Take up the runs of these environments' pools until cancelled; each pool may still have to be made."""
    async with anyio.create_task_group() as together:
        for environment in environments:
            together.start_soon(_work, pool_name(environment))


async def _work(pool: str) -> None:
    async with get_client() as client:
        while True:
            try:
                await client.read_work_pool(pool)
                break
            except (ObjectNotFound, httpx.HTTPError):  # the server is starting
                await anyio.sleep(SECONDS_BETWEEN_TRIES)
    await ProcessWorker(work_pool_name=pool, create_pool_if_not_found=False).start()


if __name__ == "__main__":
    anyio.run(work, sys.argv[1:])
