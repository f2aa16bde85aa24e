"""Which machines are gone, by when something new was heard of them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st
from prefect.client.schemas.objects import Worker

from deployments.hosts import Hosts
from lib.runs.process import host_name

BEGINNING = datetime(2030, 1, 1, tzinfo=UTC)
PATIENCE = 30.0


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def a_worker(beat: float, name: str = "studio:41", interval: int = 5) -> Worker:
    return Worker(
        name=name,
        work_pool_id=uuid4(),
        last_heartbeat_time=BEGINNING + timedelta(seconds=beat),
        heartbeat_interval_seconds=interval,
    )


def watched(clock: Clock, seconds: float, workers: Callable[[float], list[Worker]], hosts: Hosts) -> None:
    """Look every three seconds for so long."""
    for _ in range(int(seconds // 3)):
        clock.now += 3
        hosts.note(workers(clock.now))


def test_a_machine_is_lost_after_the_patience_without_anything_new() -> None:
    clock = Clock()
    hosts = Hosts(PATIENCE, clock=clock)
    watched(clock, 60, lambda now: [a_worker(now)], hosts)
    assert not hosts.is_lost("studio")
    last = clock.now
    watched(clock, PATIENCE, lambda _now: [a_worker(last)], hosts)
    assert not hosts.is_lost("studio")
    watched(clock, 3, lambda _now: [a_worker(last)], hosts)
    assert hosts.is_lost("studio")
    watched(clock, 3, lambda now: [a_worker(now)], hosts)
    assert not hosts.is_lost("studio"), "it is back"


def test_one_worker_of_many_is_sign_enough_and_a_new_one_too() -> None:
    clock = Clock()
    hosts = Hosts(PATIENCE, clock=clock)
    watched(clock, 90, lambda now: [a_worker(1), a_worker(now, "studio:42"), a_worker(2)], hosts)
    assert not hosts.is_lost("studio")
    watched(clock, 90, lambda now: [a_worker(1), a_worker(now, "studio:77")], hosts)
    assert not hosts.is_lost("studio")


def test_a_machine_whose_heart_beats_slowly_is_given_longer() -> None:
    clock = Clock()
    hosts = Hosts(PATIENCE, clock=clock)
    watched(clock, 60, lambda _now: [a_worker(0, interval=30)], hosts)
    assert not hosts.is_lost("studio")
    watched(clock, 60, lambda _now: [a_worker(0, interval=30)], hosts)
    assert hosts.is_lost("studio")


def test_no_machine_is_lost_because_the_server_did_not_answer() -> None:
    clock = Clock()
    hosts = Hosts(PATIENCE, clock=clock)
    watched(clock, 6, lambda _now: [a_worker(0)], hosts)
    clock.now += 600
    watched(clock, PATIENCE / 2, lambda _now: [a_worker(0)], hosts)
    assert not hosts.is_lost("studio"), "it is given the time to be heard again"
    watched(clock, PATIENCE / 2, lambda _now: [a_worker(0)], hosts)
    assert hosts.is_lost("studio")


def test_a_server_that_is_slow_to_answer_hides_no_lost_machine() -> None:
    clock = Clock()
    hosts = Hosts(PATIENCE, clock=clock)
    for _ in range(6):
        clock.now += PATIENCE
        hosts.note([a_worker(0)])
    assert hosts.is_lost("studio")


@given(beats=st.lists(st.floats(-1e6, 1e6), max_size=20))
def test_clocks_of_others_are_never_compared_with_this_ones(beats: list[float]) -> None:
    clock = Clock()
    hosts = Hosts(PATIENCE, clock=clock)
    for beat in beats:
        clock.now += 1
        hosts.note([a_worker(beat)])
    assert not hosts.is_lost("studio")


def test_a_machine_of_which_nothing_was_heard_is_not_lost() -> None:
    assert not Hosts(PATIENCE).is_lost("studio")
    assert not Hosts(PATIENCE).is_lost("")


def test_this_machine_is_lost_only_for_a_while_after_it_began_or_was_cut_off() -> None:
    clock = Clock()
    hosts, staying = Hosts(PATIENCE, returning=True, clock=clock), Hosts(PATIENCE, clock=clock)
    assert hosts.is_lost(host_name())
    assert not staying.is_lost(host_name())
    watched(clock, PATIENCE, lambda _now: [], hosts)
    assert not hosts.is_lost(host_name())
    clock.now += PATIENCE
    hosts.note([])
    staying.note([])
    assert hosts.is_lost(host_name())
    assert not staying.is_lost(host_name())
