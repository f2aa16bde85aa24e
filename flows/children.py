"""The phases of a run as its children: begun in this process or elsewhere, followed, stopped, found again."""

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, cast
from uuid import uuid4

from prefect import Flow, State, Task
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.flow_engine import run_flow_sync
from prefect.logging import get_run_logger
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from prefect.states import Cancelling, Pending

from flows.stopping import INLINE, SECONDS_TO_END, End, Stop, own_attempt, own_run, stopped_as_asked, told_to_end
from lib.runs.control import DEPLOYMENT, STOPPING
from lib.runs.family import ATTEMPT_TAG, TAG
from lib.runs.plan import Phase, Workflow
from lib.runs.reader import read_children

POLL_SECONDS = 0.25
"""How often a phase elsewhere is looked at: its end is noticed this late."""
SECONDS_FOR_OTHERS_TO_END = SECONDS_TO_END + 2
"""How long the phases elsewhere are waited for once they are asked to stop."""
_ONE_AT_A_TIME = threading.Lock()
"""Two children made at once collide in SQLite, and Prefect's client tries again only 2 s later."""


class Children:
    """The children of the flow run that this is made in, for each phase one per attempt, by Prefect's parent link.

    Their methods that begin or follow a phase block until it has ended, each in a thread of its own.
    """

    def __init__(self, workflow: Workflow, parameters: Mapping[str, Any], subject: str) -> None:
        self._workflow = workflow
        self._parameters = dict(parameters)
        self._subject = subject
        self._run_id = own_run()
        self._attempt = own_attempt()
        self._here: list[Stop] = []
        self._stopped = threading.Event()
        self._end: End = stopped_as_asked
        self._asked = False
        self._at_work = 0
        self._changed = threading.Condition()

    def earlier(self) -> dict[str, FlowRun]:
        """Return the latest child of each phase that an earlier attempt at this run began, by the phase's key."""
        flows = {self._workflow.flow_name(phase): phase.key for phase in self._workflow.phases}
        with get_client(sync_client=True) as client:
            named = client.read_flows(flow_filter=FlowFilter(name=FlowFilterName(any_=list(flows))))
            keys = {flow.id: flows[flow.name] for flow in named}
            children = [child for child in read_children(client, self._run_id) if child.flow_id in keys]
        return {keys[child.flow_id]: child for child in sorted(children, key=_age)}

    def here(self, phase: Phase, flow: Flow[..., Any]) -> State[Any]:
        """Run a phase in this process: its flow as a subflow."""
        with _ONE_AT_A_TIME, get_client(sync_client=True) as client:
            if self._stopped.is_set():
                return self._end()
            run = self._create_here(client, phase, flow)
        INLINE.set(stop := Stop())
        self._here.append(stop)
        # The orchestrator's own heartbeat speaks for its process; one more would hold up each phase's end by a second.
        with self._working(), temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            if self._stopped.is_set():
                stop.ask(self._end)
            state = run_flow_sync(flow, flow_run=run, parameters=self._parameters, return_type="state")
        return cast(State[Any], state)

    def elsewhere(self, phase: Phase) -> State[Any]:
        """Run a phase as a deployment in the work pool of its environment."""
        with _ONE_AT_A_TIME:
            if self._stopped.is_set():
                return self._end()
            run = self._create_elsewhere(phase)
        get_run_logger().info("%s runs in the work pool of %s", phase.name, phase.environment)
        return self.follow(run)

    def follow(self, run: FlowRun) -> State[Any]:
        """Wait for the end of a child that works elsewhere, whichever attempt began it."""
        deadline = float("inf")
        with self._working(), get_client(sync_client=True) as client:
            while time.monotonic() < deadline:
                state = client.read_flow_run(run.id).state
                if state is not None and state.is_final():
                    return state
                if not self._stopped.is_set():
                    self._stopped.wait(POLL_SECONDS)
                elif not self._asked:
                    break
                elif deadline == float("inf"):
                    deadline = time.monotonic() + SECONDS_FOR_OTHERS_TO_END
                    if state is None or not state.is_cancelling():
                        asking: State[Any] = Cancelling(name=STOPPING, message="Asked to stop")
                        client.set_flow_run_state(run.id, asking)
                else:
                    time.sleep(POLL_SECONDS)
        return self._end()

    def stop(self, *, asked: bool) -> None:
        """Begin no other phase, have those of this process end, and with `asked` those elsewhere; wait until they have.

        When only this process is told to end, those elsewhere go on: the run finds them again when it is resumed.
        """
        self._asked = asked
        self._end = stopped_as_asked if asked else told_to_end
        self._stopped.set()
        for stop in list(self._here):
            stop.ask(self._end)
        with self._changed:
            self._changed.wait_for(lambda: not self._at_work)

    @contextlib.contextmanager
    def _working(self) -> Iterator[None]:
        with self._changed:
            self._at_work += 1
        try:
            yield
        finally:
            with self._changed:
                self._at_work -= 1
                self._changed.notify_all()

    def _create_here(self, client: SyncPrefectClient, phase: Phase, flow: Flow[..., Any]) -> FlowRun:
        """Make a child by hand: Prefect would take up the one that an earlier attempt left under the same link."""
        link = client.create_task_run(
            task=Task(flow.fn, name=flow.name), flow_run_id=self._run_id, dynamic_key=str(uuid4()), state=Pending()
        )
        return client.create_flow_run(
            flow,
            name=self._name(phase),
            parameters=flow.serialize_parameters(self._parameters),
            parent_task_run_id=link.id,
            state=Pending(),
            tags=self._tags(phase),
        )

    def _create_elsewhere(self, phase: Phase) -> FlowRun:
        return run_deployment(  # type: ignore[return-value]  # outside an event loop it does not return a coroutine
            f"{self._workflow.flow_name(phase)}/{DEPLOYMENT}",
            parameters=self._parameters,
            flow_run_name=self._name(phase),
            tags=self._tags(phase),
            timeout=0,
            as_subflow=True,
        )

    def _name(self, phase: Phase) -> str:
        return f"{phase.number} {phase.name} · {self._subject}"

    def _tags(self, phase: Phase) -> list[str]:
        return [self._workflow.key, phase.key, f"{TAG}{self._run_id}", f"{ATTEMPT_TAG}{self._attempt}"]


def _age(child: FlowRun) -> tuple[Any, ...]:
    return (child.created is not None, child.created, child.id)
