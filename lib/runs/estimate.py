"""When a run will end: from its plan, from how long its phases took in past runs, and from its own pace; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp, log

from lib.runs.past import Duration, Durations, Known
from lib.runs.plan import Phase

LEAST_PACE = 0.02
"""The share of a phase that must be done before its pace says anything."""
DOUBT = 0.1
"""How much of a run that went just as thought is set against what this one has behind it, before that corrects what is
to come: chosen on recorded runs, with benchmarks/estimate.py."""
MOST = 4.0
"""By what factor one phase may be slower or faster than thought and still say something about the others."""
LONGEST = 10 * 365 * 86_400.0
"""Seconds: what says that more is left knows nothing."""


@dataclass(frozen=True)
class Standing:
    """Where a phase that was asked for stands in a run."""

    phase: Phase
    skipped: bool = False
    """Whether it does not run, because one that it needs did not end well."""
    weighs: bool = True
    """Whether it is a part of the run's progress."""
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
    standings: Sequence[Standing], durations: Durations, began: datetime | None, now: datetime
) -> tuple[datetime | None, str]:
    """Return when a run that is at work is thought to end, and what that rests on; None and "" when nothing is known.

    Each phase takes as long as it did in past runs with as much work, or its declared weight's share of the rest; one
    that is under way, more and more as its own pace says. What is to come is slower or faster as what is behind was.
    What remains is the longest way through the plan, with the time that phases wait to be picked up. `began` is when
    the run did; None for one that was resumed.
    """
    known = known_of(standings)
    past = {each.phase.key: told for each in standings if (told := durations.of(each.phase.key, known))}
    slower = _slower(standings, durations, past, began, now)
    expected = _expected(standings, past, slower, now)
    ends: dict[str, float] = {}  # seconds from now, below nought for what is over
    for each in standings:
        key, before = each.phase.key, [ends[other] for other in each.phase.after if other in ends]
        could_start = max([_from(now, began or now), *before])
        if each.skipped:
            ends[key] = could_start
        elif each.over:
            ends[key] = _from(now, each.ended or now)
        elif key not in expected:
            return None, ""
        elif each.started:
            ends[key] = _left(each, expected[key], _from(each.started, now))
        else:
            ends[key] = max(could_start + slower * durations.waited(key), 0.0) + expected[key].seconds
    left = max(ends.values(), default=0.0) + durations.closing
    basis = _basis(standings, durations)
    return (now + timedelta(seconds=max(left, 0.0)), basis) if basis and left < LONGEST else (None, "")


def _basis(standings: Sequence[Standing], durations: Durations) -> str:
    runs = max((durations.runs(each.phase.key) for each in standings if not (each.over or each.skipped)), default=0)
    own = any(each.seconds is not None or (each.started and each.fraction >= LEAST_PACE) for each in standings)
    words = [f"median of {runs} run{'s' * (runs > 1)}"] * bool(runs) + ["this run's pace"] * own
    return ", ".join(words)


def _slower(
    standings: Sequence[Standing],
    durations: Durations,
    past: Mapping[str, Duration],
    began: datetime | None,
    now: datetime,
) -> float:
    """By what factor what is behind in this run took longer than in past runs: phases, and the waiting for them."""
    whole = behind = moved = 0.0
    ends: dict[str, datetime] = {}
    for each in standings:
        key, before = each.phase.key, [ends[other] for other in each.phase.after if other in ends]
        if each.over and each.ended:
            ends[key] = each.ended
        if each.skipped or key not in past:
            continue
        waits, told = durations.waited(key), past[key]
        whole += waits + told.seconds
        took: list[tuple[float, float]] = []
        if each.started and began:
            took.append((waits, _from(max([began, *before]), each.started)))
        if each.seconds is not None:
            took.append((told.seconds, each.seconds))
        elif each.started and not each.over:
            part, seconds = _paced(each, told, _from(each.started, now))
            took.append((part * told.seconds, part * seconds))
        for thought, true in took:
            if thought > 0:
                behind += thought
                moved += thought * log(min(max(true / thought, 1 / MOST), MOST))
    return exp(moved / (behind + DOUBT * whole)) if behind else 1.0


def _expected(
    standings: Sequence[Standing], past: Mapping[str, Duration], slower: float, now: datetime
) -> dict[str, Duration]:
    """How long each phase takes as a whole: by the past, else by its declared weight; nothing where neither tells."""
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
            expected.setdefault(each.phase.key, Duration(each.phase.weight * seconds / weights, 0.0, 0.0))
    return expected


def _left(each: Standing, expected: Duration, elapsed: float) -> float:
    """How many seconds a phase that is under way still takes."""
    part, paced = _paced(each, expected, elapsed)
    if not part:
        return max(_whole(each, expected) - elapsed, 0.0)
    seconds = (1 - part) * _whole(each, expected) + part * paced
    return max((1 - part) * (seconds - _loading(expected, elapsed)), 0.0)


def _paced(each: Standing, expected: Duration, elapsed: float) -> tuple[float, float]:
    """How much of its work a phase under way has done, and how many seconds it takes as a whole if it goes on so.

    Nothing, both, where too little is done.
    """
    work = _work(each, expected)
    done = each.worked if work else each.fraction
    part = min(done / (work or 1.0), 1.0)
    if part < LEAST_PACE:
        return 0.0, 0.0
    loading = _loading(expected, elapsed)
    return part, loading + (max(elapsed, 0.0) - loading) / part


def _loading(expected: Duration, elapsed: float) -> float:
    """The time so far that went into what does not grow with the work: a model that is loaded."""
    return min(expected.fixed, max(elapsed, 0.0)) if expected.rate else 0.0


def _whole(each: Standing, expected: Duration) -> float:
    return expected.fixed + expected.rate * (_work(each, expected) or expected.work)


def _work(each: Standing, expected: Duration) -> float:
    """How much a phase under way will really have worked on; 0 where work is not measured.

    What comes is worked on as much as what was: the past may have kept what this run does.
    """
    if not (each.work > 0 and expected.work > 0):
        return 0.0
    share = max(expected.work, each.worked / each.fraction if each.fraction else 0.0) / each.work
    return each.worked + (1 - each.fraction) * each.work * min(share, 1.0)


def _from(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()
