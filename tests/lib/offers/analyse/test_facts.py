import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.offers.analyse.facts import CONTRACTS, contracts_in, remote_in


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("CDI", ["CDI"]),
        ("Contrat à durée indéterminée", ["CDI"]),
        ("Permanent, full time", ["CDI"]),
        ("CDD de 6 mois", ["CDD"]),
        ("Fixed-term contract", ["CDD"]),
        ("CDI ou freelance", ["CDI", "freelance"]),
        ("Indépendant(e)", ["freelance"]),
        ("Mission d'intérim", ["interim"]),
        ("Stage de fin d'études", ["stage"]),
        ("Internship", ["stage"]),
        ("Développeur Python (stage)", ["stage"]),
        ("Stage développeur", ["stage"]),
        ("Nous cherchons pour un stage de six mois", ["stage"]),
        ("An early-stage company; at this stage there are ten of us", []),
        ("Temporary", ["CDD"]),
        ("Full-time, Contractor", ["freelance"]),
        ("Contrat d'apprentissage", ["alternance"]),
        ("Temps plein, international, étapes", []),
        ("", []),
    ],
)
def test_contracts_are_known_by_their_many_names(text: str, kinds: list[str]) -> None:
    assert list(contracts_in(text)) == kinds


def test_a_contract_is_known_by_its_own_name() -> None:
    assert {kind: contracts_in(kind) for kind in CONTRACTS} == {kind: (kind,) for kind in CONTRACTS}


@pytest.mark.parametrize(
    ("text", "much"),
    [
        ("Full remote", "full"),
        ("Fully remote company", "full"),
        ("100 % télétravail", "full"),
        ("Télétravail total", "full"),
        ("Télétravail à temps complet", "full"),
        ("Hybrid or full remote", "full"),
        ("télétravail partiel", "partial"),
        ("Télétravail (2 jours)", "partial"),
        ("3 jours de télétravail par semaine", "partial"),
        ("2-3 days a week of remote work", "partial"),
        ("Mode hybride", "partial"),
        ("Télétravail possible", "partial"),
        ("remote", "partial"),
        ("pas de télétravail", "none"),
        ("Télétravail : non", "none"),
        ("No remote work", "none"),
        ("100 % sur site", "none"),
        ("On-site", "none"),
        ("Sur site", "none"),
        ("Restaurant d'entreprise sur site, transports remboursés", None),
        ("Lyon", None),
        ("", None),
    ],
)
def test_how_much_work_from_home_there_is(text: str, much: str | None) -> None:
    assert remote_in(text) == much


def test_a_place_that_is_remote_is_nowhere_else() -> None:
    assert remote_in("Remote, France", "full") == "full"
    assert remote_in("Paris (hybride)", "full") == "partial"
    assert remote_in("Paris", "full") is None


@given(st.text(max_size=200) | st.text("remote télétravail 100%()-2 jours", max_size=100))
def test_no_text_does_harm(text: str) -> None:
    assert remote_in(text) in {"full", "partial", "none", None}
    assert set(contracts_in(text)) <= set(CONTRACTS)
