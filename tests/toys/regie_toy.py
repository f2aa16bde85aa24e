"""The flows of a small workflow whose phases do as they are told; other processes import them by name."""

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from prefect import State, flow
from pydantic import BaseModel
from regie_toy_plan import TOY

from flows.orchestration import conclude, phase_flow, run_phases, verdict, workflow_flow
from lib.errors import InputError
from lib.files import replacing
from lib.runs.plan import Phase, Workflow
from lib.runs.report import Item, ItemState, PhaseReport
from tasks.progress import PhaseProgress

MEETING = threading.Barrier(2, timeout=60)
SIZES = {"one": 1.0, "two": 3.0}


class Orders(BaseModel):
    """What each phase is to do.

    By its key: `raise`, `fail` or `partial`; `meet` another that runs at the same time; `wait` before the first item;
    and in the middle of the second one, with half a file written: `hold` it, be `deaf` to signals, `exit` at once,
    `kill` the own process. Every order holds until the file `<key>.go` is in the folder.
    """

    phases: dict[str, str] = {}
    folder: str = ""
    """Where each item's file is written (`<key>.<item>`: an item that has one is kept) and every beginning is counted:
    a line of `<key>.begun` per run of the phase, with its process, and of `<key>.worked` per item worked on."""
    steps: int = 1
    """Steps of the work on each item."""
    pause: float = 0.0
    """Seconds that a step takes."""


class Player:
    """One phase that does as it is told."""

    def __init__(self, key: str, orders: Orders) -> None:
        self._key = key
        self._orders = orders
        self._folder = Path(orders.folder) if orders.folder else None

    def play(self) -> State[Any]:
        """Do the work on both items."""
        self._note("begun", f"{os.getpid()} {Path(sys.prefix).name}")
        with PhaseProgress(SIZES) as progress:
            if self._ordered("raise"):
                raise InputError("The toy is broken. Mend it.")
            if self._ordered("meet"):
                MEETING.wait()
            self._stay("wait")
            items = []
            for subject in SIZES:
                items.append(self._item(subject, progress))
                progress.ended(items[-1])
        return conclude(PhaseReport(phase=self._key, items=tuple(items)))

    def _item(self, subject: str, progress: PhaseProgress) -> Item:
        failing = self._ordered("fail") or (subject == "two" and self._ordered("partial"))
        if failing:
            return Item(subject=subject, state=ItemState.FAILED, engine=self._engine, reason="it is too old")
        if self._folder is None:
            self._work(subject, progress)
            return Item(subject=subject, state=ItemState.DONE, engine=self._engine)
        target = self._folder / f"{self._key}.{subject}"
        if target.exists():
            return Item(subject=subject, state=ItemState.KEPT, engine=self._engine)
        self._note("worked", subject)
        with replacing(target) as temporary:
            temporary.write_text("half of it")
            self._work(subject, progress)
            temporary.write_text("all of it")
        return Item(subject=subject, state=ItemState.DONE, engine=self._engine)

    def _work(self, subject: str, progress: PhaseProgress) -> None:
        tell = progress.of(subject)
        for step in range(self._orders.steps):
            tell(step, self._orders.steps)
            if subject == "two" and step == self._orders.steps // 2:
                self._stay("hold")
                if self._ordered("deaf"):
                    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
                self._stay("deaf")
                if self._ordered("exit"):
                    os._exit(7)
                if self._ordered("kill"):
                    os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(self._orders.pause)
        tell(self._orders.steps, self._orders.steps)

    @property
    def _engine(self) -> str:
        return f"clockwork in {Path(sys.prefix).name}"

    def _ordered(self, order: str) -> bool:
        gate = self._folder / f"{self._key}.go" if self._folder else None
        return self._orders.phases.get(self._key) == order and not (gate and gate.exists())

    def _stay(self, order: str) -> None:
        while self._ordered(order):
            time.sleep(0.05)

    def _note(self, book: str, line: str) -> None:
        if self._folder:
            with (self._folder / f"{self._key}.{book}").open("a") as noted:
                noted.write(line + "\n")


@phase_flow(TOY, "start")
def start(source: str, orders: Orders) -> State[Any]:
    """Begin."""
    return Player("start", orders).play()


@phase_flow(TOY, "left")
def left(source: str, orders: Orders) -> State[Any]:
    """Go left."""
    return Player("left", orders).play()


@phase_flow(TOY, "right")
def right(source: str, orders: Orders) -> State[Any]:
    """Go right."""
    return Player("right", orders).play()


@phase_flow(TOY, "join")
def join(source: str, orders: Orders) -> State[Any]:
    """Come together."""
    return Player("join", orders).play()


@phase_flow(TOY, "last")
def last(source: str, orders: Orders) -> State[Any]:
    """End, in an environment of its own."""
    return Player("last", orders).play()


@workflow_flow("toy")
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


@workflow_flow("wide")
def wide(first: int | None = None, last: int | None = None) -> State[Any]:
    """Run many phases, three at a time."""
    chosen = WIDE.select((), first, last)
    return verdict(chosen, run_phases(WIDE, chosen, {}, inline=True, subject="{wide}"))
