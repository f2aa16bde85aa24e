"""Which runs a worker of Régie takes up, whatever it carries them out in, and how those end that never began."""

import contextlib
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import WorkerFlowRunResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled
from prefect.workers.base import BaseWorker

from flows.limits import lease_of
from lib.runs.process import host_name, host_of

SECONDS_BETWEEN_LOOKS = 5.0
"""How often a worker looks for runs whose queue went with a work pool that was replaced."""
PAGE = 200

if TYPE_CHECKING:
    _Worker = BaseWorker[Any, Any, Any]
else:
    _Worker = object


class TakingUp(_Worker):
    """What Régie's workers have in common, beside the class of Prefect's that carries runs out."""

    _looked = float("-inf")

    async def _get_scheduled_flow_runs(self) -> list[WorkerFlowRunResponse]:
        """Return the runs that are due: of a pool that was replaced by one of another profile, none."""
        if self.work_pool.type != self.type:
            return []
        found = await super()._get_scheduled_flow_runs()
        if time.monotonic() - self._looked >= SECONDS_BETWEEN_LOOKS:
            self._looked = time.monotonic()
            found += await self._left_without_a_queue()
        return found

    async def _left_without_a_queue(self) -> list[WorkerFlowRunResponse]:
        """Return the runs that are due in no queue: made for, or resumed after, a pool that was replaced by this one.

        Prefect ties a run to a queue once, when it is made, and its API ties it to no other.
        """
        soon = datetime.now(UTC) + timedelta(seconds=self._prefetch_seconds)
        due = {"state": {"type": {"any_": ["SCHEDULED"]}}, "next_scheduled_start_time": {"before_": soon}}
        runs = await self.client.read_flow_runs(
            flow_run_filter=FlowRunFilter.model_validate(due), sort=FlowRunSort.EXPECTED_START_TIME_ASC, limit=PAGE
        )
        left = [run for run in runs if run.work_queue_id is None and await self._is_of_this_pool(run)]
        if not left or (pool := await self.client.read_work_pool(self.work_pool.name)).is_paused:
            return []
        return [
            WorkerFlowRunResponse(work_pool_id=pool.id, work_queue_id=pool.default_queue_id, flow_run=run)
            for run in left
        ]

    async def _is_of_this_pool(self, run: FlowRun) -> bool:
        if run.deployment_id is None:
            return False
        try:
            deployment = await self.client.read_deployment(run.deployment_id)
        except ObjectNotFound:
            return False
        return deployment.work_pool_name == self.work_pool.name

    async def end_unbegun(self, flow_run: FlowRun) -> None:
        """Cancel a run whose process or container has ended when it was asked to stop before its flow had begun.

        A flow that has begun ends its own run.
        """
        run = await self.client.read_flow_run(flow_run.id)
        if run.state is not None and run.state.is_cancelling() and _is_here(run):
            await self.client.set_flow_run_state(flow_run.id, Cancelled(message="Stopped before it began"))

    async def _propose_crashed_state(
        self, flow_run: FlowRun, message: str, client: PrefectClient | None = None
    ) -> None:
        """Say that a run's process broke down, unless another machine has taken the run up meanwhile."""
        asked = client or self.client
        with contextlib.suppress(ObjectNotFound):
            run = await asked.read_flow_run(flow_run.id)
            if _is_here(run):
                await super()._propose_crashed_state(flow_run, message, client)
                if lease := lease_of(run):
                    await asked.release_concurrency_slots_with_lease(lease)

    @classmethod
    def __dispatch_key__(cls) -> str:
        """Keep Prefect from taking it for the one worker of its type."""
        return f"regie-{cls.type}"


def _is_here(run: FlowRun) -> bool:
    """Whether a run is on this machine, or on none yet."""
    return host_of(run.infrastructure_pid) in {"", host_name()}
