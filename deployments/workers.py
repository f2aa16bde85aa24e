"""The workers of this machine's work pools, all in one process: `python -m deployments.workers ENVIRONMENT…`."""

import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio
import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.exceptions import ObjectNotFound

from deployments.pools import pool_name
from lib.runs.process import place_of
from lib.settings import settings

if TYPE_CHECKING:
    from deployments.docker_worker import RegieDockerWorker
    from deployments.process_worker import RegieProcessWorker

SECONDS_BETWEEN_TRIES = 0.2


async def work(environments: Sequence[str]) -> None:
    """Take up the runs of these environments' pools until cancelled; each pool may still have to be made."""
    kind = _worker()
    async with anyio.create_task_group() as together:
        if settings().profile == "docker":
            _remove_left()
            together.start_soon(_end_in_order, together.cancel_scope)
        for environment in environments:
            together.start_soon(_work, kind, pool_name(environment))


def _worker() -> "type[RegieDockerWorker | RegieProcessWorker]":
    """Return the kind of worker that the profile asks for."""
    if settings().profile == "docker":
        from deployments.docker_worker import RegieDockerWorker

        return RegieDockerWorker
    from deployments.process_worker import RegieProcessWorker

    return RegieProcessWorker


async def _work(kind: "type[RegieDockerWorker | RegieProcessWorker]", pool: str) -> None:
    async with get_client() as client:
        while not await _is_there(client, pool, kind.type):
            await anyio.sleep(SECONDS_BETWEEN_TRIES)
    # Named after its process: a run that it took and did not begin is known to be lost when that is gone.
    limit = settings().worker_limit
    await kind(work_pool_name=pool, name=place_of(), create_pool_if_not_found=False, limit=limit).start()


async def _is_there(client: PrefectClient, pool: str, kind: str) -> bool:
    """Whether a pool is there, and of this type: one of another profile is about to be replaced."""
    try:
        return (await client.read_work_pool(pool)).type == kind
    except (ObjectNotFound, httpx.HTTPError):  # the server is starting
        return False


async def _end_in_order(scope: anyio.CancelScope) -> None:
    """Have containers told to end before the workers do, which nobody else would: they are no processes of ours."""
    with anyio.open_signal_receiver(signal.SIGTERM) as signals:
        async for _signal in signals:
            scope.cancel()


def _remove_left() -> None:
    from deployments.watch import is_alive
    from lib.containers import remove_left

    for name in remove_left(is_alive):
        print(f"Removed the container {name}, whose worker is gone", flush=True)


if __name__ == "__main__":
    anyio.run(work, sys.argv[1:])
