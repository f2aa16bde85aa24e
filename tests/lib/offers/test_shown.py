"""What is shown of a board: small, and harmless whatever an offer is called."""

import pytest

from lib.offers.analyse.analysis import Spent
from lib.offers.board import OfferBoard
from lib.offers.offer import Offer
from lib.offers.shown import FAILURES_SHOWN, calls_in_words, document, markdown, spent_in_words
from lib.offers.statuses import Status, StatusNames
from lib.offers.stores.base import Calls
from lib.runs.report import Item, ItemState

BOARD = OfferBoard(
    [
        Offer("https://a.example/1", source="APEC", status=Status.ANALYSED, record="1"),
        Offer("https://a.example/2", source="<b>|Evil|", status=Status.OTHER, label="x", record="2"),
    ],
    {"APEC": 2},
)


def shown(**items):
    return document(BOARD, StatusNames(), Calls(12, 24), "Store", "Mail", items, Spent(1200, 0.05))


def test_the_document_has_a_row_per_source_and_a_column_per_status() -> None:
    told = shown()
    assert [row["source"] for row in told["rows"]] == ["<b>|Evil|", "APEC"]
    assert [column["status"] for column in told["columns"]] == [status.value for status in Status]
    assert [cell["count"] for cell in told["totals"]["cells"]] == [2, 0, 0, 1, 0, 0, 0, 1]
    assert told["totals"]["total"] == 4
    assert told["calls"] == {"reads": 12, "writes": 24}
    assert told["spent"] == {"tokens": 1200, "cost": 0.05}


def test_failures_are_counted_and_the_first_ones_named() -> None:
    failed = [Item(subject=f"m{n}", state=ItemState.FAILED, reason="broken") for n in range(FAILURES_SHOWN + 1)]
    told = shown(**{"import": [*failed, Item(subject="good", state=ItemState.DONE, counts={"new_offers": 2})]})
    assert told["failed"] == FAILURES_SHOWN + 1
    assert len(told["failures"]) == FAILURES_SHOWN
    assert told["failures"][0] == {"phase": "import", "file": "m0", "reason": "broken"}
    assert told["figures"] == {"import": {"new_offers": 2}}


def test_the_page_leaves_out_empty_columns_and_shows_texts_as_texts() -> None:
    failed = Item(subject="[x](javascript:1)", state=ItemState.FAILED, reason="a | b")
    page = markdown(shown(complete=[failed]))
    head = next(line for line in page.splitlines() if line.startswith("| Source"))
    assert head == "| Source | A importer | Analysée | Autre | Total |"
    assert "<b>" not in page
    assert "](javascript" not in page
    assert all(line.count("|") == head.count("|") for line in page.splitlines() if line.startswith("|"))
    assert "36 calls to the store" in page


@pytest.mark.parametrize(
    ("calls", "words"),
    [
        ({"reads": 1, "writes": 0}, "1 call to the store (1 to load, 0 to write)"),
        ({"reads": 0, "writes": 0}, "0 calls"),
    ],
)
def test_calls_in_words(calls: dict[str, int], words: str) -> None:
    assert calls_in_words(calls).startswith(words)


@pytest.mark.parametrize(
    ("spent", "words"),
    [
        ({"tokens": 0, "cost": None}, ""),
        ({"tokens": 12300, "cost": None}, "12,300 tokens"),
        ({"tokens": 12300, "cost": 0.0184}, "12,300 tokens, 0.0184 by the prices of the settings"),
    ],
)
def test_what_was_spent_in_words(spent: dict, words: str) -> None:
    assert spent_in_words(spent) == words
