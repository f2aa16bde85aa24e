"""What Prometheus reads: the runs by state, whether Prefect answers, and the console's own process and answers."""

import asyncio
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, generate_latest

from lib.runs.listing import state_filter
from lib.runs.plan import Workflow
from lib.runs.server import PrefectClient, ServerError, count_flow_runs
from lib.runs.status import RunState

STATES = tuple(state for state in RunState if state is not RunState.SKIPPED)  # runs are not skipped, only phases


class Metrics:
    """The figures of one console; its registry is its own, so that several can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._up = Gauge("regie_prefect_up", "Whether the Prefect server answers.", registry=self.registry)
        self._runs = Gauge("regie_runs", "Runs of the known workflows.", ("state",), registry=self.registry)

    async def read(self, client: PrefectClient, workflows: Mapping[str, Workflow]) -> bytes:
        """Return the figures as they are now, in Prometheus's own text; without those of Prefect when it is away."""
        try:
            counts = await count_runs(client, workflows)
        except ServerError:
            self._up.set(0)
            self._runs.clear()
        else:
            self._up.set(1)
            for state, count in counts.items():
                self._runs.labels(state.value).set(count)
        return generate_latest(self.registry)


async def count_runs(client: PrefectClient, workflows: Mapping[str, Workflow]) -> dict[RunState, int]:
    """Return how many runs of these workflows are in each state; one call for each state, all at the same time."""
    flows = {"name": {"any_": [workflow.flow_name() for workflow in workflows.values()]}}

    async def count(state: RunState) -> int:
        wanted = {"parent_task_run_id": {"is_null_": True}, "state": state_filter([state])}
        return await count_flow_runs(client, flows=flows, flow_runs=wanted)

    return dict(zip(STATES, await asyncio.gather(*map(count, STATES)), strict=True))
