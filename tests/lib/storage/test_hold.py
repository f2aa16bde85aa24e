"""A folder of storage is held by one run at a time, and not longer than the run lives."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from lib.errors import InputError
from lib.storage import Remote, held
from lib.storage.hold import FOLDER

FAST: dict[str, Any] = {"beat": 0.1, "patience": 1.5}
PATIENT: dict[str, Any] = {"beat": 0.1, "patience": 60}
"""Where the other one lives: a busy machine may be late with its signs."""


def never() -> None:
    raise AssertionError("the hold was lost")


def abandoned(remote: Remote, run: str) -> None:
    """Leave what a process leaves that is killed while it holds the folder."""
    remote.write(f"{FOLDER}/{run}.1234.beat", b"7")
    remote.write(f"{FOLDER}/{run}.1234.claim", b'{"run": "x"}')


def test_a_second_run_is_refused_while_the_first_lives(remote: Remote) -> None:
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


def test_a_run_that_is_gone_is_taken_over_from(remote: Remote) -> None:
    abandoned(remote, "gone")
    with held(remote, "next", never, **FAST):
        assert {name.rpartition("/")[2].partition(".")[0] for name in remote.list(FOLDER)} == {"next"}


def test_the_same_run_goes_on_at_once(remote: Remote) -> None:
    abandoned(remote, "run")
    with held(remote, "run", never, beat=30, patience=300):
        pass


def test_who_is_taken_over_from_learns_it(remote: Remote) -> None:
    lost = threading.Event()
    with held(remote, "run", lost.set, **FAST), held(remote, "run", never, **FAST):
        assert lost.wait(30)


def test_of_many_at_once_at_most_one_holds_it(remote: Remote) -> None:
    start = threading.Barrier(4)
    at_work: list[str] = []
    most: list[int] = []

    def claim(name: str) -> None:
        start.wait(10)
        try:
            with held(remote, name, never, **PATIENT):
                at_work.append(name)
                most.append(len(at_work))
                start.wait(10)
                at_work.remove(name)
        except InputError:
            start.wait(10)

    threads = [threading.Thread(target=claim, args=(f"run{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert max(most, default=0) <= 1


def test_storage_that_cannot_be_written_is_told(s3: str) -> None:
    from lib.storage import connect

    claim: Callable[[], Any] = lambda: held(connect(f"{s3}-of-nobody/work"), "run", never, **FAST).__enter__()  # noqa: E731
    with pytest.raises(InputError, match="no such bucket"):
        claim()
