"""How an orchestrator runs the phases of its workflow, whatever the workflow."""

import contextlib
import contextvars
import importlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, ParamSpec

import httpx
from prefect import Flow, State, flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.exceptions import TerminationSignal
from prefect.logging import get_run_logger
from prefect.states import Cancelled, Completed, Failed

from flows.children import Children
from flows.limits import place
from flows.quiet import keep_quiet
from flows.stopping import (
    INLINE,
    SECONDS_TO_END,
    Disowned,
    Stop,
    Stopped,
    is_asked_to_stop,
    leave,
    own_attempt,
    own_run,
    stoppable,
    stopped_as_asked,
)
from lib.errors import InputError, UnavailableError
from lib.runs.plan import Phase, Workflow, hindrance, ready
from lib.runs.process import place_of
from lib.runs.report import PhaseReport
from lib.runs.status import PARTIAL

P = ParamSpec("P")


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


def workflow_flow(
    name: str, run_name: str | Callable[[], str] | None = None
) -> Callable[[Callable[P, State[Any]]], Flow[P, State[Any]]]:
    """Make the flow of a workflow: it ends in order when its run is asked to stop, and its phases with it."""

    def make(orchestrator: Callable[P, State[Any]]) -> Flow[P, State[Any]]:
        # It waits for its phases, so it is given twice the time to end. A retry would run everything again.
        guarded = _guarded(orchestrator, 2 * SECONDS_TO_END)
        return flow(name=name, flow_run_name=run_name, persist_result=False, retries=0)(guarded)

    return make


def phase_flow(workflow: Workflow, key: str) -> Callable[[Callable[P, State[Any]]], Flow[P, State[Any]]]:
    """Make the flow of a phase: it begins when its environment has a place for it, and ends in order when asked to.

    What it cannot do for a reason that a person can act on is its message, no traceback.
    """
    declared = workflow.phase(key)

    def make(phase: Callable[P, State[Any]]) -> Flow[P, State[Any]]:
        @wraps(phase)
        def placed(*args: P.args, **kwargs: P.kwargs) -> State[Any]:
            with place(declared.environment):
                return phase(*args, **kwargs)

        return flow(name=workflow.flow_name(declared), persist_result=False)(_guarded(placed, SECONDS_TO_END))

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
    alone: Callable[[], object] = lambda: None,
    needless: Callable[[Phase], str] | None = None,
) -> list[Ended]:
    """Run the chosen phases of a workflow in their order, those that do not depend on each other at the same time.

    A phase of the orchestrator's own environment, or any with `inline`, is a subflow in this process; another is a
    deployment in the work pool of its environment. All are children of this run. A phase that fails stops only those
    that need it. In a run that is resumed, a phase that had completed is not run again, unless one that it comes after
    is; one that still works elsewhere is waited for.

    Called inside the orchestrator's flow. `alone` is called first, unless such a phase still works; `moved_on` about
    once a second. For a phase that belongs elsewhere but would find nothing to do there, `idle` may give a flow of that
    name that says so here. `needless` says, when a phase's turn comes, why it has nothing to do, or nothing when it
    has: it decides, in a run that is resumed too.
    """
    logger = get_run_logger()
    children = Children(workflow, parameters, subject)
    earlier = children.earlier() if own_attempt() > 1 else {}
    if not any(_works_elsewhere(child) for child in earlier.values()):
        alone()
    pending = list(chosen)
    ended: dict[str, Ended] = {}
    settled = {phase.key for phase in workflow.phases} - {phase.key for phase in chosen}
    failed: dict[str, str] = {}
    begun: set[str] = set()
    working: dict[Future[tuple[State[Any], bool]], Phase] = {}

    def call_for(phase: Phase) -> Callable[[], tuple[State[Any], bool]]:
        """Return what has a phase done, and says how it ended and whether it was begun in this attempt."""
        flow = load_flow(phase.flow) if inline or phase.environment == workflow.environment else idle(phase)
        begin = partial(children.here, phase, flow) if flow else partial(children.elsewhere, phase)
        stale = needless is not None or not begun.isdisjoint(phase.after)
        return partial(_go_on, children, earlier.get(phase.key), begin, stale=stale)

    threads = ThreadPoolExecutor(max_workers=len(workflow.phases), thread_name_prefix="phase")
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
                if needless and _is_settled(earlier.get(phase.key)) and (why := needless(phase)):
                    ended[phase.key] = Ended(phase, "completed", why)
                    settled.add(phase.key)
                    logger.info("%s is not run: %s", phase.name, why)
                    break
                working[threads.submit(contextvars.copy_context().run, call_for(phase))] = phase
            else:
                for call in wait(working, timeout=1, return_when=FIRST_COMPLETED).done:
                    phase = working.pop(call)
                    result, anew = _settle(call, phase)
                    ended[phase.key] = result
                    settled.add(phase.key)
                    if anew:
                        begun.add(phase.key)
                    logger.info("%s %s: %s", phase.name, result.verdict, result.message)
                    if result.verdict == "failed":
                        failed[phase.key] = "failed"
    except BaseException as error:
        asked = isinstance(error, Stopped | KeyboardInterrupt)
        children.stop(asked=not isinstance(error, Disowned) and (asked or _is_asked_to_stop()))
        raise
    finally:
        # A thread that is about to begin a phase in vain may still wait for the server.
        threads.shutdown(wait=False)
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


