"""What a phase says when it ends: one line per item, small enough to be handed on."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class ItemState(StrEnum):
    """How the work on one item ended."""

    DONE = "done"
    KEPT = "kept"
    """Nothing to do: the result was there already."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not tried, because an earlier phase failed on it."""


class Item(BaseModel):
    """What became of one item (a file, a page, a message) in one phase."""

    # A figure that is no number is written as NaN, not as null: one of them must not make the record unreadable.
    model_config = ConfigDict(ser_json_inf_nan="constants")

    subject: str = Field(description="Which item: a path relative to the workspace, an address, …")
    state: ItemState
    engine: str = Field(default="", description="The engine that did the work, with its version.")
    reason: str = Field(default="", description="Why it failed or was skipped, or why this engine was used, in words.")
    seconds: float = 0.0
    found: bool = Field(default=False, description="Whether its result was not made now: it was in a cache or archive.")
    counts: Mapping[str, float] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def worked_on(self) -> bool:
        """Whether it took work: what was there already, was found elsewhere or was not tried took none."""
        return self.state in {ItemState.DONE, ItemState.FAILED} and not self.found


class PhaseReport(BaseModel):
    """What became of every item of one phase."""

    phase: str
    items: tuple[Item, ...] = ()

    def count(self, *states: ItemState) -> int:
        """Return how many items ended in one of these states."""
        return sum(item.state in states for item in self.items)

    @property
    def failed(self) -> tuple[Item, ...]:
        """The items that failed in this phase."""
        return tuple(item for item in self.items if item.state is ItemState.FAILED)

    @property
    def verdict(self) -> str:
        """`completed`, `partial` when some items failed and some are done, `failed` when none is done."""
        if not self.failed:
            return "completed"
        return "partial" if self.count(ItemState.DONE, ItemState.KEPT) else "failed"

    def engines(self) -> list[str]:
        """Return the engines that spoke, each once, in order."""
        return list(dict.fromkeys(item.engine for item in self.items if item.engine))

    def totals(self) -> dict[str, float]:
        """Return the sums of the items' counts."""
        return sum_counts(item.counts for item in self.items)

    def sentence(self) -> str:
        """Return the report in one line: `3 done, 1 kept, 1 failed (a.mp4: the file is empty)`."""
        counts = {state: self.count(state) for state in ItemState}
        words = ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "nothing to do"
        if self.failed:
            first = self.failed[0]
            words += f" ({first.subject}: {first.reason})"
        return words


def in_words(counts: Mapping[str, float]) -> str:
    """Return figures in words: `3004 frames, 73 scenes`."""
    return ", ".join(f"{value:.10g} {name.replace('_', ' ')}" for name, value in counts.items())


def sum_counts(counts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Add up figures of the same name."""
    totals: dict[str, float] = {}
    for figures in counts:
        for name, value in figures.items():
            totals[name] = totals.get(name, 0) + value
    return totals
