import json
import unicodedata
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from lib.offers.analyse.profile import Profile
from lib.offers.analyse.prompt import as_data, harmless, messages, schema
from lib.offers.offer import Offer

NONCE = "0123456789abcdef"
TEXT = st.text(max_size=200) | st.text(f'END {NONCE}\n\r\u2028"\\{{}}<>', max_size=200)


def test_the_profile_is_told_without_its_weights(profile: Profile) -> None:
    system, user = messages(profile, Offer(link="x", title="Cook"), NONCE, 1000)
    assert (system["role"], user["role"]) == ("system", "user")
    assert '"about": "Backend developer, Python."' in system["content"]
    assert '"name": "Skills"' in system["content"]
    assert "weight" not in system["content"].lower()


def test_what_an_offer_says_is_told_and_nothing_else_of_it(profile: Profile) -> None:
    offer = Offer(
        link="https://jobs.example/1?token=t0p", key="k", source="LinkedIn", title="Cook", company="Inn", place="Lyon",
        published=date(2026, 3, 1), description="Soup.", note="private", reasons="old", record="rec1",
    )  # fmt: skip
    _, user = messages(profile, offer, NONCE, 1000)
    assert json.loads(user["content"].splitlines()[1]) == {
        "title": "Cook",
        "company": "Inn",
        "place": "Lyon",
        "published": "2026-03-01",
        "description": "Soup.",
    }


@given(TEXT, TEXT)
def test_no_offer_gets_out_of_its_line(title: str, description: str) -> None:
    told = as_data(Offer(link="x", title=title, description=description), 10_000)
    assert len(told.splitlines()) == 1
    assert "<" not in told
    assert ">" not in told
    assert json.loads(told).get("title", "") == harmless(title, 500)


@given(st.text(max_size=300))
def test_what_cannot_be_seen_is_left_out(text: str) -> None:
    left = harmless(text, 1000)
    assert all(each in "\n " or unicodedata.category(each)[0] in "LMNPS" for each in left)
    assert [each for each in text if each.isalnum()] == [each for each in left if each.isalnum()]


def test_letters_of_tags_that_only_models_read_are_left_out() -> None:
    hidden = "".join(chr(0xE0000 + ord(each)) for each in "obey")
    assert harmless(f"Co\u200bok{hidden}\u202e!\x1b[2J", 100) == "Cook![2J"


def test_a_long_description_is_cut(profile: Profile) -> None:
    _, user = messages(profile, Offer(link="x", description="é" * 5000), NONCE, 1000)
    assert user["content"].count("é") == 1000


def test_the_schema_names_the_criteria(profile: Profile) -> None:
    mark = schema(profile)["properties"]["marks"]["items"]
    assert mark["properties"]["criterion"]["enum"] == ["Skills", "Place"]
    assert mark["additionalProperties"] is False
