"""The truth about a run, derived from its plan, its children and their progress; pure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from lib.runs.estimate import Standing, end_of
from lib.runs.past import Durations, PastRun
from lib.runs.plan import Phase, Workflow, hindrance
from lib.runs.progress import ProgressRecord
from lib.runs.weights import fraction_of

PARTIAL = "Partial"
"""Name of the FAILED-type state of a run that failed in part: Prefect has no partial state of its own."""
BEFORE_THE_END = 99.4
"""The most progress of what has not completed, in percent: it is not 100 when it is rounded either."""


class RunState(StrEnum):
    """The states of a run and of a phase."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CRASHED = "crashed"
    """Its process died without a word."""
    CANCELLED = "cancelled"
    SKIPPED = "skipped"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen."""
        return self not in {RunState.PENDING, RunState.RUNNING, RunState.PAUSED}


class Observed(BaseModel):
    """What is known of one flow run: the run itself, or one of its children."""

    run_id: str
    flow: str = Field(description="Name of the flow.")
    parent: str | None = Field(default=None, description="The tracking task run that links it to its parent.")
    name: str = ""
    state: RunState
    stopping: bool = False
    message: str = ""
    created: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    attempt: int = 1
    of_attempt: int = Field(default=0, description="Of a child: which attempt of its run began it; 0: not known.")
    progress: ProgressRecord | None = None


class PhaseStatus(BaseModel):
    """One planned phase of a run."""

    number: int
    key: str
    name: str
    environment: str = ""
    after: tuple[str, ...] = Field(default=(), description="Keys of the phases that end before it starts.")
    state: RunState
    stopping: bool = Field(default=False, description="Whether it was asked to stop and has not ended yet.")
    run_id: str | None = None
    started: datetime | None = None
    ended: datetime | None = None
    duration: float | None = Field(default=None, description="Seconds from start to end, or until now.")
    progress: float = Field(default=0.0, ge=0, le=100)
    item: str = Field(default="", description="The item that is worked on.")
    done: int = 0
    total: int = 0
    failed: int = 0
    skipped: int = 0
    engine: str = ""
    figures: str = Field(default="", description="What was found so far, in words.")
    error: str = Field(default="", description="What went wrong, or why the phase was skipped.")
    attempt: int = 0


class RunStatus(BaseModel):
    """One run of a workflow."""

    run_id: str
    workflow: str
    subject: str
    state: RunState
    stopping: bool = Field(default=False, description="Whether it was asked to stop and has not ended yet.")
    message: str = ""
    attempt: int = Field(default=1, description="How many times the run was started or resumed.")
    progress: float = Field(ge=0, le=100)
    counts: dict[RunState, int] = Field(description="Phases per state.")
    started: datetime | None = None
    ended: datetime | None = None
    estimated_end: datetime | None = Field(default=None, description="None when nothing is known, or it ended.")
    basis: str = Field(
        default="", description="What the estimated end rests on: `median of 12 runs`, `this run's pace`."
    )
    phases: list[PhaseStatus]

    @property
    def over(self) -> bool:
        """Whether nothing works for it any more: a phase in another process may outlive its run."""
        return self.state.final and all(phase.state.final for phase in self.phases)


def derive(
    workflow: Workflow,
    root: Observed,
    children: Sequence[Observed],
    now: datetime,
    *,
    chosen: Collection[str] | None = None,
    subject: str = "",
    past: Sequence[PastRun] = (),
) -> RunStatus:
    """Return the status of a run from what was observed.

    `children` are in any order and may hold several tries of a phase: the latest counts, whatever links it to the run.
    `chosen` are the keys of the phases that were asked for; all when None. `past` are runs that had ended before this
    one started, the same ones at every look at a run: progress rests on them and must not go back.

    In a run that was resumed, what an earlier attempt left counts as it does for the orchestrator: what completed is
    kept, unless something that it comes after is run again; the rest is pending.

    A run that goes on is running, although phases of it failed; those tell so themselves. One that failed is partial
    when something is done. Skipped phases weigh nothing, but for those that only a crash or a cancellation kept the run
    from: such a run stays where it was, and can be resumed.
    """
    tries = _tries(workflow, children)
    phases: list[PhaseStatus] = []
    standings: list[Standing] = []
    failed: dict[str, str] = {}
    hopeless: dict[str, str] = {}
    again: set[str] = set()
    for phase in workflow.phases:
        asked = chosen is None or phase.key in chosen
        made = tries.get(phase.key, [])
        present = [each for each in made if _counts(each, root, stale=not again.isdisjoint(phase.after))]
        why = None if present else "not asked for" if not asked else hindrance(phase, failed)
        if present or (made and root.state.final and not why):
            status = _present(phase, (present or made)[-1], len(made), now)
            if status.state in _NEVER_WELL:
                failed[phase.key] = _NEVER_WELL[status.state]
            if present and status.state is RunState.FAILED:
                hopeless[phase.key] = _NEVER_WELL[status.state]
        else:
            status = _absent(phase, root, why, len(made))
            if why and asked:
                failed[phase.key] = "was skipped"
                if hindrance(phase, hopeless):
                    hopeless[phase.key] = "was skipped"
        if not why and not any(_is_earlier(each, root) for each in present):
            again.add(phase.key)
        phases.append(status)
        if present or asked:
            weighs = bool(present) or phase.key not in hopeless
            standings.append(_standing(phase, present, skipped=why is not None, weighs=weighs))
    durations = Durations(past)
    state = _overall(root, phases)
    end, basis = _end(root, standings, durations, now)
    return RunStatus(
        run_id=root.run_id,
        workflow=workflow.key,
        subject=subject or root.name,
        state=state,
        stopping=root.stopping,
        message=root.message,
        attempt=root.attempt,
        progress=100.0 if state is RunState.COMPLETED else min(100 * fraction_of(standings, durations), BEFORE_THE_END),
        counts={state: n for state in RunState if (n := sum(p.state is state for p in phases))},
        started=root.started,
        ended=root.ended if root.state.final else None,
        estimated_end=end,
        basis=basis,
        phases=phases,
    )


_NEVER_WELL = {
    RunState.FAILED: "failed",
    RunState.CRASHED: "crashed",
    RunState.CANCELLED: "was cancelled",
}
"""How a phase ends without a result that others could work on, in words."""
_WORDS = {
    RunState.COMPLETED: "the run completed without it",
    RunState.PARTIAL: "the run failed before it",
    RunState.FAILED: "the run failed before it",
    RunState.CRASHED: "the run crashed before it",
    RunState.CANCELLED: "the run was cancelled before it",
}
"""Why a phase was never come to, by how its run ended."""


def _tries(workflow: Workflow, children: Sequence[Observed]) -> Mapping[str, list[Observed]]:
    """The children of each phase, the latest last."""
    by_flow = {workflow.flow_name(phase): phase.key for phase in workflow.phases}
    tries: dict[str, list[Observed]] = {}
    for child in sorted(children, key=lambda each: (each.created is not None, each.created, each.run_id)):
        if key := by_flow.get(child.flow):
            tries.setdefault(key, []).append(child)
    return tries


def _is_earlier(child: Observed, root: Observed) -> bool:
    """Whether an earlier attempt of the run began a child."""
    return 0 < child.of_attempt < root.attempt


def _counts(child: Observed, root: Observed, *, stale: bool) -> bool:
    """Whether a child counts in this attempt of its run; `stale`: something that it comes after is run again."""
    if not _is_earlier(child, root) or not child.state.final:
        return True
    return child.state is RunState.COMPLETED and not stale


def _absent(phase: Phase, root: Observed, why: str | None, tries: int) -> PhaseStatus:
    """A phase without a run of its own: skipped (`why`), not come to yet, or never come to."""
    if why is None and root.state.final:
        why = _WORDS.get(root.state, "the run ended before it")
    return PhaseStatus(
        number=phase.number,
        key=phase.key,
        name=phase.name,
        environment=phase.environment,
        after=phase.after,
        state=RunState.SKIPPED if why else RunState.PENDING,
        error=why or "",
        attempt=tries,
    )


def _present(phase: Phase, child: Observed, tries: int, now: datetime) -> PhaseStatus:
    record = child.progress or ProgressRecord()
    state = child.state
    end = child.ended if state.final else now
    return PhaseStatus(
        number=phase.number,
        key=phase.key,
        name=phase.name,
        environment=phase.environment,
        after=phase.after,
        state=state,
        stopping=child.stopping,
        run_id=child.run_id,
        started=child.started,
        ended=child.ended if state.final else None,
        duration=max((end - child.started).total_seconds(), 0.0) if child.started and end else None,
        progress=_percent(child),
        item="" if state.final else record.item,
        done=record.done,
        total=record.total,
        failed=record.failed,
        skipped=record.skipped,
        engine=record.engine,
        figures=record.figures,
        error=child.message if state in {*_NEVER_WELL, RunState.PARTIAL} else "",
        attempt=max(child.attempt, tries),
    )


def _percent(child: Observed) -> float:
    """How far a child is: one that is at work is never at 100, one that completed always is."""
    if child.state is RunState.COMPLETED:
        return 100.0
    percent = child.progress.percent if child.progress else 0.0
    return max(min(percent, 100.0 if child.state.final else BEFORE_THE_END), 0.0)


def _standing(phase: Phase, tries: Sequence[Observed], *, skipped: bool, weighs: bool) -> Standing:
    """Where a phase stands in this attempt of its run, by its tries in it."""
    if not tries:
        return Standing(phase, skipped=skipped, weighs=weighs)
    latest = tries[-1]
    return Standing(
        phase,
        over=latest.state.final,
        started=latest.started,
        ended=latest.ended,
        reached=max(map(_percent, tries)) / 100,
        fraction=_percent(latest) / 100,
        # What was said first stays: weights that rest on it must not change.
        work=next((each.progress.work for each in tries if each.progress), 0.0),
        worked=latest.progress.worked if latest.progress else 0.0,
    )


def _overall(root: Observed, phases: Sequence[PhaseStatus]) -> RunState:
    something_done = any(phase.state in {RunState.COMPLETED, RunState.PARTIAL} for phase in phases)
    if root.state is RunState.FAILED and something_done:
        return RunState.PARTIAL
    return root.state


def _end(
    root: Observed, standings: Sequence[Standing], durations: Durations, now: datetime
) -> tuple[datetime | None, str]:
    """When the run is thought to end: nothing is known of one that waits for somebody, or is being stopped."""
    if root.state is not RunState.RUNNING or root.stopping or root.started is None:
        return None, ""
    return end_of(standings, durations, root.started if root.attempt == 1 else None, now)
