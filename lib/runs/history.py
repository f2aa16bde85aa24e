"""How long the phases and the runs of a workflow took, and whether that changes; pure."""

import statistics
from collections.abc import Sequence
from datetime import datetime
from itertools import combinations

from pydantic import BaseModel, Field

from lib.runs.past import PastPhase, PastRun
from lib.runs.plan import Workflow
from lib.runs.status import Observed, RunState

LEAST_FOR_A_TREND = 5
"""Of fewer durations a slope says nothing: two unlike inputs make one."""


class DurationStats(BaseModel):
    """What past durations come to."""

    runs: int = Field(default=0, description="How many durations there are.")
    median: float | None = Field(default=None, description="Seconds; None without any.")
    p95: float | None = Field(default=None, description="Seconds; 95 of 100 took no longer.")
    trend: float | None = Field(
        default=None,
        description="By what part of the median they grew from the oldest to the newest, along the Theil–Sen line (the "
        "median of the slopes between every two): 0.1 is slower by a tenth, -0.1 faster. Of the time per unit of work "
        "where the work of all is known. None of fewer than five.",
    )
    seconds: list[float] = Field(default_factory=list, description="The durations, the oldest first.")


class PhaseStats(DurationStats):
    """The past durations of one phase."""

    number: int
    key: str
    name: str


class History(BaseModel):
    """How long a workflow took in its newest runs that ended."""

    workflow: str
    first: datetime | None = Field(default=None, description="When the oldest of these runs ended.")
    last: datetime | None = Field(default=None, description="When the newest of these runs ended.")
    whole: DurationStats = Field(
        description="Of the runs in which every phase worked and completed, at the first attempt."
    )
    phases: list[PhaseStats]


def past_run(workflow: Workflow, root: Observed, children: Sequence[Observed]) -> PastRun | None:
    """Return what a run that ended tells about durations; None when no phase of it does.

    Of a phase that ran several times its last run counts.
    """
    if root.ended is None:
        return None
    keys = {workflow.flow_name(phase): phase.key for phase in workflow.phases}
    latest: dict[str, Observed] = {}
    for child in sorted(children, key=lambda each: (each.created is not None, each.created, each.run_id)):
        if child.flow in keys:
            latest[keys[child.flow]] = child
    phases: dict[str, PastPhase] = {}
    for phase in workflow.phases:
        mine = latest.get(phase.key)
        if mine is None or mine.state is not RunState.COMPLETED or mine.started is None or mine.ended is None:
            continue
        ends = [latest[key].ended for key in phase.after if key in latest]
        could_start = max((end for end in (root.started, *ends) if end is not None), default=mine.started)
        phases[phase.key] = PastPhase(
            seconds=_between(mine.started, mine.ended),
            # A run that was resumed lay still for as long as nobody resumed it: that is no waiting of the phase's.
            waited=_between(could_start, mine.started) if root.attempt == 1 else 0.0,
            work=mine.progress.work if mine.progress else 0.0,
            worked=mine.progress.worked if mine.progress else 0.0,
        )
    if not phases:
        return None
    last = max(child.ended for child in latest.values() if child.ended is not None)
    return PastRun(run_id=root.run_id, ended=root.ended, closing=_between(last, root.ended), phases=phases)


def history_of(workflow: Workflow, pasts: Sequence[PastRun], whole: Sequence[float]) -> History:
    """Return how long a workflow's phases took in its past runs, and its `whole` runs; both oldest first.

    A phase that found everything done already says nothing of how long it takes, and is left out.
    """
    ends = [past.ended for past in pasts]
    phases = []
    for phase in workflow.phases:
        found = [
            past.phases[phase.key] for past in pasts if phase.key in past.phases and at_work(past.phases[phase.key])
        ]
        rates = [each.seconds / each.worked for each in found if each.worked]
        figures = durations([each.seconds for each in found], rates if len(rates) == len(found) else None)
        phases.append(PhaseStats(number=phase.number, key=phase.key, name=phase.name, **figures.model_dump()))
    return History(
        workflow=workflow.key,
        first=min(ends, default=None),
        last=max(ends, default=None),
        whole=durations(whole),
        phases=phases,
    )


def at_work(phase: PastPhase) -> bool:
    """Say whether a phase did something, and did not find everything done already."""
    return not phase.work or phase.worked > 0


def durations(seconds: Sequence[float], rates: Sequence[float] | None = None) -> DurationStats:
    """Return what durations, the oldest first, come to; their trend is that of the `rates`, where there are some."""
    if not seconds:
        return DurationStats()
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
    return DurationStats(
        runs=len(seconds),
        median=statistics.median(seconds),
        p95=p95,
        trend=trend(seconds if rates is None else rates),
        seconds=list(seconds),
    )


def trend(values: Sequence[float]) -> float | None:
    """Return by what part of their median values grew from the first to the last; see DurationStats.trend."""
    if len(values) < LEAST_FOR_A_TREND or not (middle := statistics.median(values)):
        return None
    slopes = [(later - earlier) / (j - i) for (i, earlier), (j, later) in combinations(enumerate(values), 2)]
    return statistics.median(slopes) * (len(values) - 1) / middle


def _between(start: datetime, end: datetime) -> float:
    return max((end - start).total_seconds(), 0.0)
