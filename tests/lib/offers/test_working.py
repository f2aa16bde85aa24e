"""Offers are worked on several at once; each is written as it came out."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from lib.errors import InputError, UnavailableError
from lib.offers import working
from lib.offers.board import OfferBoard
from lib.offers.offer import Offer
from lib.offers.statuses import Status
from lib.offers.working import Worked, work_on
from lib.offers.writing import Writing
from lib.runs.report import Item, ItemState

Make = Callable[..., Offer]


@pytest.fixture
def board(store, make_offer: Make) -> OfferBoard:
    store.add([make_offer(number) for number in range(10)])
    store.add([make_offer(number) for number in range(10, 14)])
    store.calls.writes = 0
    return OfferBoard(offer for page in store.load() for offer in page)


def analysed(offer: Offer) -> Worked:
    return Worked(replace(offer, status=Status.ANALYSED, score=50.0), "test 1")


def run(board: OfferBoard, store, work: Callable[[Offer], Worked], at_once: int = 3) -> dict[str, Item]:
    items: dict[str, Item] = {}
    work_on(board.to_complete(), work, Writing(store, board), items.__setitem__, at_once=at_once)
    return items


def statuses(store) -> list[Status]:
    return [offer.status for page in store.load() for offer in page]


def test_each_is_worked_on_and_written_in_as_few_calls_as_can_be(store, board: OfferBoard) -> None:
    items = run(board, store, analysed)
    assert {item.state for item in items.values()} == {ItemState.DONE}
    assert statuses(store) == [Status.ANALYSED] * 14
    assert store.calls.writes == 2
    assert board.to_complete() == []


@pytest.mark.parametrize("error", [InputError("The page is empty."), ValueError("a bug")])
def test_one_that_fails_is_an_error_with_its_reason_and_the_others_go_on(
    store, board: OfferBoard, error: Exception
) -> None:
    def work(offer: Offer) -> Worked:
        if offer.title == "Offer 5":
            raise error
        return analysed(offer)

    items = run(board, store, work)
    [failed] = [item for item in items.values() if item.state is ItemState.FAILED]
    assert str(error) in failed.reason
    [row] = [offer for page in store.load() for offer in page if offer.status is Status.ERROR]
    assert row.title == "Offer 5"
    assert str(error) in row.note


def test_what_is_needed_for_all_ends_the_work_and_what_came_out_is_kept(store, board: OfferBoard) -> None:
    done = threading.Semaphore(0)

    def work(offer: Offer) -> Worked:
        if offer.title == "Offer 4":
            raise UnavailableError("The key is no longer accepted.")
        done.release()
        return analysed(offer)

    with pytest.raises(UnavailableError, match="key"):
        run(board, store, work, at_once=1)
    assert statuses(store).count(Status.ANALYSED) == 4
    assert board.table() == OfferBoard(offer for page in store.load() for offer in page).table()


def test_being_stopped_keeps_what_came_out(store, board: OfferBoard) -> None:
    def ended(_record: str, _item: Item) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work_on(board.to_complete(), analysed, Writing(store, board), ended, at_once=1)
    assert statuses(store).count(Status.ANALYSED) == 10


def test_link_and_key_stay_whatever_the_work_makes_of_them(store, board: OfferBoard) -> None:
    run(board, store, lambda offer: Worked(replace(offer, link="https://evil.example", key="", status=Status.EXPIRED)))
    assert {offer.link for page in store.load() for offer in page} == {f"https://example.com/{n}" for n in range(14)}


def test_so_many_are_worked_on_at_once_and_no_more(store, board: OfferBoard) -> None:
    lock, now, most, together = threading.Lock(), 0, 0, threading.Barrier(2)

    def work(offer: Offer) -> Worked:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        together.wait(30)
        with lock:
            now -= 1
        return analysed(offer)

    run(board, store, work, at_once=2)
    assert most == 2


def test_what_others_have_done_when_one_ends_the_work_is_kept(store, board: OfferBoard) -> None:
    done = threading.Barrier(4)

    def work(offer: Offer) -> Worked:
        done.wait(30)
        if offer.title == "Offer 0":
            raise UnavailableError("The key is no longer accepted.")
        return analysed(offer)

    def slowly(offer: Offer) -> Worked:
        try:
            return work(offer)
        finally:
            ends.release()

    ends = threading.Semaphore(0)
    taken = working._take

    def wait_for_all(*arguments) -> None:
        for _ in range(4 - len(seen)):
            ends.acquire(timeout=30)
        seen.update(range(4))
        taken(*arguments)

    seen: set[int] = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(working, "_take", wait_for_all)
        with pytest.raises(UnavailableError):
            run(board, store, slowly, at_once=4)
    assert statuses(store).count(Status.ANALYSED) == 3
