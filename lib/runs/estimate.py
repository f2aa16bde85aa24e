"""When a run will end: from its plan, from how long its phases took in past runs, and from its own pace; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp, log

from lib.runs.past import Duration, Durations, Known
from lib.runs.plan import Phase

LEAST_PACE = 0.02
"""The share of a phase that must be done before its pace says anything."""
DOUBT = 0.25
"""What phases that ended count for less when they correct those to come: as if so much of the run, which took exactly
as long as was thought, had come before."""

LONGEST = 10 * 365 * 86_400.0
"""Seconds: what says that more is left knows nothing."""


@dataclass(frozen=True)
class Standing:
    """Where a phase that was asked for stands in a run."""

    phase: Phase
    skipped: bool = False
    """Whether it cannot run, because one that it needs did not end well."""
    over: bool = False
    started: datetime | None = None
    ended: datetime | None = None
    reached: float = 0.0
    """The furthest that it came in this attempt of the run, from 0 to 1."""
    fraction: float = 0.0
    """How far its latest try is, from 0 to 1."""
    work: float = 0.0
    """The size of its items, in its own unit; 0: not known."""
    worked: float = 0.0
    """Of which its latest try really worked on."""

    @property
    def seconds(self) -> float | None:
        """How long it took; None before it came to its end."""
        if not (self.over and self.fraction == 1 and self.started and self.ended):
            return None
        return max(_from(self.started, self.ended), 0.0)


def known_of(standings: Sequence[Standing]) -> Known:
    """Return what these phases have told about the work of their run."""
    return Known(
        work={each.phase.key: each.work for each in standings if each.work > 0},
        share={each.phase.key: min(each.worked / each.work, 1.0) for each in standings if each.over and each.work > 0},
    )


def end_of(
    standings: Sequence[Standing], durations: Durations, started: datetime, now: datetime
) -> tuple[datetime | None, str]:
    """Return when a run that is at work is thought to end, and what that rests on; None and "" when nothing is known.

    Each phase takes as long as it did in past runs with as much work, or its declared weight's share of the rest; one
    that is under way, more and more as its own pace says. Phases to come are slower or faster as those of this run
    were. What remains is the longest way through the plan, with the time that phases wait to be picked up.
    """
    expected = _expected(standings, durations, now)
    ends: dict[str, float] = {}  # seconds from now, below nought for what is over
    for each in standings:
        key, before = each.phase.key, [ends[other] for other in each.phase.after if other in ends]
        could_start = max(before, default=_from(now, started))
        if each.skipped:
            ends[key] = could_start
        elif each.over:
            ends[key] = _from(now, each.ended or now)
        elif key not in expected:
            return None, ""
        elif each.started:
            ends[key] = _left(each, expected[key], max(_from(each.started, now), 0.0))
        else:
            ends[key] = max(could_start + durations.waited(key), 0.0) + expected[key].seconds
    left = max(ends.values(), default=0.0) + durations.closing
    basis = _basis(standings, durations)
    return (now + timedelta(seconds=max(left, 0.0)), basis) if basis and left < LONGEST else (None, "")


def _basis(standings: Sequence[Standing], durations: Durations) -> str:
    runs = max((durations.runs(each.phase.key) for each in standings if not (each.over or each.skipped)), default=0)
    own = any(each.seconds is not None or (each.started and each.fraction >= LEAST_PACE) for each in standings)
    words = [f"median of {runs} run{'s' * (runs > 1)}"] * bool(runs) + ["this run's pace"] * own
    return ", ".join(words)


def _expected(standings: Sequence[Standing], durations: Durations, now: datetime) -> dict[str, Duration]:
    """How long each phase takes as a whole: by the past, else by its declared weight; nothing where neither tells."""
    known = known_of(standings)
    past = {each.phase.key: told for each in standings if (told := durations.of(each.phase.key, known))}
    slower = _slower(standings, past)
    expected = {key: Duration(told.fixed * slower, told.work, told.rate * slower) for key, told in past.items()}
    seconds = weights = 0.0
    for each in standings:
        key = each.phase.key
        if (took := each.seconds) is None and key in expected:
            took = expected[key].seconds
        elif took is None and each.started and each.fraction >= LEAST_PACE:
            took = max(_from(each.started, now), 0.0) / each.fraction
        if took is not None:
            seconds, weights = seconds + took, weights + each.phase.weight
    if weights:
        for each in standings:
            expected.setdefault(each.phase.key, Duration(0.0, 1.0, each.phase.weight * seconds / weights))
    return expected


def _slower(standings: Sequence[Standing], past: Mapping[str, Duration]) -> float:
    """By what factor the phases of this run took longer than those of past runs."""
    whole = sum(past[each.phase.key].seconds for each in standings if each.phase.key in past and not each.skipped)
    behind = moved = 0.0
    for each in standings:
        told = past.get(each.phase.key)
        if told and told.seconds and each.seconds:
            behind += told.seconds
            moved += told.seconds * log(each.seconds / told.seconds)
    return exp(moved / (behind + DOUBT * whole)) if behind else 1.0


def _left(each: Standing, expected: Duration, elapsed: float) -> float:
    """How many seconds a phase that is under way still takes."""
    if each.work > 0 and expected.work > 0:
        done = each.worked
        # What comes is worked on as much as what was: the past may have kept what this run does.
        share = max(expected.work / each.work, done / (each.fraction * each.work) if each.fraction else 0.0)
        work = done + (1 - each.fraction) * each.work * min(share, 1.0)
    else:
        done, work = each.fraction, 1.0
        expected = Duration(expected.fixed, 1.0, expected.rate * expected.work)
    seconds = expected.fixed + expected.rate * work
    part = done / work if work else each.fraction
    if part >= LEAST_PACE:
        # Part of the time went into what does not grow with the work: a model that is loaded.
        fixed = min(expected.fixed, elapsed) if expected.rate else 0.0
        seconds += part * (fixed + (elapsed - fixed) / part - seconds)
    return max(seconds - elapsed, 0.0)


def _from(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()
