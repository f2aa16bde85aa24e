"""An mbox file is written anew with one thing changed, whatever is in it and whatever happens meanwhile."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import UnavailableError
from lib.offers.mail import mbox
from lib.offers.mail.base import MessageGoneError
from lib.offers.mail.folder import FolderMailbox
from lib.offers.mail.found import Found
from lib.offers.mail.mbox import Mbox, is_mbox
from lib.offers.mail.options import MailOptions

from .conftest import message, source_of

LINE = b"From jobs@jobs.example Mon Nov  2 08:00:00 2026\n"


def opened(path: Path) -> FolderMailbox:
    return FolderMailbox(path, MailOptions(), source_of)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "Alerts"
    path.write_bytes(b"".join(LINE + message(number) + b"\n" for number in (1, 2, 3)))
    return path


FIELDS = st.sampled_from(
    [b"Subject: one\n", b"status: O\n", b"Status: R\nX-Status: A\n", b"Status:\n RO\n", b"X-A: b\n c\n", b"no field\n"]
)
BODIES = st.lists(
    st.sampled_from([b"text\n", b"\n", b"From me to you\n", b">From me\n", b"\r\n", b"Status: RO\n", b"\xff\x00\n"])
)
MESSAGES = st.builds(
    lambda fields, empty, body, newline: (b"".join(fields) + empty + b"".join(body)).replace(b"\n", newline),
    st.lists(FIELDS, max_size=4),
    st.sampled_from([b"\n", b""]),
    BODIES,
    st.sampled_from([b"\n", b"\r\n"]),
)


@given(st.lists(MESSAGES, max_size=8), st.data())
def test_all_other_messages_stay_byte_for_byte_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, messages: list[bytes], data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "property"
    path.write_bytes(b"".join(LINE + each + b"\n\n" for each in messages))
    pieces = [LINE + each for each in path.read_bytes().split(LINE)[1:]]
    unread = {found.key: found for found in Mbox(path).unread()}
    chosen = data.draw(st.lists(st.sampled_from(sorted(unread)), unique=True) if unread else st.just([]))
    Mbox(path).handled(chosen)

    after = [LINE + each for each in path.read_bytes().split(LINE)[1:]]
    assert len(after) == len(pieces)
    changed = [(old, new) for old, new in zip(pieces, after, strict=True) if old != new]
    for old, new in changed:
        assert new.startswith(LINE + b"Status: RO\n")
        assert without_status(new) == without_status(old)
    assert {found.key for found in Mbox(path).unread()} == unread.keys() - set(chosen)
    assert not path.with_name("property.lock").exists()


def without_status(content: bytes) -> bytes:
    head, empty, body = re.split(rb"((?:\A|\n)\r?\n)", content, maxsplit=1)
    fields = re.findall(rb"[^\n]+(?:\n[ \t][^\n]*)*\n?", head + empty[:1])
    return b"".join(each for each in fields if not each.lower().startswith(b"status:")) + empty[1:] + body


def test_a_message_is_found_wherever_it_is_by_now(path: Path) -> None:
    box = opened(path)
    _, second, _ = box.audit()
    path.write_bytes(LINE + message(9) + b"\n" + LINE + b"Status: O\nX-UID: 7\n" + message(2) + b"\n")
    assert box.fetch(second) == b"Status: O\nX-UID: 7\n" + message(2)
    box.handled([second])
    assert path.read_bytes() == (LINE + message(9) + b"\n" + LINE + b"Status: RO\nX-UID: 7\n" + message(2) + b"\n")


def test_another_message_in_its_place_is_never_taken_for_it(path: Path) -> None:
    box = opened(path)
    first, *_ = box.audit()
    path.write_bytes(path.read_bytes().replace(b"An offer.", b"An order.", 1))
    before = path.read_bytes()
    with pytest.raises(MessageGoneError):
        box.fetch(first)
    box.handled([first])
    assert path.read_bytes() == before


def test_one_that_is_there_twice_counts_as_one(path: Path) -> None:
    path.write_bytes(path.read_bytes() + LINE + message(1))
    box = opened(path)
    first, second, third = box.audit()
    box.handled([first])
    assert box.audit() == [second, third]


def test_a_line_that_only_begins_like_a_message_is_text(path: Path) -> None:
    path.write_bytes(
        LINE + message(1, body="Hello\n\nFrom the desk of nobody:\nFrom: x\n\nFrom 10:30 on, 2026") + b"\n"
    )
    (found,) = opened(path).audit()
    assert b"nobody" in opened(path).fetch(found)


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        (b"From jobs@jobs.example Mon Nov  2 08:00:00 2026", True),
        (b"From jobs@jobs.example Mon Nov  2 08:00 2026 +0100", True),
        (b"From MAILER-DAEMON Mon Nov  2 08:00:00 2026", True),
        (b"From " + b"a" * 254 + b" Mon Nov  2 08:00:00 +0100 2026", True),
        (b"From 10:30 until 11:30 in 2026", True),
        (b"From 10:30 on, we open", False),
        (b"From 2026 on, at 10:30", False),
        (b"From  jobs@jobs.example Mon Nov  2 08:00:00 2026", False),
        (b"From " + b"00:00 " * 10_000, False),
        (b"From " + b"a" * 65_000 + b" 00:00 2026", False),
    ],
)
def test_what_a_message_begins_with(path: Path, line: bytes, begins: bool) -> None:
    path.write_bytes(line + b"\n" + message(1))
    assert is_mbox(path) is begins


def test_lines_that_are_nearly_the_beginning_of_a_message_take_no_time(path: Path) -> None:
    line = b"\n\nFrom x" + b"00:00 " * 10_000
    path.write_bytes(LINE + message(1) + line * 20 + b"\n")
    began = time.process_time()
    (found,) = opened(path).audit()
    # They took minutes: each time of day was tried with each that follows.
    assert time.process_time() - began < 20
    assert found.size > 20 * len(line)


def test_who_may_read_it_stays_the_same(path: Path) -> None:
    path.chmod(0o620)
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
    before = path.stat()
    box = opened(path)
    box.handled(box.audit())
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert box.audit() == []


class Locked:
    """An mbox that another program has locked for so many seconds, by a clock of its own."""

    def __init__(self, path: Path, seconds: float, unlock: Callable[[], object]) -> None:
        self.box = Mbox(path, lambda: self.now, self.sleep)
        self.now = 0.0
        self.longest = 0.0
        self.keys = [found.key for found in self.box.unread()]
        self._seconds, self._unlock = seconds, unlock

    def sleep(self, seconds: float) -> None:
        self.longest = max(self.longest, seconds)
        if self.now < self._seconds <= self.now + seconds:
            self._unlock()
        self.now += seconds


@contextmanager
def fcntl_lock(path: Path) -> Iterator[Callable[[], object]]:
    """Have another program lock a file until it is told not to."""
    code = (
        f"import fcntl; file = open({str(path)!r}, 'r+'); fcntl.lockf(file, fcntl.LOCK_EX); print(flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        try:
            yield lambda: holder.communicate(b"\n")
        finally:
            holder.kill()


@contextmanager
def lock_file(path: Path) -> Iterator[Callable[[], object]]:
    """Lock a file by one beside it."""
    lock = path.with_name("Alerts.lock")
    lock.touch()
    yield lock.unlink
    lock.unlink(missing_ok=True)


LOCKS = pytest.mark.parametrize("lock", [fcntl_lock, lock_file])
Lock = Callable[[Path], AbstractContextManager[Callable[[], object]]]


@LOCKS
def test_one_that_another_program_has_locked_for_a_moment_is_waited_for(path: Path, lock: Lock) -> None:
    with lock(path) as unlock:
        locked = Locked(path, 2, unlock)
        locked.box.handled(locked.keys)
    assert 2 <= locked.now < 3
    assert list(locked.box.unread()) == []


@LOCKS
def test_one_that_another_program_has_locked_is_left_alone(path: Path, lock: Lock) -> None:
    before = path.read_bytes()
    with lock(path) as unlock:
        locked = Locked(path, 100, unlock)
        with pytest.raises(UnavailableError, match=r"Another program has .* locked, for more than 5 s"):
            locked.box.handled(locked.keys)
    assert path.read_bytes() == before
    assert 5 <= locked.now < 6
    assert locked.longest < 0.5, "who waits longer at a time does not hear that it is to stop"
    locked.box.handled(locked.keys)
    assert list(locked.box.unread()) == []


def test_what_is_put_in_its_place_while_it_is_waited_for_is_what_is_written(path: Path) -> None:
    with lock_file(path) as unlock:

        def deliver() -> None:
            new = path.with_name("new")
            new.write_bytes(path.read_bytes() + LINE + message(4))
            new.replace(path)
            unlock()

        locked = Locked(path, 1, deliver)
        locked.box.handled(locked.keys)
    (left,) = locked.box.unread()
    assert isinstance(left, Found)
    assert left.heading.subject == "Alert 4"
    assert sorted(each.name for each in path.parent.iterdir()) == ["Alerts"]


def test_the_lock_of_a_program_that_crashed_does_not_count_for_ever(path: Path) -> None:
    lock = path.with_name("Alerts.lock")
    lock.touch()
    os.utime(lock, (time.time() - 400, time.time() - 400))
    box = opened(path)
    box.handled(box.audit())
    assert box.audit() == []
    assert not lock.exists()


def test_what_a_program_without_locks_adds_meanwhile_is_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = opened(path)
    found = box.audit()
    change_owner = os.fchown

    def add(*args: int) -> None:
        with path.open("ab") as file:
            file.write(LINE + message(4))
        change_owner(*args)

    monkeypatch.setattr(os, "fchown", add)
    with pytest.raises(UnavailableError, match="without locking it"):
        box.handled(found)
    assert [each.subject for each in box.audit()] == ["Alert 1", "Alert 2", "Alert 3", "Alert 4"]
    assert sorted(each.name for each in path.parent.iterdir()) == ["Alerts"]


@pytest.mark.parametrize("pieces", [*range(1, 20), 64])
def test_messages_are_found_however_the_file_is_cut_into_pieces(
    path: Path, monkeypatch: pytest.MonkeyPatch, pieces: int
) -> None:
    path.write_bytes(path.read_bytes() + (LINE + message(4) + b"\n").replace(b"\n", b"\r\n") + LINE + message(5))
    monkeypatch.setattr(mbox, "COPY_BYTES", pieces)
    box = opened(path)
    found = box.audit()
    assert [each.subject for each in found] == [f"Alert {number}" for number in (1, 2, 3, 4, 5)]
    box.handled(found[::2])
    assert [box.fetch(each).replace(b"\r\n", b"\n") for each in found[1::2]] == [message(2), message(4)]
    box.handled(found[1::2])
    assert path.read_bytes().count(b"\nStatus: RO") == 5


def test_after_others_were_handled_a_message_is_where_it_is_known_to_be(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(path.read_bytes() + LINE + message(4) + b"\n" + LINE + message(5))
    box = opened(path)
    first, second, third, fourth, fifth = box.audit()
    monkeypatch.setattr(mbox, "_spans", None)  # the file is not looked through again
    box.handled([first, third])
    assert [box.fetch(each) for each in (second, fourth, fifth)] == [message(2), message(4), message(5)]
    box.handled([fifth, second])
    assert box.fetch(fourth) == message(4)
    box.handled([fourth])
    assert path.read_bytes().count(b"\nStatus: RO") == 5
