import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.runs.report import Item, ItemState, PhaseReport, in_words, sum_counts

ITEMS = st.lists(
    st.builds(
        Item,
        subject=st.text(max_size=10),
        state=st.sampled_from(ItemState),
        engine=st.sampled_from(["", "a 1", "b 2"]),
        counts=st.dictionaries(st.sampled_from(["frames", "faces"]), st.integers(0, 1000)),
    )
).map(tuple)


@given(items=ITEMS)
def test_the_verdict_says_what_became_of_the_items(items: tuple[Item, ...]) -> None:
    states = {item.state for item in items}
    report = PhaseReport(phase="p", items=items)
    if ItemState.FAILED not in states:
        assert report.verdict == "completed"
    elif states & {ItemState.DONE, ItemState.KEPT}:
        assert report.verdict == "partial"
    else:
        assert report.verdict == "failed"
    assert len(report.failed) == report.count(ItemState.FAILED)
    assert sum(report.count(state) for state in ItemState) == report.count(*ItemState) == len(items)


@given(items=ITEMS)
def test_figures_are_added_up_and_engines_named_once(items: tuple[Item, ...]) -> None:
    report = PhaseReport(phase="p", items=items)
    for name in ("frames", "faces"):
        assert report.totals().get(name, 0) == sum(item.counts.get(name, 0) for item in items)
    assert sorted(report.engines()) == sorted({item.engine for item in items} - {""})


def item(subject: str, state: ItemState, reason: str = "") -> Item:
    return Item(subject=subject, state=state, reason=reason)


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ((), "nothing to do"),
        ((item("a", ItemState.DONE), item("b", ItemState.KEPT)), "1 done, 1 kept"),
        ((item("a", ItemState.SKIPPED), item("b", ItemState.DONE)), "1 done, 1 skipped"),
        (
            (
                item("a", ItemState.DONE),
                item("b", ItemState.FAILED, "no picture"),
                item("c", ItemState.FAILED, "empty"),
            ),
            "1 done, 2 failed (b: no picture)",
        ),
    ],
)
def test_a_report_in_one_line(items: tuple[Item, ...], words: str) -> None:
    assert PhaseReport(phase="p", items=items).sentence() == words


@given(report=st.builds(PhaseReport, phase=st.text(), items=ITEMS))
def test_a_report_is_handed_on_as_json(report: PhaseReport) -> None:
    assert PhaseReport.model_validate_json(report.model_dump_json()) == report


@pytest.mark.parametrize("figure", [math.inf, -math.inf, math.nan])
def test_a_figure_that_is_no_number_survives_too(figure: float) -> None:
    told = Item(subject="a", state=ItemState.DONE, counts={"ratio": figure})
    back = Item.model_validate_json(told.model_dump_json()).counts["ratio"]
    assert back == figure or (math.isnan(back) and math.isnan(figure))


def test_nothing_adds_up_to_nothing() -> None:
    assert sum_counts([]) == {}


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({}, ""),
        ({"frames": 3004, "scenes": 73}, "3004 frames, 73 scenes"),
    ],
)
def test_figures_in_words(figures: dict[str, float], words: str) -> None:
    assert in_words(figures) == words
