"""The worker that carries each run out in a process of the virtual environment that its pool names."""

from typing import Any

from anyio.abc import TaskStatus
from prefect.client.schemas.objects import FlowRun
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from deployments.environments import python_here
from deployments.pools import environment_of, process_command
from deployments.taking_up import TakingUp
from lib.runs.process import place_of
from lib.settings import settings


class RegieProcessWorker(TakingUp, ProcessWorker):
    """A process worker that says on which machine a run's process is."""

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: TaskStatus[Any] | None = None,
    ) -> ProcessWorkerResult:
        """Carry a flow run out in a process, to its end."""
        # The pool names the Python of the machine that made it.
        python = python_here(environment_of(self._work_pool_name), settings().environments)
        configuration.command = process_command(python)
        result = await super().run(flow_run, configuration, _WithPlace(task_status) if task_status else None)
        await self.end_unbegun(flow_run)
        return result


class _WithPlace(TaskStatus[Any]):
    """Hands on where a process is, in place of its number alone, which is that of any machine."""

    def __init__(self, told: TaskStatus[Any]) -> None:
        self._told = told

    def started(self, value: Any = None) -> None:
        self._told.started(place_of(value))
