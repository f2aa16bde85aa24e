"""The truth about a run, derived from its plan, its children and their progress; pure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from lib.runs.plan import Phase, Workflow, hindrance
from lib.runs.progress import ProgressRecord

PARTIAL = "Partial"
"""Name of the FAILED-type state of a run that failed in part: Prefect has no partial state of its own."""


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


def derive(
    workflow: Workflow,
    root: Observed,
    children: Sequence[Observed],
    now: datetime,
    *,
    chosen: Collection[str] | None = None,
    subject: str = "",
) -> RunStatus:
    """Return the status of a run from what was observed.

    `children` are in any order and may hold several attempts of a phase: the latest per parent link counts. `chosen`
    are the keys of the phases that were asked for; all when None.
    """
    latest = _latest_per_phase(workflow, children)
    phases: list[PhaseStatus] = []
    failed: dict[str, str] = {}
    for phase in workflow.phases:
        child = latest.get(phase.key)
        if child is None:
            status = _absent(phase, root, failed, asked=chosen is None or phase.key in chosen)
        else:
            status = _present(phase, child, root, now)
        if status.state in {RunState.FAILED, RunState.CANCELLED}:
            failed[phase.key] = status.state.value
        elif status.state is RunState.SKIPPED and status.error.startswith("needs"):
            failed[phase.key] = "was skipped"
        phases.append(status)
    return RunStatus(
        run_id=root.run_id,
        workflow=workflow.key,
        subject=subject or root.name,
        state=_overall(root, phases),
        stopping=root.stopping,
        message=root.message,
        progress=_overall_progress(workflow, root, phases),
        counts={state: n for state in RunState if (n := sum(p.state is state for p in phases))},
        started=root.started,
        ended=root.ended if root.state.final else None,
        phases=phases,
    )


def _latest_per_phase(workflow: Workflow, children: Sequence[Observed]) -> Mapping[str, Observed]:
    by_flow = {workflow.flow_name(phase): phase.key for phase in workflow.phases}
    latest: dict[str, Observed] = {}
    attempts: dict[str, int] = {}
    for child in sorted(children, key=lambda each: (each.created is not None, each.created, each.run_id)):
        key = by_flow.get(child.flow)
        if key is None:
            continue
        attempts[key] = attempts.get(key, 0) + 1
        latest[key] = child.model_copy(update={"attempt": max(child.attempt, attempts[key])})
    return latest


def _absent(phase: Phase, root: Observed, failed: Mapping[str, str], *, asked: bool) -> PhaseStatus:
    """A phase without a run of its own: not asked for, hindered by another, not come to yet, or never come to."""
    state, error = RunState.PENDING, ""
    if not asked:
        state, error = RunState.SKIPPED, "not asked for"
    elif why := hindrance(phase, failed):
        state, error = RunState.SKIPPED, why
    elif root.state.final:
        state, error = RunState.SKIPPED, f"the run was {root.state.value} before it"
    return PhaseStatus(
        number=phase.number,
        key=phase.key,
        name=phase.name,
        environment=phase.environment,
        after=phase.after,
        state=state,
        error=error,
    )


def _present(phase: Phase, child: Observed, root: Observed, now: datetime) -> PhaseStatus:
    record = child.progress or ProgressRecord()
    state = child.state
    # A phase that is at work is never at 100: it is only when it has ended.
    percent = 100.0 if state is RunState.COMPLETED else min(record.percent, 100.0 if state.final else 99.9)
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
        progress=max(percent, 0.0),
        item="" if state.final else record.item,
        done=record.done,
        total=record.total,
        failed=record.failed,
        skipped=record.skipped,
        engine=record.engine,
        figures=record.figures,
        error=child.message if state in {RunState.FAILED, RunState.PARTIAL, RunState.CANCELLED} else "",
        attempt=child.attempt,
    )


def _overall(root: Observed, phases: Sequence[PhaseStatus]) -> RunState:
    something_done = any(phase.state in {RunState.COMPLETED, RunState.PARTIAL} for phase in phases)
    if root.state is RunState.FAILED and something_done:
        return RunState.PARTIAL
    return root.state


def _overall_progress(workflow: Workflow, root: Observed, phases: Sequence[PhaseStatus]) -> float:
    """The mean of the phases by weight; skipped ones weigh nothing; 100 only when everything planned completed."""
    weights = {phase.key: phase.weight for phase in workflow.phases}
    counted = [phase for phase in phases if phase.state is not RunState.SKIPPED]
    total = sum(weights[phase.key] for phase in counted)
    if root.state is RunState.COMPLETED:
        return 100.0
    if not total:
        return 0.0
    return min(sum(weights[phase.key] * phase.progress for phase in counted) / total, 99.9)
