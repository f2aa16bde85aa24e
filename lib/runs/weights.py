"""How far a run is as a whole: the mean of its phases, weighted by how long they are thought to take; pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from math import ceil

from lib.runs.estimate import Standing, known_of
from lib.runs.past import Durations, Known

MOST_STAGES = 12
"""Weights are found anew at each stage: for hundreds of phases, one after the other, that alone would take a second."""
LEAST_SECONDS = 0.001
"""No phase weighs less: one that takes no time at all is a phase still."""


def fraction_of(standings: Sequence[Standing], durations: Durations) -> float:
    """Return how far a run is, from 0 to 1.

    Weights become better as phases say how much work they have, and yet the run never goes back: it is cut into stages,
    each of which starts only when everything before it has ended. A stage that is done in full keeps its share of the
    whole; what it told weighs only what was left then, of which nothing was done yet.
    """
    stages = _joined(list(_stages(standings)))
    done, left = 0.0, 1.0
    for number, stage in enumerate(stages):
        known = known_of([*chain(*stages[:number])])
        # The work of a phase that is a stage alone is known before any of it is done.
        own = known_of(stage).work if len(stage) == 1 else {}
        weights = _weights(standings, durations, Known({**known.work, **own}, known.share))
        rest = [each for each in chain(*stages[number:]) if each.weighs]
        whole = sum(weights[each.phase.key] for each in rest)
        if any(each.reached < 1 for each in stage if each.weighs):
            return done + left * sum(weights[each.phase.key] * each.reached for each in rest) / whole
        if rest:
            share = sum(weights[each.phase.key] for each in stage if each.weighs) / whole
            done, left = done + left * share, left * (1 - share)
    return done


def _weights(standings: Sequence[Standing], durations: Durations, known: Known) -> Mapping[str, float]:
    """The weight of each phase: its seconds by the past, or its declared weight, at what a weight is worth in them."""
    seconds = {each.phase.key: told.seconds for each in standings if (told := durations.of(each.phase.key, known))}
    declared = {each.phase.key: each.phase.weight for each in standings}
    of_told = sum(declared[key] for key in seconds)
    worth = sum(seconds.values()) / of_told if of_told else 1.0
    return {key: max(seconds.get(key, weight * worth), LEAST_SECONDS) for key, weight in declared.items()}


def _joined(stages: list[list[Standing]]) -> list[list[Standing]]:
    """Join stages that follow each other into one until there are few; what holds for a stage holds for those."""
    each = ceil(len(stages) / MOST_STAGES)
    return [[*chain(*stages[first : first + each])] for first in range(0, len(stages), each or 1)]


def _stages(standings: Sequence[Standing]) -> Iterator[list[Standing]]:
    """Cut the phases, which are in the order of the plan, wherever all that follow come after all that went before."""
    before: dict[str, set[str]] = {}
    for each in standings:
        direct = [key for key in each.phase.after if key in before]
        before[each.phase.key] = set(direct).union(*(before[key] for key in direct))
    # What everything from a phase on comes after.
    common: list[set[str]] = [set(before)]
    for each in reversed(standings):
        common.append(common[-1] & before[each.phase.key])
    common.reverse()
    stage: list[Standing] = []
    for number, each in enumerate(standings, start=1):
        stage.append(each)
        if common[number].issuperset(other.phase.key for other in standings[:number]):
            yield stage
            stage = []
