"""The board is what its model says, whatever happens to it."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lib.offers.board import Cell, OfferBoard
from lib.offers.offer import Offer, fingerprint
from lib.offers.statuses import Status

SOURCES = ("APEC", "Indeed", "LinkedIn")
PLACE = {status: place for place, status in enumerate(Status)}
sources, statuses = st.sampled_from(SOURCES), st.sampled_from(list(Status))


def offer(number: int, status: Status = Status.TO_COMPLETE, source: str = "Indeed", **fields) -> Offer:
    link = f"https://example.com/{number}"
    return Offer(link=link, key=f"{source}:{number}", source=source, status=status, record=f"rec{number}", **fields)


class BoardAsItsModel(RuleBasedStateMachine):
    """Runs of any kind over a store and a mailbox, which are plain collections here."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, Offer] = {}
        self.mails: Counter[str] = Counter()
        self.unwritten: list[Offer] = []
        self.number = 0
        self.by_hand = False
        self.board = OfferBoard()

    @initialize(mails=st.dictionaries(sources, st.integers(0, 4)))
    def mail_has_come(self, mails: dict[str, int]) -> None:
        self.mails = Counter(mails)
        self.load()

    @rule()
    def load(self) -> None:
        self.unwritten.clear()
        self.by_hand = False
        self.board = OfferBoard(self.rows.values(), self.mails)

    @rule(source=sources, status=statuses)
    def find_an_offer(self, source: str, status: Status) -> None:
        self.number += 1
        new = replace(offer(self.number, status, source), record="")
        assert self.board.find(new) is None
        self.board.intend(new)
        self.unwritten.append(new)
        assert self.board.find(replace(new, link="https://elsewhere.example/")) is new

    @rule(data=st.data(), status=statuses)
    def work_on_an_offer(self, data: st.DataObject, status: Status) -> None:
        waiting = [*self.board.to_complete(), *self.board.to_analyse()]
        if waiting:
            after = replace(data.draw(st.sampled_from(waiting)), status=status)
            self.board.intend(after)
            self.unwritten.append(after)

    @rule(taken=st.booleans())
    def the_store_answers(self, taken: bool) -> None:
        if not self.unwritten:
            return
        each = self.unwritten.pop(0)
        if not taken:
            self.board.withdraw(each)
            return
        stored = replace(each, record=each.record or f"rec{each.link}")
        self.rows[stored.record] = stored
        self.board.put(stored)

    @rule(source=sources)
    def an_alert_is_dealt_with(self, source: str) -> None:
        self.mails[source] = max(self.mails[source] - 1, 0)
        self.board.handled(source)

    @rule(data=st.data(), status=statuses)
    def somebody_changes_a_status_by_hand(self, data: st.DataObject, status: Status) -> None:
        if self.rows:
            record = data.draw(st.sampled_from(sorted(self.rows)))
            self.rows[record] = replace(self.rows[record], status=status)
            self.by_hand = True

    @rule(data=st.data())
    def somebody_deletes_a_row(self, data: st.DataObject) -> None:
        """The board hears of it when it has something written there."""
        if self.rows:
            record = data.draw(st.sampled_from(sorted(self.rows)))
            gone = self.rows.pop(record)
            self.unwritten = [each for each in self.unwritten if each.record != record]
            self.board.intend(gone)
            self.board.withdraw(gone)
            self.board.drop(gone)

    @invariant()
    def counts_are_never_below_zero_and_totals_agree(self) -> None:
        table = self.board.table()
        cells = [cell for row in (*table.rows, table.totals) for cell in row.cells]
        assert all(cell.count >= 0 and cell.pending >= 0 for cell in cells)
        assert all(row.total == sum(cell.count for cell in row.cells) for row in (*table.rows, table.totals))
        assert table.totals.total == sum(row.total for row in table.rows)
        for place in PLACE.values():
            column = [row.cells[place] for row in table.rows]
            assert table.totals.cells[place] == Cell(sum(c.count for c in column), sum(c.pending for c in column))

    @invariant()
    def it_equals_a_fresh_load_when_all_is_written(self) -> None:
        if not self.unwritten and not self.by_hand:
            assert self.board.table() == OfferBoard(self.rows.values(), self.mails).table()

    @invariant()
    def what_it_shows_as_work_is_what_it_gives_as_work(self) -> None:
        totals = self.board.table().totals
        assert len(self.board.to_complete()) == totals.cells[PLACE[Status.TO_COMPLETE]].count
        assert len(self.board.to_analyse()) == totals.cells[PLACE[Status.TO_ANALYSE]].count

    @invariant()
    def offers_and_alerts_are_all_counted(self) -> None:
        assert self.board.table().totals.total == len(self.board) + self.board.waiting


BoardAsItsModel.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestBoard = BoardAsItsModel.TestCase


def counts(board: OfferBoard, source: str) -> dict[Status, int]:
    row = next(row for row in board.table().rows if row.source == source)
    return {status: cell.count for status, cell in zip(Status, row.cells, strict=True) if cell.count}


