"""Work that is asked to stop ends in the middle, once, and cleans up undisturbed."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from prefect.client.schemas.objects import StateType
from prefect.exceptions import TerminationSignal

from flows.stopping import Disowned, Stop, Stopped, stopped_as_asked, told_to_end


class Work:
    """Work that goes on for ever; how it was ended, and whether it could clean up while it was disturbed again."""

    def __init__(self) -> None:
        self.stop: Stop | None = None
        self.begun = threading.Event()
        self.cleaned = False
        self.cleaning = threading.Event()
        self.disturbed = threading.Event()

    def __call__(self, meanwhile: Callable[[], None] = lambda: None) -> str:
        self.stop = Stop()
        try:
            with self.stop.listening():
                try:
                    self.begun.set()
                    while True:
                        meanwhile()
                finally:
                    self.cleaning.set()
                    self.cleaned = self.disturbed.wait(10)
        except Stopped:
            return "stopped"
        except TerminationSignal:
            return "terminated"


def sleep_long() -> None:
    threading.Event().wait(60)


def ask_again_and_again(work: Work) -> None:
    assert work.begun.wait(10)
    assert work.stop is not None
    while not work.cleaning.wait(0.05):
        work.stop.ask()
    work.stop.ask()
    work.disturbed.set()


def test_work_in_another_thread_is_stopped_once() -> None:
    work = Work()
    with ThreadPoolExecutor() as threads:
        ended: Future[str] = threads.submit(work)
        ask_again_and_again(work)
        assert ended.result(10) == "stopped"
    assert work.cleaned


def test_work_in_the_main_thread_is_woken_up_and_stopped_once() -> None:
    work, before = Work(), signal.getsignal(signal.SIGTERM)
    asking = threading.Thread(target=ask_again_and_again, args=(work,))
    asking.start()
    assert work(sleep_long) == "stopped"
    asking.join()
    assert work.cleaned
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_process_that_is_told_to_end_ends_its_work_once_and_not_in_the_cleaning_up() -> None:
    work = Work()

    def tell_twice() -> None:
        assert work.begun.wait(10)
        while not work.cleaning.wait(0.05):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        work.disturbed.set()

    telling = threading.Thread(target=tell_twice)
    telling.start()
    assert work(sleep_long) == "terminated"
    telling.join()
    assert work.cleaned


@pytest.mark.parametrize("in_main", [True, False])
def test_work_that_is_asked_to_stop_before_it_begins_does_not_begin(in_main: bool) -> None:
    done: list[str] = []

    def work() -> None:
        stop = Stop()
        stop.ask(told_to_end)
        with pytest.raises(Stopped), stop.listening():
            done.append("something")
        assert stop.state().type is StateType.CRASHED

    if in_main:
        work()
    else:
        with ThreadPoolExecutor() as threads:
            threads.submit(work).result(10)
    assert done == []


@pytest.mark.parametrize("in_main", [True, False])
def test_work_that_has_ended_is_not_stopped_any_more(in_main: bool) -> None:
    def work() -> None:
        stop = Stop()
        with stop.listening():
            pass
        stop.ask()

    if in_main:
        work()
    else:
        with ThreadPoolExecutor() as threads:
            threads.submit(work).result(10)


@pytest.mark.parametrize("in_main", [True, False])
def test_work_on_a_run_that_was_given_to_another_is_told_so(in_main: bool) -> None:
    def work() -> None:
        stop = Stop()
        stop.ask(raised=Disowned)
        with pytest.raises(Disowned), stop.listening():
            pass

    if in_main:
        work()
    else:
        with ThreadPoolExecutor() as threads:
            threads.submit(work).result(10)


def test_each_end_is_a_state_of_its_own() -> None:
    def ids(make: Callable[[], Any]) -> set[Any]:
        return {make().id for _ in range(2)}

    assert len(ids(stopped_as_asked) | ids(told_to_end)) == 4
