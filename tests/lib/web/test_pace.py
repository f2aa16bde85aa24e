import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.web.options import WebOptions
from lib.web.outcomes import Unavailable
from lib.web.pace import FAILURES, MOST_HOSTS, REST, Pace

from .conftest import Time


def nothing() -> None:
    """Say that it is still wanted."""


def begins(pace: Pace, time: Time, count: int, crawl_delay: float = 0, host: str = "a.example") -> list[float]:
    """Return when each of some requests begins."""
    found = []
    for _ in range(count):
        with pace.turn(host, crawl_delay, nothing):
            found.append(round(time.passed, 2))
    return found


@pytest.fixture
def pace(time: Time) -> Callable[..., Pace]:
    return lambda **settings: Pace(WebOptions(**{"delay": 2} | settings), time.clock())


def test_requests_to_a_host_are_apart(pace: Callable[..., Pace], time: Time) -> None:
    assert begins(pace(), time, 4) == [0, 2, 4, 6]


def test_hosts_do_not_wait_for_each_other(pace: Callable[..., Pace], time: Time) -> None:
    here = pace()
    assert begins(here, time, 1) + begins(here, time, 1, host="b.example") == [0, 0]


def test_a_delay_that_the_site_asks_for_is_kept(pace: Callable[..., Pace], time: Time) -> None:
    assert begins(pace(), time, 3, crawl_delay=5) == [0, 5, 10]


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_host_is_asked_less_and_less(pace: Callable[..., Pace], time: Time, status: int) -> None:
    here = pace(delay=0, delay_most=6)
    delays = []
    for _ in range(5):
        here.answered("a.example", status, 0.1, None)
        delays.append(here.delay("a.example"))
    assert delays == [1, 2, 4, 6, 6]


def test_a_host_that_recovers_is_asked_more_and_more(pace: Callable[..., Pace], time: Time) -> None:
    here = pace(delay=0.5)
    for _ in range(3):
        here.answered("a.example", 429, 0, None)
    delays = []
    for _ in range(5):
        here.answered("a.example", 200, 0, None)
        delays.append(here.delay("a.example"))
    assert delays == [2, 1, 0.5, 0.5, 0.5]


def test_a_slow_host_is_asked_as_fast_as_it_answers(pace: Callable[..., Pace], time: Time) -> None:
    here = pace(delay=0.5, host_requests=2)
    here.answered("a.example", 200, 8, None)
    assert here.delay("a.example") == 4
    here.answered("a.example", 200, 2, None)
    assert here.delay("a.example") == 2.5


def test_a_host_that_asks_for_rest_gets_it(pace: Callable[..., Pace], time: Time) -> None:
    here = pace(delay=0)
    here.answered("a.example", 503, 0, 30)
    assert begins(here, time, 1) == [30]


def test_a_long_rest_is_not_waited_for(pace: Callable[..., Pace], time: Time) -> None:
    here = pace(retry_after_most=60)
    here.answered("a.example", 429, 0, 61)
    with pytest.raises(Unavailable, match="61 s") as raised, here.turn("a.example", 0, nothing):
        raise AssertionError
    assert (raised.value.status, raised.value.after) == (429, 61)
    assert time.passed == 0
    time.now += 61
    assert begins(here, time, 1) == [61]


def test_a_host_that_never_answers_is_left_alone_for_a_while(pace: Callable[..., Pace], time: Time) -> None:
    here = pace(delay=0)
    for _ in range(FAILURES):
        assert begins(here, time, 1)
        here.answered("a.example", None, 0, None)
    with pytest.raises(Unavailable), here.turn("a.example", 0, nothing):
        raise AssertionError
    time.now += REST
    assert begins(here, time, 1)


def test_one_answer_is_enough_to_go_on(pace: Callable[..., Pace], time: Time) -> None:
    here = pace(delay=0)
    for _ in range(3):
        for _ in range(FAILURES - 1):
            here.answered("a.example", 500, 0, None)
        here.answered("a.example", 404, 0, None)
    assert begins(here, time, 1) == [0]


def test_no_more_at_once_than_is_allowed(time: Time) -> None:
    here = Pace(WebOptions(delay=0, host_requests=2), time.clock())
    inside = threading.Semaphore(0)
    release = threading.Event()

    def work() -> None:
        with here.turn("a.example", 0, nothing):
            inside.release()
            release.wait(10)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert inside.acquire(timeout=10)
    assert inside.acquire(timeout=10)
    assert not inside.acquire(timeout=0.2)
    release.set()
    for thread in threads:
        thread.join(10)
    assert [inside.acquire(blocking=False) for _ in range(4)] == [True, True, True, False]


def test_whoever_waits_can_be_stopped(pace: Callable[..., Pace], time: Time) -> None:
    here = pace(delay=50)
    begins(here, time, 1)

    def stop() -> None:
        if time.passed > 1:
            raise InterruptedError

    with pytest.raises(InterruptedError), here.turn("a.example", 0, stop):
        raise AssertionError
    assert time.passed < 2


def test_hosts_are_forgotten(pace: Callable[..., Pace], time: Time) -> None:
    here = pace(delay=0)
    for number in range(3 * MOST_HOSTS):
        begins(here, time, 1, host=f"{number}.example")
        time.now += 1
    assert len(here._hosts) <= MOST_HOSTS + 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, 200, 404, 429, 500, 503]),
            st.floats(0, 1e6),
            st.none() | st.floats(0, 1e9),
        ),
        max_size=30,
    )
)
def test_delays_stay_within_their_limits(answers: list[tuple[int | None, float, float | None]]) -> None:
    time = Time()
    here = Pace(WebOptions(delay=0.5, delay_most=30), time.clock())
    for status, seconds, after in answers:
        here.answered("a.example", status, seconds, after)
        assert 0.5 <= here.delay("a.example") <= 30
