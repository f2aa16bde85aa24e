"""Every synthetic alert is read as expected; what is measured does not get worse."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks.alerts import REAL, Case, Row, measure, real, run, synthetic
from lib.offers.alerts.conversion import offers_of
from lib.offers.alerts.parsing import read_alert
from lib.offers.alerts.registry import SENDERS

from .layouts import SUBSCRIBER, token
from .letters import FIXTURES, files

LETTERS = sorted(FIXTURES.glob("*/*.json"))
FLOORS = json.loads((Path(__file__).parent / "floors.json").read_text())
FIELDS = ("title", "company", "place", "contract", "salary", "remote", "link")


def test_the_files_are_as_they_are_written() -> None:
    made = files()
    there = {path for path in FIXTURES.rglob("*") if path.is_file()}
    assert there == set(made)
    assert [path for path in there if path.read_bytes() != made[path]] == []


def test_each_sender_has_two_alerts_with_three_offers_or_more() -> None:
    said = [json.loads(path.read_text()) for path in LETTERS]
    many = [each["source"] for each in said if len(each["offers"]) >= 3]
    assert {sender.name for sender in SENDERS if many.count(sender.name) < 2} == set()


@pytest.mark.parametrize("path", LETTERS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_alert_shows_its_offers(path: Path) -> None:
    said = json.loads(path.read_text())
    alert = read_alert(path.with_suffix(".eml").read_bytes(), said["source"])
    found = offers_of(alert, said["source"], lambda link: None)
    assert [{name: getattr(offer, name) for name in FIELDS} for offer in found] == said["offers"]


@pytest.mark.parametrize("path", LETTERS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_nothing_of_an_offer_says_to_whom_the_alert_was_sent(path: Path) -> None:
    said = json.loads(path.read_text())
    alert = read_alert(path.with_suffix(".eml").read_bytes(), said["source"])
    kept = repr([offers_of(alert, said["source"], lambda link: None), alert.cards])
    assert SUBSCRIBER not in kept
    assert token(SUBSCRIBER)[:30] not in kept


@pytest.mark.parametrize("source", FLOORS["synthetic"])
def test_no_figure_of_the_synthetic_alerts_drops(source: str) -> None:
    (row,) = run(case for case in synthetic() if case.source == source).values()
    assert _worse(asdict(row), FLOORS["synthetic"][source]) == {}


def test_the_floors_name_every_sender() -> None:
    assert set(FLOORS["synthetic"]) == {sender.name for sender in SENDERS}


@pytest.mark.skipif(not REAL.is_dir(), reason="the test data are not in ../shared/testdata/emails")
def test_every_offer_of_the_real_texts_is_right() -> None:
    row = Row()
    for case in real():
        measure(case, row)
    assert _worse(asdict(row), FLOORS["real"]["LinkedIn"]) == {}


@pytest.mark.skipif(not REAL.is_dir(), reason="the test data are not in ../shared/testdata/emails")
def test_what_else_the_real_texts_say_is_kept() -> None:
    expected = json.loads((REAL / "linkedin_text_expected.json").read_text())
    flags = [[list(card.flags) for card in read_alert(case.raw, "LinkedIn").cards] for case in real()]
    assert flags == [[offer["flags"] for offer in offers] for offers in expected.values()]


def test_a_figure_that_drops_is_noticed() -> None:
    row = Row()
    case = next(synthetic())
    measure(Case(case.source, case.raw.replace(b"Subject", b"X"), [{**case.offers[0], "place": "Elsewhere"}]), row)
    assert (row.found, row.title, row.place, row.all, row.surplus) == (1, 1, 0, 0, len(case.offers) - 1)


def _worse(figures: dict[str, object], floors: dict[str, object]) -> dict[str, object]:
    """Return the figures that are worse than their floors."""
    flat = {**figures, **figures.pop("changed")}  # type: ignore[dict-item]
    return {
        name: flat[name]
        for name, floor in floors.items()
        if (flat[name] > floor if name == "surplus" else flat[name] < floor)  # type: ignore[operator]
    }
