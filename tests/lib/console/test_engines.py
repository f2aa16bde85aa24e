import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lib.console.engines import EngineCheck, Engines
from lib.runs.engines import EngineState, engines_of
from lib.runs.plan import Phase, PlanError, Workflow

MILL = Workflow("mill", "Mill", "m:mill", (Phase(1, "grind", "Grind", "m:grind", "base"),))
GATE = threading.Event()
ASKED: list[str] = []


def stones(_say: Callable[[str], None]) -> list[EngineState]:
    """What tells of the mill's engines, once the gate is open."""
    ASKED.append("stones")
    assert GATE.wait(30)
    return [EngineState("grind", "granite", "2.0"), EngineState("grind", "flint", missing="There is no flint.")]


def broken(_say: Callable[[str], None]) -> list[EngineState]:
    raise OSError("the mill burned down")


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """This module, under a name that a workflow can give."""
    import sys
    import types

    module = types.ModuleType("mill_engines")
    module.stones, module.broken = stones, broken  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mill_engines", module)
    GATE.set()
    ASKED.clear()


def checked(check: EngineCheck) -> Engines:
    return until(lambda: known if (known := check.known()).checked else None)


def until(true: Callable[[], Any], seconds: float = 30) -> Any:
    """Wait for something to become true, and return it."""
    deadline = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.01)
    return value


def test_a_workflow_that_names_nothing_has_no_engines() -> None:
    assert engines_of(MILL) == ()


@pytest.mark.parametrize("place", ["nowhere:at_all", "mill_engines:nothing", "mill_engines", ":"])
def test_what_is_named_and_not_there_is_said(place: str) -> None:
    with pytest.raises(PlanError, match="mill: there is no"):
        engines_of(replace(MILL, engines=place))


def test_engines_are_asked_for_in_the_background_and_once() -> None:
    GATE.clear()
    check = EngineCheck([replace(MILL, engines="mill_engines:stones")])
    assert check.known() == check.known() == Engines()
    GATE.set()
    known = checked(check)
    assert [(each.engine, each.can_run, each.reason) for each in known.engines] == [
        ("granite", True, ""),
        ("flint", False, "There is no flint."),
    ]
    assert {each.workflow for each in known.engines} == {"mill"}
    assert check.known() is known
    assert ASKED == ["stones"]


def test_nobody_is_asked_before_somebody_wants_to_know() -> None:
    EngineCheck([replace(MILL, engines="mill_engines:stones")])
    assert ASKED == []


def test_an_answer_is_asked_for_again_when_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    check = EngineCheck([replace(MILL, engines="mill_engines:stones")])
    first = checked(check)
    monkeypatch.setattr("lib.console.engines.SECONDS_KEPT", -1.0)
    until(lambda: check.known().checked != first.checked)


def test_a_workflow_that_cannot_be_asked_is_said_beside_the_others() -> None:
    known = checked(EngineCheck([replace(MILL, engines="mill_engines:broken"), MILL]))
    [engine] = known.engines
    assert not engine.can_run
    assert "burned down" in engine.reason
