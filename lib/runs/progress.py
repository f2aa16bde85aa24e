"""Progress of a phase: the figures, and their form in an artifact."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Self

ITEM_LENGTH = 200
"""Longest name of a current item that is recorded, in characters; Prefect bounds an artifact's metadata."""


@dataclass(frozen=True)
class ProgressRecord:
    """How far a phase is."""

    done: int = 0
    """Items that ended well in this run."""
    total: int = 0
    failed: int = 0
    skipped: int = 0
    percent: float = 0.0
    """Share of the phase's work that is done, by the size of its items, from 0 to 100."""
    item: str = ""
    """The current item, and how far it is."""
    engine: str = ""
    """The engines that spoke."""
    figures: str = ""
    """What was found so far, in words: `3004 frames, 73 scenes`."""
    work: float = 0.0
    """The size of all items together, in the phase's own unit (frames, bytes)."""
    worked: float = 0.0
    """Of which this run really worked on: what was there already (kept) or not tried (skipped) is left out."""

    def as_metadata(self) -> dict[str, str]:
        """Return the record as the flat strings that an artifact's metadata holds."""
        return {name: str(value)[:ITEM_LENGTH] for name, value in asdict(self).items()}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Self:
        """Read a record back; what is missing or not a number that it can hold counts as nothing."""
        values: dict[str, int | float | str] = {}
        for field in fields(cls):
            text = metadata.get(field.name, "")
            if field.type is str:
                values[field.name] = text
                continue
            try:
                number = float(text)
            except ValueError:
                continue
            if not (math.isfinite(number) and number >= 0):
                continue
            if field.name == "percent":
                number = min(number, 100.0)
            values[field.name] = number if field.type is float else int(number)
        return cls(**values)  # type: ignore[arg-type]  # the loop above gives each field its own type

    def sentence(self) -> str:
        """Return the record in words: `3 of 12 · 1 failed · film.mp4 1200/5301`."""
        words = [f"{self.done + self.failed + self.skipped} of {self.total}"]
        words += [f"{count} {name}" for name, count in (("failed", self.failed), ("skipped", self.skipped)) if count]
        return " · ".join([*words, self.item] if self.item else words)
