from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.offers.analyse.profile import Profile
from lib.offers.analyse.scoring import NEUTRAL, Mark, one_line, reasons, total

from .conftest import criterion, profile_of

MARKS = st.none() | st.floats(0, 5)
WEIGHTED = st.lists(st.tuples(MARKS, st.floats(0.01, 1000)), min_size=1, max_size=8)


def given_marks(weighted: list[tuple[float | None, float]]) -> tuple[list[Mark], Profile]:
    marks = [Mark(f"c{at}", mark, "so") for at, (mark, _) in enumerate(weighted)]
    return marks, profile_of(*(criterion(f"c{at}", weight) for at, (_, weight) in enumerate(weighted)))


@pytest.mark.parametrize(
    ("skills", "place", "score"),
    [(5, 5, 100), (0, 0, 0), (5, 0, 75), (0, 5, 25), (4, 2, 70), (None, None, 50), (5, None, 87.5), (1, 2.5, 27.5)],
)
def test_the_score_is_the_mean_by_weight(profile: Profile, skills: float, place: float, score: float) -> None:
    assert total([Mark("Skills", skills, ""), Mark("Place", place, "")], profile) == score


@given(WEIGHTED)
def test_it_is_never_outside_of_its_bounds(weighted: list[tuple[float | None, float]]) -> None:
    assert 0 <= total(*given_marks(weighted)) <= 100


@given(WEIGHTED, st.data())
def test_a_better_mark_never_lowers_it(weighted: list[tuple[float | None, float]], data: st.DataObject) -> None:
    marks, profile = given_marks(weighted)
    at = data.draw(st.integers(0, len(marks) - 1))
    before = marks[at].mark
    better = data.draw(st.floats(NEUTRAL if before is None else before, 5))
    raised = [*marks[:at], replace(marks[at], mark=better), *marks[at + 1 :]]
    assert total(raised, profile) >= total(marks, profile)


@given(WEIGHTED, st.data())
def test_the_order_of_criteria_does_not_matter(weighted: list[tuple[float | None, float]], data: st.DataObject) -> None:
    marks, profile = given_marks(weighted)
    turned = profile_of(*data.draw(st.permutations(profile.criteria)))
    assert total(data.draw(st.permutations(marks)), turned) == total(marks, profile)


@given(st.lists(MARKS, min_size=1, max_size=8), st.floats(0.01, 900))
def test_equal_marks_are_the_score_whatever_the_weights(marks: list[float | None], weight: float) -> None:
    same = [(marks[0], weight + at) for at in range(len(marks))]
    value = NEUTRAL if marks[0] is None else marks[0]
    assert total(*given_marks(same)) == pytest.approx(20 * value, abs=0.051)


@pytest.mark.parametrize(
    "marks",
    [
        [],
        [Mark("Skills", 3, "")],
        [Mark("Skills", 3, ""), Mark("Skills", 3, "")],
        [Mark("Skills", 3, ""), Mark("Place", 3, ""), Mark("Skills", 5, "")],
        [Mark("Skills", 3, ""), Mark("Place", 3, ""), Mark("Luck", 5, "")],
        [Mark("Skills", 3, ""), Mark("Place", 5.1, "")],
        [Mark("Skills", 3, ""), Mark("Place", -0.1, "")],
        [Mark("Skills", 3, ""), Mark("Place", float("nan"), "")],
    ],
)
def test_marks_that_are_not_those_of_the_profile_have_no_score(profile: Profile, marks: list[Mark]) -> None:
    with pytest.raises(ValueError, match="mark"):
        total(marks, profile)


def test_there_is_a_line_for_each_criterion() -> None:
    marks = [Mark("Skills", 4.0, "Python\nand more"), Mark("Pay", None, "no pay is named"), Mark("Place", 2.5, "far")]
    assert reasons(marks).splitlines() == [
        "Skills: 4/5 – Python and more",
        "Pay: not said – no pay is named",
        "Place: 2.5/5 – far",
    ]


@given(st.text(max_size=1000))
def test_a_reason_is_one_printable_line_of_bounded_length(text: str) -> None:
    line = one_line(text)
    assert len(line) <= 300
    assert line.isprintable()
    assert len(f"{line}x".splitlines()) == 1
