"""A store, and offers to put into it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from lib.offers.offer import Offer
from lib.offers.stores.base import Change, RefusedError
from lib.offers.stores.options import StoreOptions
from lib.offers.stores.sqlite import SqliteStore


class Picky(SqliteStore):
    """A store that refuses offers of some titles, as one with rules of its own does."""

    refused: frozenset[str] = frozenset()

    def add(self, offers: Sequence[Offer]) -> list[Offer]:
        self._refuse(offers)
        return super().add(offers)

    def change(self, changes: Sequence[Change]) -> list[Offer]:
        self._refuse([each.after for each in changes])
        return super().change(changes)

    def _refuse(self, offers: Sequence[Offer]) -> None:
        if any(each.title in self.refused for each in offers):
            self.calls.writes += 1
            raise RefusedError("the title is not allowed")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Picky]:
    opened = Picky(tmp_path / "offers.db", StoreOptions())
    yield opened
    opened.close()


@pytest.fixture
def make_offer() -> Callable[..., Offer]:
    def make(number: int, **fields) -> Offer:
        given = {"source": "Indeed", "key": f"Indeed:{number}", "title": f"Offer {number}", **fields}
        return Offer(link=f"https://example.com/{number}", **given)

    return make
