"""The workers of this machine's work pools, all in one process: `python -m deployments.workers ENVIRONMENT…`."""

import sys
from collections.abc import Sequence
from typing import Any

import anyio
import httpx
from anyio.abc import TaskStatus
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from deployments.pools import pool_name
from lib.runs.process import place_of

SECONDS_BETWEEN_TRIES = 0.2


class Worker(ProcessWorker):
    """A process worker that says on which machine a run's process is, and ends what was stopped before it began."""

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: TaskStatus[Any] | None = None,
    ) -> ProcessWorkerResult:
        """Execute a flow run in a process, to its end."""
        result = await super().run(flow_run, configuration, _WithPlace(task_status) if task_status else None)
        state = (await self.client.read_flow_run(flow_run.id)).state
        # A flow ends its own run, unless it was asked to stop before it had begun.
        if state is not None and state.is_cancelling():
            await self.client.set_flow_run_state(flow_run.id, Cancelled(message="Stopped before it began"))
        return result

    @classmethod
    def __dispatch_key__(cls) -> str:
        """Keep Prefect from taking it for the one worker of its type."""
        return f"regie-{cls.type}"


class _WithPlace(TaskStatus[Any]):
    """Hands on where a process is, in place of its number alone, which is that of any machine."""

    def __init__(self, told: TaskStatus[Any]) -> None:
        self._told = told

    def started(self, value: Any = None) -> None:
        self._told.started(place_of(value))


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
    # Named after its process: a run that it took and did not begin is known to be lost when that is gone.
    await Worker(work_pool_name=pool, name=place_of(), create_pool_if_not_found=False).start()


if __name__ == "__main__":
    anyio.run(work, sys.argv[1:])
