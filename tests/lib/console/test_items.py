"""Items are found in bounded time and with bounded threads, and what goes wrong is said in words."""

import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import anyio
import pytest
import regie_toy_offers as toy

from lib.console import items
from lib.console.items import AT_ONCE, find_items
from lib.console.problems import ProblemError
from lib.errors import InputError, UnavailableError
from lib.runs.plan import PlanError, Workflow

QUESTIONS = [{"source": "Site", "status": status} for status in ("analysed", "expired")]


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A store that does not answer until the test is over."""
    release = threading.Event()
    monkeypatch.setattr(items, "items_of", lambda *_: release.wait(30) and [])
    monkeypatch.setattr(items, "SECONDS", 0.05)
    yield release
    release.set()
    # Every thread gives its place back.
    for _ in range(AT_ONCE):
        assert items._free.acquire(timeout=30)
    for _ in range(AT_ONCE):
        items._free.release()


def found(workflow: Workflow = toy.TOY_OFFERS, limit: int = 10, **parameters: Any) -> Any:
    return anyio.run(partial(find_items, workflow, parameters, QUESTIONS, limit))


def test_one_question_follows_the_other_until_there_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(toy.FOUND, ("Site", "analysed"), [toy.item("one"), toy.item("two")])
    monkeypatch.setitem(toy.FOUND, ("Site", "expired"), [toy.item("three"), toy.item("four")])
    assert [item["title"] for item in found()] == ["one", "two", "three", "four"]
    assert [item["title"] for item in found(limit=3)] == ["one", "two", "three"]
    assert [item["title"] for item in found(limit=1)] == ["one"]


@pytest.mark.parametrize(("store", "kind"), [("away", UnavailableError), ("wrong", InputError)])
def test_what_a_person_can_act_on_is_said_as_it_is(store: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="store"):
        found(store=store)


def test_a_workflow_without_items_says_so() -> None:
    with pytest.raises(PlanError, match="no items"):
        found(Workflow("none", "None", "m:f", toy.TOY_OFFERS.phases))


def test_what_is_broken_is_said_without_what_it_holds() -> None:
    with pytest.raises(ProblemError) as caught:
        found(store="broken")
    assert (caught.value.status, "1234" in caught.value.detail) == (502, False)


def test_a_store_that_hangs_is_given_up_and_holds_few_threads(hanging: threading.Event) -> None:
    for _ in range(AT_ONCE):
        with pytest.raises(ProblemError) as caught:
            found()
        assert caught.value.status == 504
    with pytest.raises(ProblemError) as caught:
        found()
    assert caught.value.status == 503
