"""The worker that carries each run out in a process of the virtual environment that its pool names."""

from typing import Any

from anyio.abc import TaskStatus
from prefect.client.schemas.objects import FlowRun
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from deployments.taking_up import TakingUp
from lib.runs.process import place_of


class RegieProcessWorker(TakingUp, ProcessWorker):
    """A process worker that says on which machine a run's process is."""

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: TaskStatus[Any] | None = None,
    ) -> ProcessWorkerResult:
        """Carry a flow run out in a process, to its end."""
        result = await super().run(flow_run, configuration, _WithPlace(task_status) if task_status else None)
        await self.end_unbegun(flow_run)
        return result


class _WithPlace(TaskStatus[Any]):
    """Hands on where a process is, in place of its number alone, which is that of any machine."""

    def __init__(self, told: TaskStatus[Any]) -> None:
        self._told = told

    def started(self, value: Any = None) -> None:
        self._told.started(place_of(value))
