from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.offers.complete.job_posting import day, posting_of
from lib.offers.complete.posting import Posting

Value = object


def at(**address: object) -> dict[str, Value]:
    names = {"town": "addressLocality", "region": "addressRegion", "country": "addressCountry", "code": "postalCode"}
    return {"jobLocation": {"address": {names[name]: value for name, value in address.items()}}}


def pays(**value: object) -> dict[str, Value]:
    names = {"low": "minValue", "high": "maxValue", "each": "unitText", "value": "value"}
    return {"baseSalary": {"currency": "EUR", "value": {names[name]: each for name, each in value.items()}}}


@pytest.mark.parametrize(
    ("field", "said", "read"),
    [
        ("title", {"title": " Chef&nbsp;de projet &amp; data\u200b "}, "Chef de projet & data"),
        ("title", {"name": "Baker"}, "Baker"),
        ("title", {"title": ["Baker", "Miller"]}, "Baker"),
        ("title", {"title": {"@value": "Baker", "@language": "en"}}, "Baker"),
        ("company", {"hiringOrganization": "Oven"}, "Oven"),
        ("company", {"hiringOrganization": {"name": "Oven"}}, "Oven"),
        ("company", {"hiringOrganization": [{"logo": "x"}, {"legalName": "Oven SAS"}]}, "Oven SAS"),
        ("place", {"jobLocation": "Lyon"}, "Lyon"),
        ("place", {"jobLocation": {"address": "3 rue du Four, Lyon"}}, "3 rue du Four, Lyon"),
        ("place", at(town="Lyon", region="Rhône", country="FR"), "Lyon, Rhône, FR"),
        ("place", at(town="Paris", region="Paris", country={"name": "France"}), "Paris, France"),
        ("place", {"jobLocation": [{"address": "Lyon"}, {"address": "Nice"}, {"address": "Lyon"}]}, "Lyon / Nice"),
        ("place", {"jobLocation": {"addressLocality": "Lyon", "addressCountry": "FR"}}, "Lyon, FR"),
        ("place", at(code=69003, country="FR"), "69003, FR"),
        ("place", {"jobLocation": {"name": "Site de Lyon"}}, "Site de Lyon"),
        ("contract", {"employmentType": "FULL_TIME"}, "Full-time"),
        ("contract", {"employmentType": ["FULL_TIME", "CONTRACTOR", "OTHER"]}, "Full-time, Contractor"),
        ("contract", {"employmentType": "FULL_TIME, TEMPORARY"}, "Full-time, Temporary"),
        ("contract", {"employmentType": "CDI"}, "CDI"),
        ("contract", {"employmentType": "Durée indéterminée, temps plein"}, "Durée indéterminée, temps plein"),
        ("remote", {"jobLocationType": "TELECOMMUTE"}, "Remote"),
        ("remote", {"jobLocationType": ["hybrid"]}, "hybrid"),
        ("salary", {"baseSalary": "45 k€"}, "45 k€"),
        ("salary", {"baseSalary": 45000}, "45000"),
        ("salary", pays(low=45000, high=55000.0, each="YEAR"), "45000–55000 EUR/year"),
        ("salary", pays(value="45 000,00", each="Year"), "45000 EUR/year"),
        ("salary", pays(low=0, high=3200, each="MONTH"), "3200 EUR/month"),
        ("salary", {"baseSalary": {"minValue": "15.5", "maxValue": "15.5", "unitText": "HOUR"}}, "15.50/hour"),
        ("salary", {"baseSalary": {"currency": "EUR", "value": 40000}}, "40000 EUR"),
        ("salary", {"baseSalary": {"value": "selon profil"}}, "selon profil"),
        ("salary", {"baseSalary": {"value": {"minValue": 0, "maxValue": "0"}}}, ""),
        ("salary", {"baseSalary": {"value": {"minValue": -3, "maxValue": 1e300}}}, ""),
        ("salary", {"estimatedSalary": [{"currency": "USD", "minValue": 90000, "unitText": "YEAR"}]}, "90000 USD/year"),
        ("identity", {"identifier": {"value": 83682506}}, "83682506"),
        ("identity", {"identifier": "A-17"}, "A-17"),
        ("url", {"url": "https://oven.example/jobs/1"}, "https://oven.example/jobs/1"),
        ("description", {"description": "&lt;p&gt;One&lt;/p&gt;&lt;p&gt;A &amp;amp; b&lt;/p&gt;"}, "One\n\nA & b"),
        ("description", {"description": "One\nTwo < three"}, "One\nTwo < three"),
        ("description", {"description": "<b>One</b>\nTwo"}, "One\nTwo"),
        ("description", {"description": "<p>One</p><script>alert(1)</script><style>p{}</style>"}, "One"),
        ("description", {"description": "A. B.", "responsibilities": "B.", "skills": ["C"]}, "A. B.\n\nC"),
        ("expires", {"datePosted": "2026-11-02", "validThrough": "2026-11-01"}, None),
    ],
)  # fmt: skip
def test_values_of_every_shape_are_read(field: str, said: dict[str, Value], read: object) -> None:
    assert getattr(posting_of(said), field) == read


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("2026-11-12", date(2026, 11, 12)),
        ("2026-11-12T23:30:00.000Z", date(2026, 11, 12)),
        ("2026-11-12T23:30+02:00", date(2026, 11, 12)),
        ("2026/11/2", date(2026, 11, 2)),
        ("20261112", date(2026, 11, 12)),
        ("12/11/2026", date(2026, 11, 12)),
        ("11/28/2026", date(2026, 11, 28)),
        ("12.11.2026", date(2026, 11, 12)),
        ("1er novembre 2026", date(2026, 11, 1)),
        ("le 12 févr. 2026", date(2026, 2, 12)),
        ("November 12th, 2026", date(2026, 11, 12)),
        ("Thu, 12 Nov 2026 08:00:00 GMT", date(2026, 11, 12)),
        (1794441600, date(2026, 11, 12)),
        (1794441600000, date(2026, 11, 12)),
        ("2026-13-45", None),
        ("0001-01-01", None),
        ("9999-12-31", None),
        ("soon", None),
        (True, None),
        (float("nan"), None),
        (10**400, None),
        (None, None),
        ({"@value": "2026"}, None),
    ],
    ids=str,
)
def test_days_of_every_form_are_read(said: object, read: date | None) -> None:
    assert day(said) == read


def test_long_texts_are_cut() -> None:
    posting = posting_of({"title": "x" * 10_000, "description": "word " * 100_000})
    assert len(posting.title) == 300
    assert len(posting.description) == 50_000
    assert posting.title.endswith("…")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates().map(str)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["@id", "@value", "name", "value", "address", "addressLocality", "minValue", "unitText"]),
        inner,
        max_size=4,
    ),
    max_leaves=6,
)  # fmt: skip
KEYS = [
    *("title", "hiringOrganization", "jobLocation", "employmentType", "baseSalary", "jobLocationType", "datePosted"),
    *("validThrough", "description", "identifier", "url"),
]


@given(st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_whatever_it_says_a_posting_is_plain(said: dict[str, object]) -> None:
    posting = posting_of(said)
    for text in (value for value in vars(posting).values() if isinstance(value, str)):
        assert "\x00" not in text
        assert all(character.isprintable() or character == "\n" for character in text)
    assert isinstance(posting, Posting)
