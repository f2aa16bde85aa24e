"""The throttle, with a clock that moves only when somebody sleeps."""

import ctypes
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.throttle import Throttle, retry_after

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def throttle(clock: Clock, rate: int = 5) -> Throttle:
    return Throttle(rate, clock=clock, sleep=clock.sleep)


def test_as_many_as_the_rate_go_at_once_and_the_next_waits() -> None:
    clock = Clock()
    gate = throttle(clock)
    for _ in range(5):
        with gate:
            pass
    assert clock.slept == []
    with gate:
        pass
    assert sum(clock.slept) == pytest.approx(1)


@given(
    rate=st.integers(1, 7),
    requests=st.lists(
        st.tuples(st.floats(0, 2), st.floats(0, 0.5), st.floats(0, 1)),  # idle before, on its way, until the answer
        max_size=40,
    ),
)
def test_no_more_than_the_rate_arrive_within_a_second(rate: int, requests: list[tuple[float, float, float]]) -> None:
    clock = Clock()
    gate = throttle(clock, rate)
    arrivals = []
    for idle, travel, rest in requests:
        clock.now += idle
        with gate:
            arrivals.append(clock.now + travel)
            clock.now += travel + rest
    for first, beyond in zip(arrivals, arrivals[rate:], strict=False):
        assert beyond - first >= 1.0 - 1e-9


def test_a_pause_holds_for_all() -> None:
    clock = Clock()
    gate = throttle(clock)
    gate.pause(30)
    gate.pause(2)
    with gate:
        pass
    assert sum(clock.slept) == pytest.approx(30)


def test_a_wait_is_left_at_once_when_the_thread_is_told_to_stop() -> None:
    class StoppedError(BaseException):
        pass

    gate = Throttle(5)
    gate.pause(120)
    waiting = threading.Event()
    ended: list[BaseException] = []

    def ask() -> None:
        try:
            waiting.set()
            with gate:
                pass
        except StoppedError as error:
            ended.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    waiting.wait()
    # So a run is told to stop; a sleep that goes on does not feel it.
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(StoppedError))
    thread.join(10)
    assert len(ended) == 1


def test_threads_share_the_rate() -> None:
    gate = Throttle(3, 0.05)
    arrivals: list[float] = []

    def ask() -> None:
        for _ in range(3):
            with gate:
                arrivals.append(time.monotonic())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    arrivals.sort()
    assert len(arrivals) == 12
    assert all(later - early >= 0.05 for early, later in zip(arrivals, arrivals[3:], strict=False))


def test_a_request_that_fails_counts_and_does_not_hold_its_place() -> None:
    clock = Clock()
    gate = throttle(clock, rate=1)
    with pytest.raises(OSError, match="cut"), gate:
        raise OSError("cut")
    with gate:
        pass
    assert sum(clock.slept) == pytest.approx(1)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("12", 12.0),
        (" 7 ", 7.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("later", None),
        ("-3", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds
