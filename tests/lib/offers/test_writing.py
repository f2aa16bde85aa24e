"""Writes go ten at a time, and the board follows what the store acknowledges."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace

import pytest

from lib.errors import UnavailableError
from lib.offers.board import OfferBoard
from lib.offers.offer import Offer
from lib.offers.statuses import Status
from lib.offers.writing import Writing

Make = Callable[..., Offer]


class Said:
    """What became of each offer, by its title."""

    def __init__(self) -> None:
        self.stored: list[str] = []
        self.refused: dict[str, str] = {}

    def add(self, writing: Writing, offer: Offer) -> None:
        writing.add(offer, self._take, lambda reason: self.refused.update({offer.title: reason}))

    def _take(self, offer: Offer) -> None:
        assert offer.record
        self.stored.append(offer.title)


@pytest.fixture
def board(store) -> OfferBoard:
    return OfferBoard(offer for page in store.load() for offer in page)


def fresh(store) -> OfferBoard:
    return OfferBoard(offer for page in store.load() for offer in page)


@pytest.mark.parametrize(("offers", "before", "after"), [(9, 0, 1), (10, 1, 1), (25, 2, 3)])
def test_it_writes_when_there_are_ten_and_the_rest_at_the_end(
    store, board: OfferBoard, make_offer: Make, offers: int, before: int, after: int
) -> None:
    writing, said = Writing(store, board), Said()
    for number in range(offers):
        said.add(writing, make_offer(number))
    assert store.calls.writes == before
    writing.flush()
    assert store.calls.writes == after
    assert len(said.stored) == len(board) == offers
    assert board.table() == fresh(store).table()


def test_what_waits_is_pending_and_known(store, board: OfferBoard, make_offer: Make) -> None:
    writing = Writing(store, board)
    Said().add(writing, make_offer(1))
    assert board.find(make_offer(1)) is not None
    assert board.table().totals.cells[1].pending == 1
    assert board.table().totals.total == 0


@pytest.mark.parametrize("bad", [{3}, {0, 9}, {1, 2, 3}, set(range(10))])
def test_only_what_the_store_refuses_is_not_written(store, board: OfferBoard, make_offer: Make, bad: set[int]) -> None:
    store.refused = frozenset(f"Offer {number}" for number in bad)
    writing, said = Writing(store, board), Said()
    for number in range(10):
        said.add(writing, make_offer(number))
    assert set(said.refused) == store.refused
    assert set(said.refused.values()) <= {"the title is not allowed"}
    assert len(said.stored) == 10 - len(bad)
    assert board.table() == fresh(store).table()


def test_changes_are_written_apart_from_new_offers(store, board: OfferBoard, make_offer: Make) -> None:
    writing, said = Writing(store, board), Said()
    said.add(writing, make_offer(1))
    writing.flush()
    [offer] = board.to_complete()
    writing.change(offer, replace(offer, status=Status.EXPIRED), lambda _o: None, said.refused.clear)
    said.add(writing, make_offer(2))
    writing.flush()
    assert store.calls.writes == 3
    assert [each.status for page in store.load() for each in page] == [Status.EXPIRED, Status.TO_COMPLETE]


def test_a_row_that_somebody_deleted_is_told_and_leaves_the_board(store, board: OfferBoard, make_offer: Make) -> None:
    stored = store.add([make_offer(number) for number in range(4)])
    for offer in stored:
        board.put(offer)
    with sqlite3.connect(store._path) as database:
        database.execute("DELETE FROM offers WHERE link = ?", (stored[2].link,))
    refused: list[str] = []
    writing = Writing(store, board)
    for offer in stored:
        writing.change(offer, replace(offer, status=Status.EXPIRED), lambda _o: None, refused.append)
    writing.flush()
    assert len(refused) == 1
    assert "deleted" in refused[0]
    assert board.table() == fresh(store).table()


def test_a_store_that_goes_away_leaves_nothing_pending(store, board: OfferBoard, make_offer: Make, monkeypatch) -> None:
    def gone(_offers: object) -> list[Offer]:
        raise UnavailableError("The store is gone.")

    writing, said = Writing(store, board), Said()
    for number in range(4):
        said.add(writing, make_offer(number))
    monkeypatch.setattr(store, "add", gone)
    with pytest.raises(UnavailableError, match="gone"):
        writing.flush()
    assert board.table().totals.cells[1].pending == 0
    assert said.stored == []
    writing.flush()
