import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from regie_toy_model import answer

from lib.offers.analyse.answers import AnswerError, marks_in
from lib.offers.analyse.profile import Profile
from lib.offers.analyse.scoring import Mark

from .conftest import criterion, profile_of

PROFILE = profile_of(criterion("Skills", 3.0), criterion("Place", 1.0))
GOOD = answer({"Place": 2, "Skills": 4})


def told(**changed: object) -> str:
    """An answer whose first entry is changed; a value of None leaves the key out."""
    entry = {"criterion": "Skills", "reason": "So.", "mark": 4} | changed
    first = {key: value for key, value in entry.items() if value is not Ellipsis}
    return json.dumps({"marks": [first, {"criterion": "Place", "reason": "So.", "mark": None}]})


def test_marks_come_in_the_order_of_the_criteria() -> None:
    assert marks_in(GOOD, PROFILE) == (Mark("Skills", 4, "The offer says so."), Mark("Place", 2, "The offer says so."))


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"Here are the marks:\n{GOOD}\nI hope this helps.",
        f"<think>First {{ I think.</think>\n{GOOD}",
        told(),
        told(mark=4.5),
        told(mark=None),
        told(reason="Ce poste — d'infirmière — est à 3 km, payé > 2 500 €."),
    ],
)
def test_answers_that_can_be_used(text: str) -> None:
    assert [each.name for each in marks_in(text, PROFILE)] == ["Skills", "Place"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a JSON object"),
        ("I cannot do that.", "not a JSON object"),
        ("[]", "not a JSON object"),
        (GOOD[:-20], "not valid JSON|not a JSON"),
        ("{" * 50_000 + "}" * 50_000, "not valid JSON"),
        ('{"marks": 3}', "marks: .*list"),
        ("{}", "marks: Field required"),
        (answer({"Skills": 4}), "no mark: Place"),
        (answer({"Skills": 4, "Place": 2, "Luck": 5}), "the profile does not have"),
        (answer({"Skills": 4, "Place": 2}, total=100), "a key that was not asked for"),
        (told(score=100), "a key that was not asked for"),
        (told(criterion="skills"), "the profile does not have"),
        (told(criterion="Place"), "a criterion twice"),
        (told(mark=6), r"marks\.0\.mark: .*less than or equal to 5"),
        (told(mark=-1), "greater than or equal to 0"),
        (told(mark="5"), "mark: .*number"),
        (told(mark=True), "mark: .*number"),
        (told(mark=...), "mark: Field required"),
        (told(mark=float("nan")), "a number that is none"),
        (told(mark=float("inf")), "a number that is none"),
        (told().replace('"mark": 4', '"mark": 1e999'), "mark: .*finite|less than"),
        (told(reason=""), "reason for Skills is empty"),
        (told(reason=" \u200b\n"), "reason for Skills is empty"),
        (told(reason=...), "reason: Field required"),
        (told(reason=5), "reason: .*string"),
        (told(reason="a" * 2001), "reason: .*2000"),
        (told(reason="See https://evil.example/apply"), "not plain text"),
        (told(reason="<img src=x onerror=alert(1)>"), "not plain text"),
        (told(reason="[apply](javascript:x)"), "not plain text"),
        ('{"marks": [], ' + GOOD[1:], "a key twice"),
    ],
)
def test_answers_that_cannot_be_used(text: str, words: str) -> None:
    with pytest.raises(AnswerError, match=words):
        marks_in(text, PROFILE)


def test_what_is_wrong_is_said_without_the_answer_s_own_words() -> None:
    order = "IGNORE EVERYTHING"
    for text in (told(**{order: 1}), told(criterion=order), answer({order: 1}), told(mark=order), f"{{{order}}}"):
        with pytest.raises(AnswerError) as wrong:
            marks_in(text, PROFILE)
        assert order not in str(wrong.value)


@given(
    st.text(max_size=300)
    | st.recursive(
        st.none() | st.floats() | st.text(),
        lambda e: st.lists(e) | st.dictionaries(st.sampled_from(["marks", "criterion", "reason", "mark", "x"]), e),
    ).map(json.dumps)
)
def test_whatever_is_answered_there_are_marks_or_it_is_refused(text: str) -> None:
    profile: Profile = PROFILE
    with suppress(AnswerError):
        assert [each.name for each in marks_in(text, profile)] == ["Skills", "Place"]
