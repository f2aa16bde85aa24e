"""How an orchestrator runs the phases of its workflow, whatever the workflow."""

import contextvars
import importlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, ParamSpec, cast

from prefect import Flow, State, flow, tags
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.logging import get_run_logger
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from prefect.states import Completed, Failed

from lib.errors import InputError, UnavailableError
from lib.runs.plan import Phase, Workflow, hindrance, ready
from lib.runs.report import PhaseReport
from lib.runs.status import PARTIAL

P = ParamSpec("P")
DEPLOYMENT = "regie"
"""Name of every deployment: a flow has one."""
POLL_SECONDS = 0.25
"""How often a phase elsewhere is looked at: its end is noticed this late."""
_ONE_AT_A_TIME = threading.Lock()
"""Two children made at once collide in SQLite, and Prefect's client tries again only 2 s later."""


@dataclass(frozen=True)
class Ended:
    """How a phase ended."""

    phase: Phase
    verdict: str
    """`completed`, `partial` or `failed`."""
    message: str


def load_flow(entrypoint: str) -> Flow[..., Any]:
    """Return the flow at `package.module:function`."""
    module, _, name = entrypoint.partition(":")
    found = getattr(importlib.import_module(module), name)
    if not isinstance(found, Flow):
        raise TypeError(f"{entrypoint} is not a flow")
    return found


def phase_flow(name: str) -> Callable[[Callable[P, State[Any]]], Flow[P, State[Any]]]:
    """Make a flow of a phase: what it cannot do for a reason that a person can act on is its message, no traceback."""

    def make(phase: Callable[P, State[Any]]) -> Flow[P, State[Any]]:
        @wraps(phase)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> State[Any]:
            try:
                return phase(*args, **kwargs)
            except (InputError, UnavailableError) as error:
                return Failed(message=str(error))

        return flow(name=name, persist_result=False)(guarded)

    return make


def conclude(report: PhaseReport) -> State[Any]:
    """Return the final state of a phase: completed, partial or failed, with its report in one line."""
    if report.verdict == "completed":
        return Completed(message=report.sentence())
    return Failed(message=report.sentence(), name=PARTIAL if report.verdict == "partial" else None)


def run_phases(
    workflow: Workflow,
    chosen: Sequence[Phase],
    parameters: Mapping[str, Any],
    *,
    inline: bool,
    subject: str,
    moved_on: Callable[[], None] = lambda: None,
    idle: Callable[[Phase], Flow[..., Any] | None] = lambda _phase: None,
) -> list[Ended]:
    """Run the chosen phases of a workflow in their order, those that do not depend on each other at the same time.

    A phase of the orchestrator's own environment, or any with `inline`, is a subflow in this process; another is a
    deployment in the work pool of its environment. All are children of this run. A phase that fails stops only those
    that need it. Called inside the orchestrator's flow; `moved_on` is called about once a second. For a phase
    that belongs elsewhere but would find nothing to do there, `idle` may give a flow of that name that says so here.
    """
    logger = get_run_logger()
    stop = threading.Event()
    pending = list(chosen)
    ended: dict[str, Ended] = {}
    settled = {phase.key for phase in workflow.phases} - {phase.key for phase in chosen}
    failed: dict[str, str] = {}
    working: dict[Future[Ended], Phase] = {}

    with ThreadPoolExecutor(max_workers=len(workflow.phases), thread_name_prefix="phase") as threads:
        try:
            while pending or working:
                moved_on()
                for phase in ready(pending, settled):
                    pending.remove(phase)
                    if why := hindrance(phase, failed):
                        logger.warning("%s is skipped: it %s", phase.name, why)
                        failed[phase.key] = "was skipped"
                        settled.add(phase.key)
                        break
                    here = inline or phase.environment == workflow.environment
                    flow = load_flow(phase.flow) if here else idle(phase)
                    start = partial(_inline, flow=flow) if flow else partial(_deployed, stop=stop)
                    context = contextvars.copy_context()
                    call = threads.submit(context.run, start, workflow, phase, dict(parameters), subject)
                    working[call] = phase
                else:
                    for call in wait(working, timeout=1, return_when=FIRST_COMPLETED).done:
                        phase = working.pop(call)
                        result = ended[phase.key] = _settle(call, phase)
                        settled.add(phase.key)
                        logger.info("%s %s: %s", phase.name, result.verdict, result.message)
                        if result.verdict == "failed":
                            failed[phase.key] = "failed"
        except BaseException:
            stop.set()
            raise
    return [ended[phase.key] for phase in chosen if phase.key in ended]


def verdict(chosen: Sequence[Phase], ended: Sequence[Ended]) -> State[Any]:
    """Return the final state of a run from the ends of its phases: completed, failed, or partial between."""
    troubled = [end for end in ended if end.verdict != "completed"]
    if not troubled and len(ended) == len(chosen):
        return Completed(message=f"{len(ended)} phase{'s' * (len(ended) > 1)} completed")
    words = "; ".join(f"{end.phase.name} {end.verdict}: {end.message}" for end in troubled)
    if any(end.verdict in {"completed", "partial"} for end in ended):
        return Failed(message=words, name=PARTIAL)
    return Failed(message=words)


def _settle(call: "Future[Ended]", phase: Phase) -> Ended:
    try:
        return call.result()
    except Exception as error:  # noqa: BLE001  # whatever a phase raises is that phase's failure, not the run's
        return Ended(phase, "failed", f"{type(error).__name__}: {error}")


def _run_name(phase: Phase, subject: str) -> str:
    return f"{phase.number} {phase.name} · {subject}"


def _inline(workflow: Workflow, phase: Phase, parameters: dict[str, Any], subject: str, flow: Flow[..., Any]) -> Ended:
    named = flow.with_options(flow_run_name=_run_name(phase, subject).replace("{", "{{").replace("}", "}}"))
    # The orchestrator's own heartbeat speaks for its process; one more would hold up each phase's end by a second.
    with tags(workflow.key, phase.key), temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        state: State[Any] = cast(Any, named)(**parameters, return_state=True)
    return _ended(phase, state)


def _deployed(
    workflow: Workflow, phase: Phase, parameters: dict[str, Any], subject: str, stop: threading.Event
) -> Ended:
    with _ONE_AT_A_TIME:
        run = _create(workflow, phase, parameters, subject)
    get_run_logger().info("%s runs in the work pool of %s", phase.name, phase.environment)
    with get_client(sync_client=True) as client:
        while not stop.is_set():
            run = client.read_flow_run(run.id)
            state = run.state
            if state is not None and state.is_final():
                return _ended(phase, state)
            time.sleep(POLL_SECONDS)
    return Ended(phase, "failed", "the run was stopped")


def _create(workflow: Workflow, phase: Phase, parameters: dict[str, Any], subject: str) -> FlowRun:
    return run_deployment(  # type: ignore[return-value]  # outside an event loop this call does not return a coroutine
        f"{workflow.flow_name(phase)}/{DEPLOYMENT}",
        parameters=parameters,
        flow_run_name=_run_name(phase, subject),
        tags=[workflow.key, phase.key],
        timeout=0,
        as_subflow=True,
    )


def _ended(phase: Phase, state: State[Any]) -> Ended:
    if state.is_completed():
        return Ended(phase, "completed", state.message or "")
    message = state.message or state.name or "ended without a word"
    return Ended(phase, "partial" if state.name == PARTIAL else "failed", message)
