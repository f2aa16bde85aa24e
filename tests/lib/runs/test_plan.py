import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.runs.plan import Phase, PlanError, Workflow, environments_of, hindrance, ready


def phase(number: int, key: str, **rest: object) -> Phase:
    return Phase(number, key, key.title(), f"m:{key}", "base", **rest)  # type: ignore[arg-type]


ONE, TWO, THREE = phase(1, "one"), phase(2, "two", after=("one",), needs=("one",)), phase(3, "three", after=("one",))
WORK = Workflow("work", "Work", "m:work", (ONE, TWO, THREE))

CONTRADICTIONS = {
    "two phases have the key 'one'": (ONE, dataclasses.replace(ONE, number=2)),
    "comes after 'two', which is not declared before it": (ONE, phase(2, "x", after=("two",))),
    "comes after 'x', which is not declared before it": (ONE, phase(2, "x", after=("x",))),
    "needs .'one'. without coming after": (ONE, phase(2, "x", needs=("one",))),
    "in the order of their numbers": (phase(2, "x"), phase(1, "y")),
    "each number once": (phase(1, "x"), phase(1, "y")),
    "declares no phase": (),
}


@pytest.mark.parametrize(("words", "phases"), CONTRADICTIONS.items())
def test_a_declaration_that_contradicts_itself_is_refused(words: str, phases: tuple[Phase, ...]) -> None:
    with pytest.raises(PlanError, match=words):
        Workflow("work", "Work", "m:work", phases)


def test_a_phase_is_found_by_its_key_and_flows_are_named_after_keys() -> None:
    assert WORK.phase("two") is TWO
    assert WORK.flow_name() == "work"
    assert WORK.flow_name(TWO) == "work-two"
    with pytest.raises(PlanError, match="work has no phase 'four'"):
        WORK.phase("four")


SELECTIONS = [
    ({}, "one two three"),
    ({"only": [3, 1]}, "one three"),
    ({"only": [2, 2]}, "two"),
    ({"first": 2}, "two three"),
    ({"last": 2}, "one two"),
    ({"first": 2, "last": 2}, "two"),
    ({"only": ()}, "one two three"),
]


@pytest.mark.parametrize(("arguments", "keys"), SELECTIONS)
def test_phases_are_selected(arguments: dict[str, object], keys: str) -> None:
    assert [chosen.key for chosen in WORK.select(**arguments)] == keys.split()  # type: ignore[arg-type]


REFUSALS = [
    ({"only": [4]}, r"work has no phase 4: its phases are 1 one, 2 two, 3 three"),
    ({"first": 0}, "work has no phase 0"),
    ({"last": 9}, "work has no phase 9"),
    ({"first": 3, "last": 2}, "from 3 to 2 there is no phase"),
    ({"only": [1], "first": 1}, "not both"),
    ({"only": [1], "last": 3}, "not both"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSALS)
def test_a_selection_that_does_not_exist_is_refused(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(PlanError, match=words):
        WORK.select(**arguments)  # type: ignore[arg-type]


@given(workflow=..., data=st.data())
def test_a_range_holds_exactly_the_numbers_between_its_ends(workflow: Workflow, data: st.DataObject) -> None:
    numbers = [each.number for each in workflow.phases]
    low = data.draw(st.sampled_from(numbers))
    high = data.draw(st.sampled_from([n for n in numbers if n >= low]))
    assert [each.number for each in workflow.select(first=low, last=high)] == [n for n in numbers if low <= n <= high]
    assert workflow.select(first=low) == workflow.select(first=low, last=numbers[-1])
    assert workflow.select(last=high) == workflow.select(first=numbers[0], last=high)


@given(workflow=..., data=st.data())
def test_each_phase_is_either_run_or_skipped_and_none_before_those_it_comes_after(
    workflow: Workflow, data: st.DataObject
) -> None:
    """Whatever fails and in whatever order phases end."""
    pending, running = list(workflow.phases), list[Phase]()
    ran: dict[str, str] = {}
    failed: dict[str, str] = {}
    settled: set[str] = set()
    while pending or running:
        startable = ready(pending, settled)
        for each in startable:
            assert settled >= set(each.after)
            pending.remove(each)
            if why := hindrance(each, failed):
                assert any(key in why for key in each.needs)
                failed[each.key] = "was skipped"
                settled.add(each.key)
            else:
                running.append(each)
        assert running or startable, "nothing can start and nothing runs"
        if running:
            ending = running.pop(data.draw(st.integers(0, len(running) - 1)))
            ran[ending.key] = data.draw(st.sampled_from(["completed", "partial", "failed"]))
            settled.add(ending.key)
            if ran[ending.key] == "failed":
                failed[ending.key] = "failed"
    for each in workflow.phases:
        hindered = any(ran.get(key, "failed") == "failed" for key in each.needs)
        assert (each.key in ran) is not hindered


def test_a_hindrance_names_the_phase_and_what_happened_to_it() -> None:
    assert hindrance(TWO, {"one": "failed"}) == "needs one, which failed"
    assert hindrance(TWO, {"three": "failed"}) is None
    assert hindrance(THREE, {"one": "failed"}) is None, "it comes after one, and can do without it"


def test_the_environments_of_workflows_are_each_named_once() -> None:
    other = Workflow("other", "Other", "m:o", (dataclasses.replace(ONE, environment="audio"), TWO), environment="light")
    assert environments_of([WORK, other, WORK]) == ["base", "light", "audio"]
