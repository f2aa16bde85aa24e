import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.offers.analyse.pay import PLAUSIBLE, pay_in

FIELDS = [
    ("45-55 k€", 45_000, 55_000, "year"),
    ("45k€ - 55k€", 45_000, 55_000, "year"),
    ("45 000 - 55 k€", 45_000, 55_000, "year"),
    ("38 K€ fixe + variable", 38_000, 38_000, "year"),
    ("45 000 à 55 000 € brut annuel", 45_000, 55_000, "year"),
    ("45\u202f000\xa0€ par an", 45_000, 45_000, "year"),
    ("60.000 €", 60_000, 60_000, "year"),
    ("£60,000 - £70,000 a year", 60_000, 70_000, "year"),
    ("$120k", 120_000, 120_000, "year"),
    ("45000–55000 EUR/year", 45_000, 55_000, "year"),
    ("35000", 35_000, 35_000, "year"),
    ("€4,000 per month", 4_000, 4_000, "month"),
    ("2 400 € brut mensuel sur 13 mois", 2_400, 2_400, "month"),
    ("De 2200 à 2500 € par mois", 2_200, 2_500, "month"),
    ("1 801,80 € brut / mois", 1_801.80, 1_801.80, "month"),
    ("TJM 500 €", 500, 500, "day"),
    ("300-350 €/jour", 300, 350, "day"),
    ("450€ HT/j", 450, 450, "day"),
    ("12,50 €/h", 12.5, 12.5, "hour"),
    ("16 à 18 € de l'heure", 16, 18, "hour"),
]


@pytest.mark.parametrize(("text", "low", "high", "period"), FIELDS)
def test_the_field_of_pay_is_read(text: str, low: float, high: float, period: str) -> None:
    pay = pay_in(text, only_pay=True)
    assert pay is not None
    assert (pay.low, pay.high, pay.period) == (low, high, period)


@pytest.mark.parametrize("text", ["", "Selon profil", "SMIC", "40", "à négocier", "12 € par an"])
def test_a_field_without_pay_has_none(text: str) -> None:
    assert pay_in(text, only_pay=True) is None


@pytest.mark.parametrize(
    ("text", "high"),
    [
        ("Salaire : 45 à 52 k€ selon profil.", 52_000),
        ("We pay €55,000 to €65,000 gross.", 65_000),
        ("Rémunération entre 2 100 et 2 300 € brut.", 2_300),
        ("Créée en 1998, 12 000 clients, 40 personnes. Package 60k€.", 60_000),
    ],
)
def test_pay_is_found_in_a_description(text: str, high: float) -> None:
    pay = pay_in(text)
    assert pay is not None
    assert pay.high == high


@pytest.mark.parametrize(
    "text",
    [
        "Chiffre d'affaires de 50 M€ par an",
        "levée de fonds de 10 millions d'euros cette année",
        "prime de 10 000 € par an",
        "tickets restaurant de 9 € par jour",
        "une équipe de 40 personnes, 3 jours sur site",
        "depuis 1998, 12 000 clients par an",
        "75009 Paris, appelez le 06 12 34 56 78",
        "un budget de 200 k€ par an",
    ],
)
def test_other_numbers_are_no_pay(text: str) -> None:
    assert pay_in(text) is None


@pytest.mark.parametrize(("text", "yearly"), [("3 000 € / mois", 36_000), ("15 € / h", 27_300), ("40 k€", 40_000)])
def test_pay_is_compared_by_the_year(text: str, yearly: float) -> None:
    pay = pay_in(text, only_pay=True)
    assert pay is not None
    assert pay.yearly == yearly


@given(st.integers(20, 200), st.integers(0, 100), st.sampled_from(["k€", " K€", " k€ par an", "k€ brut"]))
def test_thousands_are_read_however_they_are_written(low: int, more: int, unit: str) -> None:
    pay = pay_in(f"{low}-{low + more}{unit}", only_pay=True)
    assert pay is not None
    assert (pay.low, pay.high, pay.period) == (low * 1000, (low + more) * 1000, "year")


@given(st.text(max_size=200) | st.text("0123456789 .,k€/-àjourmois$", max_size=200), st.booleans())
def test_what_is_read_is_plausible(text: str, only_pay: bool) -> None:
    pay = pay_in(text, only_pay=only_pay)
    if pay is not None:
        least, most = PLAUSIBLE[pay.period]
        assert least <= pay.low <= pay.high <= most


@pytest.mark.parametrize("text", ["1 " * 25_000, "1 000 - " * 6_000, "9" * 50_000, "12k€/" * 10_000])
def test_a_hostile_text_takes_no_time(text: str) -> None:
    began = time.process_time()
    pay_in(text)
    assert time.process_time() - began < 2
