"""Pages of lists: small unless somebody asks for more."""

from collections.abc import Iterable

from pydantic import BaseModel

PAGE_BYTES = 48_000
"""The most bytes of a page of a list when the number of its rows is left to the console."""
MOST = 200
"""The most rows that may be asked for."""


def fitting(rows: Iterable[BaseModel], room: int = PAGE_BYTES) -> int:
    """Return how many of the first rows fit on a page; at least one, however large it is."""
    count = 0
    for row in rows:
        room -= len(row.model_dump_json().encode()) + 1
        if room < 0:
            break
        count += 1
    return max(count, 1)
