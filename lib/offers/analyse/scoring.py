"""From marks to the score: computed here, never by a model; pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lib.offers.analyse.profile import Profile

BEST = 5
"""Marks go from 0 to this."""
NEUTRAL = BEST / 2
"""What counts for a criterion about which the offer says nothing: neither for it nor against it. Were it left out of
the mean, an offer that says hardly anything would come before one that says all and fits well."""
REASON_CHARACTERS = 300


@dataclass(frozen=True)
class Mark:
    """How well an offer meets one criterion, and why."""

    name: str
    """The criterion's."""
    mark: float | None
    """From 0 to 5; None where the offer says nothing about it."""
    reason: str
    """Plain text on one line."""


def total(marks: Sequence[Mark], profile: Profile) -> float:
    """Return the score, from 0 to 100 with one decimal: the mean of the marks by the weights of their criteria.

    There is exactly one mark for each criterion, in any order; else ValueError.
    """
    weights = {criterion.name: criterion.weight for criterion in profile.criteria}
    if sorted(each.name for each in marks) != sorted(weights):
        raise ValueError("there is not exactly one mark for each criterion")
    values = {each.name: NEUTRAL if each.mark is None else each.mark for each in marks}
    if not all(0 <= value <= BEST for value in values.values()):
        raise ValueError(f"a mark is not from 0 to {BEST}")
    mean = math.fsum(weights[name] * values[name] for name in weights) / math.fsum(weights.values())
    return round(min(100.0, 100 * mean / BEST), 1)


def reasons(marks: Sequence[Mark]) -> str:
    """Return a line per criterion: its mark and why."""
    return "\n".join(f"{each.name}: {_shown(each.mark)} – {one_line(each.reason)}" for each in marks)


def one_line(text: str, limit: int = REASON_CHARACTERS) -> str:
    """Return a text on one line, without characters that do not print, cut where it is too long."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _shown(mark: float | None) -> str:
    return "not said" if mark is None else f"{mark:.1f}".removesuffix(".0") + f"/{BEST}"