def _guarded(work: Callable[P, State[Any]], patience: float) -> Callable[P, State[Any]]:
    """Give a flow's function what every one has: a known process, an end in order when asked to, failures in words."""

    @wraps(work)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> State[Any]:
        stop = INLINE.get() or Stop()
        keep_quiet()
        try:
            with stoppable(stop, patience):
                _say_where()
                return work(*args, **kwargs)
        except (InputError, UnavailableError) as error:
            return Failed(message=str(error))
        except Disowned:
            leave()
        except Stopped:
            return stop.state()
        except TerminationSignal:
            if not _is_asked_to_stop():
                raise
            return stopped_as_asked()  # a worker passed on what it was asked in Prefect's UI
        except KeyboardInterrupt:
            return Cancelled(message="Interrupted at the terminal")

    return guarded


def _say_where() -> None:
    """Note the process that works on this run, unless its worker did: a run is known to be dead by its process.

    A phase in the orchestrator's process shares its fate.
    """
    if INLINE.get() is not None:
        return
    context = FlowRunContext.get()
    known = context.flow_run.infrastructure_pid if context and context.flow_run else None
    if known != place_of():
        with contextlib.suppress(httpx.HTTPError), get_client(sync_client=True) as client:
            client.update_flow_run(own_run(), infrastructure_pid=place_of())


def _is_asked_to_stop() -> bool:
    with get_client(sync_client=True) as client:
        return is_asked_to_stop(client, own_run())


def _is_settled(child: FlowRun | None) -> bool:
    """Whether a run is complete without beginning a phase whose child in an earlier attempt was this one."""
    return child is None or (child.state is not None and child.state.is_completed())


def _works_elsewhere(child: FlowRun) -> bool:
    """Whether a child of an earlier attempt goes on in a process of its own; one of this process went with it."""
    return child.deployment_id is not None and child.state is not None and not child.state.is_final()


def _go_on(
    children: Children, earlier: FlowRun | None, begin: Callable[[], State[Any]], *, stale: bool
) -> tuple[State[Any], bool]:
    """Return how a phase ended, and whether it was begun anew for that: always when what it rests on is `stale`."""
    if earlier is not None:
        state = children.follow(earlier) if _works_elsewhere(earlier) else earlier.state
        if state is not None and state.is_completed() and not stale:
            return state, False
    return begin(), True


def _settle(call: "Future[tuple[State[Any], bool]]", phase: Phase) -> tuple[Ended, bool]:
    try:
        state, anew = call.result()
    except Exception as error:  # noqa: BLE001  # whatever a phase raises is that phase's failure, not the run's
        return Ended(phase, "failed", f"{type(error).__name__}: {error}"), True
    if state.is_completed():
        return Ended(phase, "completed", state.message or ""), anew
    message = state.message or state.name or "ended without a word"
    return Ended(phase, "partial" if state.name == PARTIAL else "failed", message), anew
