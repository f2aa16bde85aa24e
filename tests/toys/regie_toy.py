"""The flows of a small workflow whose phases do as they are told; other processes import them by name."""

import sys
import threading
import time
from pathlib import Path
from typing import Any

from prefect import State, flow
from pydantic import BaseModel
from regie_toy_plan import TOY

from flows.orchestration import conclude, run_phases, verdict
from lib.errors import InputError
from lib.runs.plan import Phase, Workflow
from lib.runs.report import Item, ItemState, PhaseReport
from tasks.progress import PhaseProgress

MEETING = threading.Barrier(2, timeout=60)


class Orders(BaseModel):
    """What each phase is to do: `partial`, `fail`, `raise`, `meet` another that runs at the same time, `wait`."""

    phases: dict[str, str] = {}


def _play(key: str, orders: Orders) -> State[Any]:
    order = orders.phases.get(key, "")
    with PhaseProgress({"one": 1, "two": 3}) as progress:
        if order == "raise":
            raise InputError("The toy is broken. Mend it.")
        if order == "meet":
            MEETING.wait()
        while order == "wait":
            time.sleep(0.1)
        states = {
            "partial": (ItemState.DONE, ItemState.FAILED),
            "fail": (ItemState.FAILED, ItemState.FAILED),
        }.get(order, (ItemState.DONE, ItemState.DONE))
        items = []
        for subject, state in zip(("one", "two"), states, strict=True):
            reason = "it is too old" if state is ItemState.FAILED else ""
            item = Item(subject=subject, state=state, engine=f"clockwork in {Path(sys.prefix).name}", reason=reason)
            progress.of(subject)(1, 1)
            progress.ended(item)
            items.append(item)
    return conclude(PhaseReport(phase=key, items=tuple(items)))


@flow(name="toy-start", persist_result=False)
def start(source: str, orders: Orders) -> State[Any]:
    """Begin."""
    return _play("start", orders)


@flow(name="toy-left", persist_result=False)
def left(source: str, orders: Orders) -> State[Any]:
    """Go left."""
    return _play("left", orders)


@flow(name="toy-right", persist_result=False)
def right(source: str, orders: Orders) -> State[Any]:
    """Go right."""
    return _play("right", orders)


@flow(name="toy-join", persist_result=False)
def join(source: str, orders: Orders) -> State[Any]:
    """Come together."""
    return _play("join", orders)


@flow(name="toy-last", persist_result=False)
def last(source: str, orders: Orders) -> State[Any]:
    """End, in an environment of its own."""
    return _play("last", orders)


@flow(name="toy", persist_result=False, retries=0)
def toy(
    source: str,
    orders: Orders | None = None,
    only: list[int] | None = None,
    first: int | None = None,
    last: int | None = None,
    inline: bool = False,
) -> State[Any]:
    """Run the toy's phases."""
    chosen = TOY.select(only or (), first, last)
    parameters = {"source": source, "orders": orders or Orders()}
    ended = run_phases(TOY, chosen, parameters, inline=inline, subject=source)
    return verdict(chosen, ended)


def _wide_phase(number: int) -> Any:
    @flow(name=f"wide-p{number}", persist_result=False)
    def phase() -> State[Any]:
        """One of many."""
        return conclude(PhaseReport(phase=f"p{number}"))

    return phase


WIDTH = 12
globals().update({f"wide_{number}": _wide_phase(number) for number in range(1, WIDTH + 1)})
WIDE = Workflow(
    "wide",
    "Wide",
    "regie_toy:wide",
    tuple(
        Phase(n, f"p{n}", f"Phase {n}", f"regie_toy:wide_{n}", "base", (f"p{n - 3}",) if n > 3 else ())
        for n in range(1, WIDTH + 1)
    ),
)


@flow(name="wide", persist_result=False)
def wide(first: int | None = None, last: int | None = None) -> State[Any]:
    """Run many phases, three at a time."""
    chosen = WIDE.select((), first, last)
    return verdict(chosen, run_phases(WIDE, chosen, {}, inline=True, subject="{wide}"))
