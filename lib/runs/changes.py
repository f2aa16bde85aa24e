"""The latest value of every row of a topic, and the number of its last change; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]
"""A row as the plain values of JSON."""
REMOVED_KEPT = 500
"""How many rows that are gone are remembered, for those who have not heard of it yet."""
SECONDS_THAT_COUNT = 1.5
"""An estimated end that moved by less says nothing new: it would move at every reading."""


@dataclass(frozen=True, slots=True)
class Change:
    """The last change of one row."""

    number: int
    key: str
    value: Row | None
    """None when the row is gone."""


class ChangeLog:
    """The rows of a topic with the number of the last change of each: a log that keeps one entry per row.

    Who reads it needs nothing but the number of the last change that they have seen: what they missed is each row
    that changed since, once, as it is now. So the log is as large as the topic, however many read it and however slow.
    """

    def __init__(self, floor: int) -> None:
        self.floor = floor
        """From a number below this one the log cannot tell what was missed: all rows have to be read again."""
        # In the order of their numbers: a row that changes goes to the end.
        self._changes: dict[str, Change] = {}

    def update(self, rows: Mapping[str, Row], last: int) -> int:
        """Take over the rows as they are now; return the number of the last change, counted on from `last`."""
        for key, value in rows.items():
            before = self._changes.get(key)
            if before is None or before.value is None or says_something_new(before.value, value):
                last = self._put(key, value, last)
        for key in [each.key for each in self._changes.values() if each.value is not None and each.key not in rows]:
            last = self._put(key, None, last)
        removed = [each for each in self._changes.values() if each.value is None]
        for forgotten in removed[: max(len(removed) - REMOVED_KEPT, 0)]:
            del self._changes[forgotten.key]
            self.floor = max(self.floor, forgotten.number)
        return last

    def _put(self, key: str, value: Row | None, last: int) -> int:
        self._changes.pop(key, None)
        self._changes[key] = Change(last + 1, key, value)
        return last + 1

    def after(self, number: int) -> Change | None:
        """Return the first change after a number, or None."""
        found = None
        for change in reversed(self._changes.values()):
            if change.number <= number:
                break
            found = change
        return found

    def rows(self) -> dict[str, Row]:
        """Return every row that there is."""
        return {change.key: change.value for change in self._changes.values() if change.value is not None}


def says_something_new(before: Row, after: Row) -> bool:
    """Tell whether a row differs from what it was by more than an estimated end that moved a little."""
    if before == after:
        return False
    if before.keys() != after.keys():
        return True
    if any(before[name] != after[name] for name in before if name != "estimated_end"):
        return True
    times = [row["estimated_end"] for row in (before, after)]
    if not all(isinstance(time, str) for time in times):
        return True
    earlier, later = (datetime.fromisoformat(time) for time in times)
    return abs((later - earlier).total_seconds()) > SECONDS_THAT_COUNT
