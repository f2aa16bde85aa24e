import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.offers.analyse.analysis import Analysis
from lib.offers.analyse.embedded import Embedded
from lib.offers.analyse.profile import Criterion, read_profile
from lib.offers.analyse.scoring import Mark
from lib.offers.offer import Offer

from .conftest import criterion, profile_of

EXAMPLE = Path(__file__).resolve().parents[4] / "docs/profile-example.toml"
GOOD = Offer(
    link="https://jobs.example/1",
    title="Développeur Python senior",
    company="Verdan",
    place="Lyon (69)",
    contract="CDI",
    salary="45-55 k€",
    description="Django, PostgreSQL et API REST sur AWS. Télétravail 2 jours. Revue de code et tests automatisés.",
)


@pytest.fixture(scope="module")
def example() -> Embedded:
    return Embedded(read_profile(EXAMPLE))


def mark(rules: Criterion, **fields: str) -> Mark:
    (found,) = Embedded(profile_of(rules)).analyse(Offer(link="x", **fields)).marks
    return found


def test_an_offer_that_fits_has_a_high_score_and_says_why(example: Embedded) -> None:
    analysis = example.analyse(GOOD)
    assert analysis.score > 90
    assert {each.name: each.reason for each in analysis.marks} | {"Ways of working": ""} == {
        "Skills": "finds python, django, postgresql, api, aws",
        "Level": "finds senior",
        "Place": "in Lyon (69), some work from home",
        "Contract": "is CDI",
        "Pay": "pays up to 55,000 a year, wanted are 50,000",
        "Ways of working": "",
    }


@pytest.mark.parametrize(
    "worse",
    [
        lambda offer: replace(offer, title="Développeur PHP"),
        lambda offer: replace(offer, place="Brest (29)"),
        lambda offer: replace(offer, contract="Stage"),
        lambda offer: replace(offer, salary="28-30 k€"),
        lambda offer: replace(offer, description="Une belle aventure."),
        lambda offer: replace(offer, description=f"{offer.description} PHP et COBOL."),
    ],
)
def test_what_is_not_wanted_lowers_the_score(example: Embedded, worse: Callable[[Offer], Offer]) -> None:
    assert example.analyse(worse(GOOD)).score < example.analyse(GOOD).score - 2


def test_of_an_offer_that_says_nothing_nothing_is_held_for_or_against_it(example: Embedded) -> None:
    analysis = example.analyse(Offer(link="x"))
    assert analysis.score == 50
    assert all(each.mark is None for each in analysis.marks)


def test_the_score_does_not_depend_on_the_other_offers_of_a_run() -> None:
    alone, in_company = Embedded(read_profile(EXAMPLE)), Embedded(read_profile(EXAMPLE))
    for _ in range(3):
        in_company.analyse(Offer(link="x", title="Python " * 50, description="tests, code review, product " * 99))
    assert in_company.analyse(GOOD) == alone.analyse(GOOD)


