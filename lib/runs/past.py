"""What past runs tell about how long the phases of a workflow take; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from statistics import median

from pydantic import BaseModel, ConfigDict, Field

RECENT = 30
"""How many of a phase's latest completed runs count: engines, machines and habits change."""
ALIKE = 0.25
"""How much further than the nearest past run another may be and still count as like this one, in shares of work."""


class PastPhase(BaseModel):
    """One phase that completed in a past run."""

    model_config = ConfigDict(frozen=True)

    seconds: float = Field(ge=0, description="From its start to its end.")
    waited: float = Field(
        default=0.0,
        ge=0,
        description="Seconds from when it could start (the last of the phases before it ended; for a first one, the "
        "run started) until it did.",
    )
    work: float = Field(default=0.0, ge=0, description="The size of its items, in the phase's own unit; 0: not known.")
    worked: float = Field(default=0.0, ge=0, description="Of which it really worked on: neither kept nor skipped.")


class PastRun(BaseModel):
    """One past run of a workflow that ended, well or not: the phases that completed in it, by key."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    ended: datetime
    closing: float = Field(default=0.0, ge=0, description="Seconds from the end of its last phase to its own end.")
    phases: Mapping[str, PastPhase]


@dataclass(frozen=True)
class Known:
    """What a run knows of its own work so far, by the keys of its phases in their order."""

    work: Mapping[str, float]
    """The size of a phase's items."""
    share: Mapping[str, float]
    """How much of it was really worked on, from 0 to 1, of the phases that ended."""


@dataclass(frozen=True)
class Duration:
    """How long a phase takes: a fixed part, and one that grows with its work."""

    fixed: float
    """Seconds."""
    work: float
    """What it is thought to really work on, in its own unit."""
    rate: float
    """Seconds per unit of it."""

    @property
    def seconds(self) -> float:
        """The whole."""
        return self.fixed + self.rate * self.work


class Durations:
    """How long each phase took in past runs of a workflow."""

    def __init__(self, past: Sequence[PastRun]) -> None:
        self._past = sorted(past, key=lambda run: (run.ended, run.run_id), reverse=True)
        self._told: dict[str, list[PastRun]] = {}
        self._lines: dict[str, tuple[float, float]] = {}
        self._distances: tuple[Mapping[str, float], dict[str, float]] = ({}, {})
        self.closing = median([run.closing for run in self._past[:RECENT]] or [0.0])
        """Seconds from the end of the last phase to the end of the run."""

    def runs(self, key: str) -> int:
        """Return how many past runs tell about a phase."""
        return len(self._of(key))

    def waited(self, key: str) -> float:
        """Return the seconds that a phase waits from when it could start; 0 where there is no past."""
        return median([run.phases[key].waited for run in self._of(key)] or [0.0])

    def of(self, key: str, known: Known) -> Duration | None:
        """Return how long a phase of a run takes in which this is known; None where there is no past.

        Where the phase has not said how much work it has, that follows from the work of the phase that spoke last, as
        it did in past runs.
        """
        if not self._of(key):
            return None
        fixed, rate = self._line(key)
        return Duration(fixed, self._size(key, known.work) * self._share(key, known.share), rate)

    def _of(self, key: str) -> list[PastRun]:
        """The past runs that tell about a phase: those that say how much work it had, if there are any."""
        if key not in self._told:
            runs = [run for run in self._past if key in run.phases][:RECENT]
            self._told[key] = [run for run in runs if run.phases[key].work > 0] or runs
        return self._told[key]

    def _line(self, key: str) -> tuple[float, float]:
        if key not in self._lines:
            phases = [run.phases[key] for run in self._of(key)]
            self._lines[key] = fit([(phase.worked, phase.seconds) for phase in phases])
        return self._lines[key]

    def _size(self, key: str, work: Mapping[str, float]) -> float:
        if own := work.get(key):
            return own
        runs = self._of(key)
        for other, size in reversed(list(work.items())):
            ratios = [
                run.phases[key].work / run.phases[other].work
                for run in runs
                if other in run.phases and run.phases[other].work > 0
            ]
            if ratios:
                return size * median(ratios)
        return median(run.phases[key].work for run in runs)

    def _share(self, key: str, share: Mapping[str, float]) -> float:
        """The share of its work that a phase really works on: as in those past runs that kept as much as this one."""
        far = self._far(share)
        nearest = min(far[run.run_id] for run in self._of(key))
        return median(_share(run.phases[key]) for run in self._of(key) if far[run.run_id] <= nearest + ALIKE)

    def _far(self, share: Mapping[str, float]) -> Mapping[str, float]:
        """How unlike this one each past run was, by what was kept; asked for every phase of a run in turn."""
        if self._distances[0] is not share:
            far = {
                run.run_id: sum(abs(_share(run.phases[key]) - own) for key, own in share.items() if key in run.phases)
                for run in self._past
            }
            self._distances = (share, far)
        return self._distances[1]


def _share(phase: PastPhase) -> float:
    return min(phase.worked / phase.work, 1.0) if phase.work > 0 else 1.0


def fit(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the line through points of work and seconds, as fixed seconds and seconds per unit of work.

    Neither is negative. Theil and Sen's: the median of the slopes of all pairs, which a run that was held up does not
    move. Through points of one size, the line that says that time grows with work.
    """
    slopes = [(t - s) / (b - a) for (a, s), (b, t) in combinations(points, 2) if a != b]
    if slopes and (rate := median(slopes)) > 0:
        fixed = median(seconds - rate * work for work, seconds in points)
        if fixed >= 0:
            return fixed, rate
    elif slopes:
        return median(seconds for _, seconds in points), 0.0
    rates = [seconds / work for work, seconds in points if work > 0]
    return (0.0, median(rates)) if rates else (median(seconds for _, seconds in points), 0.0)
