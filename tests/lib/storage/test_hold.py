"""A folder of storage is held by one run at a time, and not longer than the run lives."""

import threading
from collections.abc import Callable, Iterator
from queue import Queue
from typing import Any

import pytest

from lib.errors import InputError
from lib.storage import Remote, TakenOverError, held, require_not_taken_over
from lib.storage.hold import FOLDER, Lost

FAST: dict[str, Any] = {"beat": 0.1, "patience": 1.5}
PATIENT: dict[str, Any] = {"beat": 0.1, "patience": 60}
"""Where the other one lives: a busy machine may be late with its signs."""
DEADLINE = 60


@pytest.fixture
def never() -> Iterator[Lost]:
    """Give what is called when a hold is lost, and see that it was not."""
    calls: list[str] = []
    yield lambda _again: calls.append("lost")
    assert calls == []


def abandoned(remote: Remote, run: str) -> None:
    """Leave what a process leaves that is killed while it holds the folder."""
    remote.write(f"{FOLDER}/{run}.1234.beat", b"7")
    remote.write(f"{FOLDER}/{run}.1234.claim", b'{"run": "x", "host": "far", "since": "2026"}')


def test_a_second_run_is_refused_while_the_first_lives(remote: Remote, never: Lost) -> None:
    with held(remote, "first", never, **PATIENT):
        with (
            pytest.raises(InputError, match=r"Another run works in .*first") as refused,
            held(remote, "2", never, **PATIENT),
        ):
            pass
        assert remote.url in str(refused.value)
    with held(remote, "second", never, **PATIENT):
        pass
    assert remote.list(FOLDER) == {}, "nothing is left"


def test_a_run_that_is_gone_is_taken_over_from(remote: Remote, never: Lost) -> None:
    abandoned(remote, "gone")
    with held(remote, "next", never, **FAST):
        assert {name.rpartition("/")[2].partition(".")[0] for name in remote.list(FOLDER)} == {"next"}


def test_the_same_run_goes_on_at_once(remote: Remote, never: Lost) -> None:
    abandoned(remote, "run")
    with held(remote, "run", never, beat=30, patience=300):
        pass


def test_who_is_taken_over_from_learns_it(remote: Remote, never: Lost) -> None:
    lost: Queue[bool] = Queue()
    with held(remote, "run", lost.put, **FAST), held(remote, "run", never, **FAST):
        assert lost.get(timeout=DEADLINE), "another attempt at the same run has it now"
    with held(remote, "run", lost.put, **FAST):
        remote.delete(remote.list(FOLDER))
        assert not lost.get(timeout=DEADLINE)


def test_who_is_taken_over_from_learns_it_once_whatever_comes_of_it(
    remote: Remote, never: Lost, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    ended = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _why: ended.set())

    def fail(_again: bool) -> None:
        told.append("lost")
        raise RuntimeError("it could not be told")

    with held(remote, "run", fail, **FAST), held(remote, "run", never, **FAST):
        assert ended.wait(DEADLINE), "its thread has ended with that"
    assert told == ["lost"]


def test_a_late_sign_of_one_that_was_taken_over_from_is_taken_away(remote: Remote, never: Lost) -> None:
    remote.write(f"{FOLDER}/gone.1234.beat", b"7")
    with held(remote, "next", never, **FAST):
        assert {name.rpartition("/")[2].partition(".")[0] for name in remote.list(FOLDER)} == {"next"}
    assert remote.list(FOLDER) == {}


def test_who_works_for_a_run_that_was_taken_over_from_is_told(remote: Remote, never: Lost) -> None:
    require_not_taken_over(remote, "first")  # nobody holds it: the run may go on elsewhere
    with held(remote, "first", never, **PATIENT):
        abandoned(remote, "other")  # one that has just begun, and will find that it is held
        require_not_taken_over(remote, "first")
    with pytest.raises(TakenOverError, match=r"Another run took over .*run x on far"):
        require_not_taken_over(remote, "first")


def test_of_many_at_once_at_most_one_holds_it(remote: Remote, never: Lost) -> None:
    start = threading.Barrier(4)
    at_work: list[str] = []
    most: list[int] = []

    def claim(name: str) -> None:
        start.wait(DEADLINE)
        try:
            with held(remote, name, never, **PATIENT):
                at_work.append(name)
                most.append(len(at_work))
                start.wait(DEADLINE)
                at_work.remove(name)
        except InputError:
            start.wait(DEADLINE)

    threads = [threading.Thread(target=claim, args=(f"run{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(3 * DEADLINE)
    assert not any(thread.is_alive() for thread in threads)
    assert max(most, default=0) <= 1


def test_storage_that_cannot_be_written_is_told(s3: str, never: Lost) -> None:
    from lib.storage import connect

    claim: Callable[[], Any] = lambda: held(connect(f"{s3}-of-nobody/work"), "run", never, **FAST).__enter__()  # noqa: E731
    with pytest.raises(InputError, match="no such bucket"):
        claim()