def test_a_status_that_changes_is_one_less_in_the_old_column_and_one_more_in_the_new() -> None:
    board = OfferBoard([offer(1), offer(2)])
    board.put(offer(1, Status.TO_ANALYSE))
    assert counts(board, "Indeed") == {Status.TO_COMPLETE: 1, Status.TO_ANALYSE: 1}


def test_a_change_that_waits_for_the_store_is_marked_and_does_not_count_yet() -> None:
    board = OfferBoard([offer(1)])
    board.intend(offer(1, Status.TO_ANALYSE))
    cells = board.table().rows[0].cells
    assert cells[PLACE[Status.TO_COMPLETE]] == Cell(1, 0)
    assert cells[PLACE[Status.TO_ANALYSE]] == Cell(0, 1)


def test_alerts_in_the_mailbox_count_as_to_import_until_they_are_dealt_with() -> None:
    board = OfferBoard([], {"APEC": 2, "Indeed": 0})
    assert counts(board, "APEC") == {Status.TO_IMPORT: 2}
    board.handled("APEC")
    board.handled("APEC")
    assert board.table().rows == ()


def test_sources_without_offers_are_hidden() -> None:
    board = OfferBoard([offer(1, source="LinkedIn")], {"APEC": 0})
    assert [row.source for row in board.table().rows] == ["LinkedIn"]


def test_a_row_without_link_is_shown_and_never_worked_on() -> None:
    board = OfferBoard([Offer(link="", record="rec1"), Offer(link="", record="rec2")])
    assert board.table().totals.total == 2
    assert board.to_complete() == []


def test_two_rows_of_the_same_offer_are_both_shown() -> None:
    twin = replace(offer(1), record="rec9")
    board = OfferBoard([offer(1), twin])
    assert board.table().totals.total == 2
    assert board.find(twin) == offer(1)


@pytest.mark.parametrize(
    ("fields", "profile", "retry", "work"),
    [
        ({"status": Status.ANALYSED, "profile": "old"}, "new", False, "analyse"),
        ({"status": Status.ANALYSED, "profile": "new"}, "new", False, ""),
        ({"status": Status.ANALYSED, "profile": "old"}, "", False, ""),
        ({"status": Status.ERROR}, "", False, ""),
        ({"status": Status.ERROR}, "", True, "complete"),
        ({"status": Status.ERROR, "description": "A job."}, "", True, "complete"),
        ({"status": Status.ANALYSED, "score": 80.0}, "new", False, ""),
        ({"status": Status.IGNORED}, "new", True, ""),
        ({"status": Status.EXPIRED}, "new", True, ""),
        ({"status": Status.OTHER, "label": "Entretien"}, "new", True, ""),
    ],
)
def test_what_is_worked_on_again(fields: dict, profile: str, retry: bool, work: str) -> None:
    board = OfferBoard([offer(1, **fields)], profile=profile, retry=retry)
    assert len(board.to_complete()) == (work == "complete")
    assert len(board.to_analyse()) == (work == "analyse")


TEXTS = {"title": "Baker", "company": "Oven", "place": "Lyon"}
TRACKER, OTHER = "https://t.example/a", "https://t.example/b"
BY_TEXT = fingerprint("Indeed", *TEXTS.values())


@pytest.mark.parametrize(
    ("stored", "new", "same"),
    [
        ((TRACKER, BY_TEXT), (OTHER, BY_TEXT), True),
        ((TRACKER, BY_TEXT), ("https://indeed.example/1", "Indeed:1"), True),
        (("https://indeed.example/1", "Indeed:1"), (TRACKER, BY_TEXT), True),
        (("https://indeed.example/1", "Indeed:1"), ("https://indeed.example/2", "Indeed:2"), False),
    ],
    ids=["two trackers", "resolved later", "resolved before", "two offers of the same words"],
)
def test_an_offer_behind_a_tracker_is_known_by_its_texts(
    stored: tuple[str, str], new: tuple[str, str], same: bool
) -> None:
    board = OfferBoard([Offer(*stored, source="Indeed", **TEXTS, record="rec1")])
    assert (board.find(Offer(*new, source="Indeed", **TEXTS)) is not None) == same


def test_a_row_that_is_gone_is_on_the_board_no_more() -> None:
    board = OfferBoard([offer(1), offer(2)])
    board.drop(offer(1))
    assert board.table() == OfferBoard([offer(2)]).table()
    assert board.find(offer(1)) is None


def test_an_alert_brings_back_no_closed_offer_that_was_left_out() -> None:
    board = OfferBoard([offer(1)], open_only=True)
    board.put(offer(2, Status.ANALYSED, profile="old"))
    assert board.table() == OfferBoard([offer(1)]).table()
    board.put(offer(1, Status.ANALYSED))
    assert counts(board, "Indeed") == {Status.ANALYSED: 1}


def test_a_fingerprint_does_not_depend_on_how_words_are_spelt() -> None:
    known = fingerprint("Cadremploi", "Développeur Python (H/F)", "Mairie d'Épinal", "Épinal")
    assert known == fingerprint("Cadremploi", "DEVELOPPEUR  PYTHON H/F", "Mairie d’Epinal", "Epinal")
    assert known != fingerprint("Cadremploi", "Développeur Python (H/F)", "Mairie d'Épinal", "Nancy")