@pytest.mark.parametrize(
    ("rules", "fields", "value", "reason"),
    [
        ({"words": [["python"], ["k8s", "kubernetes"]]}, {"title": "Python"}, 3.75, "finds python; not k8s"),
        ({"words": [["python"]]}, {"title": "Cook"}, None, "says nothing"),
        ({"words": [["python"]]}, {"description": "We cook."}, 0, "not python"),
        ({"avoid": [["crypto"]]}, {"description": "We cook."}, 5, "nothing that is to be avoided"),
        ({"avoid": [["crypto"]]}, {"description": "Crypto trading."}, 2, "finds crypto, which is to be avoided"),
        ({"avoid": [["crypto"]]}, {"title": "Crypto trader"}, 0, "finds crypto"),
        ({"places": ["Lyon"]}, {"place": "Lyon 3e"}, 5, "in Lyon 3e"),
        ({"places": ["Rhône"]}, {"place": "Bron (69)"}, 5, r"Bron \(69\) is in Rhône"),
        ({"places": ["Lyon"]}, {"place": "Brest"}, 0, "Brest is not among the places wanted"),
        ({"places": ["Lyon"]}, {"place": "Brest", "remote": "Full remote"}, 5, "work from home, wherever"),
        ({"places": ["Lyon"], "remote": "none"}, {"place": "Brest", "remote": "Full remote"}, 0, "Brest is not"),
        ({"places": ["Lyon"]}, {"description": "We cook."}, None, "says nothing"),
        ({"remote": "full"}, {"place": "Remote, France"}, 5, "work from home"),
        ({"remote": "full"}, {"remote": "Remote"}, 5, "work from home"),
        ({"remote": "full"}, {"remote": "Télétravail"}, 2, "some work from home, wanted is work"),
        ({"remote": "full"}, {"remote": "Remote", "description": "2 jours de télétravail"}, 2, "wanted is work from"),
        ({"remote": "partial"}, {"description": "Pas de télétravail."}, 1, "no work from home"),
        ({"contracts": ["permanent"]}, {"contract": "CDI"}, 5, "is CDI"),
        ({"contracts": ["CDI"]}, {"contract": "CDD", "description": "CDI possible"}, 0, "is CDD"),
        ({"contracts": ["CDI"]}, {"title": "Cook (CDI)"}, 5, "is CDI"),
        ({"salary_min": 40000.0}, {"salary": "38-42 k€"}, 5, "up to 42,000 a year"),
        ({"salary_min": 40000.0}, {"salary": "34 k€"}, 2.5, "up to 34,000 a year"),
        ({"salary_min": 40000.0}, {"salary": "3 400 € par mois"}, 5, "up to 40,800 a year"),
        ({"salary_min": 40000.0}, {"salary": "20 k€"}, 0, "up to 20,000 a year"),
        ({"salary_min": 40000.0}, {"salary": "TJM 500 €"}, None, "says nothing"),
        ({"day_rate_min": 500.0}, {"salary": "TJM 500 €"}, 5, "up to 500 a day"),
        ({"salary_min": 40000.0}, {"description": "Salaire : 40 k€."}, 5, "up to 40,000"),
    ],
)
def test_every_rule_gives_a_mark_with_its_reason(
    rules: dict[str, object], fields: dict[str, str], value: float | None, reason: str
) -> None:
    found = mark(criterion(description="5: it fits.", **rules), **fields)
    assert (found.mark is None) == (value is None)
    assert found.mark == pytest.approx(value, abs=0.05)
    assert re.search(reason, found.reason)


def test_without_rules_words_are_compared() -> None:
    rules = criterion(description="5: consolidation, audit, month-end close. 0: payroll, bookkeeping.")
    good = mark(
        rules, title="Accountant", description="You prepare the consolidation and meet the auditors; audit, close."
    )
    bad = mark(rules, title="Payroll clerk", description="Payroll and bookkeeping for a small firm.")
    assert good.mark is not None
    assert bad.mark is not None
    assert good.mark > 3 > bad.mark == 0
    assert good.reason == "has words in common with it: audit, close, consolidation"


def test_french_and_english_words_of_one_root_are_alike() -> None:
    found = mark(criterion(description="5: développement, intégration."), description="Developer of integrations")
    assert found.mark == 5


@given(
    st.builds(
        Offer,
        link=st.just("x"),
        title=st.text(max_size=40),
        place=st.text(max_size=40),
        contract=st.text(max_size=40),
        salary=st.text(max_size=40),
        remote=st.text(max_size=40),
        description=st.text(max_size=200),
    )
)
def test_whatever_an_offer_says_it_gets_marks_with_reasons(example: Embedded, offer: Offer) -> None:
    analysis: Analysis = example.analyse(offer)
    assert 0 <= analysis.score <= 100
    assert analysis.marks[0].name == "Skills"
    assert all(each.reason and (each.mark is None or 0 <= each.mark <= 5) for each in analysis.marks)
    assert (analysis.tokens, analysis.cost) == (0, None)


def test_a_profile_of_common_words_alone_can_be_used() -> None:
    profile = profile_of(criterion(name="a", description="the"), about="the")
    assert Embedded(profile).analyse(Offer(link="x", title="Cook", description="the")).score == 0


@pytest.mark.parametrize("text", ["1 ", "2 jours ", "pas de du ", "télétravail ", "9'999", "ﷺ"])
def test_a_hostile_offer_takes_no_time(example: Embedded, text: str) -> None:
    long = text * (60_000 // len(text))
    began = time.process_time()
    example.analyse(Offer(link="x", title=long, place=long, salary=long, contract=long, remote=long, description=long))
    assert time.process_time() - began < 5
