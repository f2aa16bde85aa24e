"""Plain texts of alerts: which lines stand together, and which links are whose."""

import pytest

from lib.offers.alerts.lines import lines_of_text
from lib.offers.alerts.parsing import read_alert

from .conftest import letter

VIEW = "https://www.linkedin.com/comm/jobs/view/43000000{:02}/?trackingId=x"
TRACKED = "https://r.emails4.alertes.cadremploi.fr/tr/cl/{}"

TEXTS = {
    "rules between": (
        "LinkedIn",
        f"Title A\nFirm A\nLyon\nView job: {VIEW.format(1)}\n----------\n"
        f"Title B\nFirm B\nParis\nView job: {VIEW.format(2)}\n",
        [("Title A", "Firm A", "Lyon"), ("Title B", "Firm B", "Paris")],
    ),
    "empty lines between": (
        "LinkedIn",
        f"Your alert\nfor jobs\n\nTitle A\nFirm A\nLyon\n{VIEW.format(1)}\n\n"
        f"Title B\nFirm B\nParis\n{VIEW.format(2)}\n\nEnd",
        [("Title A", "Firm A", "Lyon"), ("Title B", "Firm B", "Paris")],
    ),
    "address under the title, an empty line between all": (
        "Cadremploi",
        f"Data Analyst H/F\n{TRACKED.format(1)}\n\nFirm\n\nParis\n\nCDI\n\nVoir l'offre\n{TRACKED.format(2)}\n",
        [("Data Analyst H/F", "Firm", "Paris")],
    ),
    "address in brackets behind the title": (
        "Cadremploi",
        f"Data Analyst H/F [{TRACKED.format(1)}]\n\nFirm\n\nParis\n\nVoir l'offre [{TRACKED.format(2)}]\n\nCDI",
        [("Data Analyst H/F", "Firm", "Paris")],
    ),
    "all on one line": (
        "Welcome to the Jungle",
        "Firm [http://t.welcometothejungle.com/ls/click?upn=u001.abcdefgh1234_x] Product Builder (CDI) "
        "[http://t.welcometothejungle.com/ls/click?upn=u001.abcdefgh5678_y] CDI - Bordeaux\n",
        [("Product Builder (CDI)", "Firm", "Bordeaux")],
    ),
    "address in parentheses": (
        "makesense",
        "Firm\nData Manager H/F ( https://jobs.makesense.org/jobs/FaUYM2eD6MXc?utm=1 )\nFondation\nCDI\nLyon, France",
        [("Data Manager H/F", "Fondation", "Lyon, France")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_offers_are_found_in_texts(name: str) -> None:
    source, text, expected = TEXTS[name]
    found = read_alert(letter(text=text), source).cards
    assert [(card.title, card.company, card.place) for card in found] == expected


def test_a_link_loses_the_signs_behind_it() -> None:
    lines = lines_of_text("See https://a.example/b?c=1). And <https://a.example/d>, or https://a.example/e---\n")
    assert [(line.text, line.link) for line in lines] == [
        ("See", "https://a.example/b?c=1"),
        ("And", "https://a.example/d"),
        ("or", "https://a.example/e"),
    ]


def test_lines_know_how_near_they_are() -> None:
    one, two, three, four = lines_of_text("a\nb\n\nc\n-----\nd")
    assert [one.near(each) for each in (one, two, three, four)] == [2, 2, 1, 0]
