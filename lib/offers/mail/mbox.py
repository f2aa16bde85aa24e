"""An mbox file: messages without R in their field `Status` are unread."""

import contextlib
import errno
import hashlib
import mailbox
import os
import re
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from lib.errors import InputError, UnavailableError
from lib.files import replacing
from lib.offers.mail.base import MessageGoneError
from lib.offers.mail.files import bounded, open_message, unwritable, why
from lib.offers.mail.found import Found, Unreadable
from lib.offers.mail.heading import LINE_BYTES, Heading, read_heading

_BEFORE = b"\nFrom "
BEGIN_BYTES = 300
"""What is looked at of a line before a message: an address has at most 254 bytes, a date some 30."""
_BEGINS = re.compile(rb"From \S.*?\d\d:\d\d")
_YEAR = re.compile(rb"\d{4}")
"""The line before each message: after its first time there is a year. What else begins with From, after an empty line,
is text that was not escaped."""
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)
_STATUS = re.compile(rb"Status[ \t]*:", re.IGNORECASE)
_WRITTEN = re.compile(
    rb"(?:(?:X-)?Status|X-Keywords|X-UID|X-IMAP(?:base)?|Content-Length|Lines|X-Mozilla-[\w-]+)[ \t]*:", re.IGNORECASE
)
"""What programs write into the heads of messages: states, numbers, lengths."""
STALE_SECONDS = 300
"""Age at which the lock file of a program that crashed is removed, as other programs do (liblockfile)."""
LOCK_SECONDS = 5.0
"""How long another program may keep the file locked: one that delivers a message does for a moment."""
LOCK_PAUSE = 0.1
COPY_BYTES = 1024 * 1024


def is_mbox(path: Path) -> bool:
    """Whether a file is an mbox, from its first line; OSError when it cannot be read."""
    with open_message(path) as stream:
        return _begins(stream, 0)


@dataclass(frozen=True)
class _Span:
    """Where a message is."""

    start: int
    end: int
    heading: Heading

    @property
    def read(self) -> bool:
        return any(b"R" in each.upper() for each in self.heading.fields.get(b"status", ()))


class Mbox:
    """The messages of one file. One that is there twice, byte for byte, counts as one."""

    def __init__(
        self, path: Path, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self.path = path
        self._clock = clock
        self._sleep = sleep
        self._spans: dict[str, list[_Span]] = {}
        """Where unread messages were when they were looked for last."""

    def unread(self) -> Iterator[Found | Unreadable]:
        """Give the heads of the messages that nobody has read."""
        with open_message(self.path) as stream:
            self._look(stream)
        for key, (span, *_) in self._spans.items():
            yield Found(key, span.heading, span.end - span.start)

    def read(self, key: str, limit: int) -> bytes:
        """Return a message without the line before it; it is found by its content, wherever it is by now."""
        try:
            with open_message(self.path) as stream:
                for span in self._found(stream, [key]):
                    bounded(b"", limit, span.end - span.start)
                    stream.seek(span.start)
                    return _message(stream.read(span.end - span.start))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise InputError(f"It cannot be read: {why(error)}.") from None
        raise MessageGoneError(key)

    def handled(self, keys: Sequence[str]) -> None:
        """Write the file anew, with `Status: RO` on messages and all others byte for byte as they were."""
        try:
            with self._locked(), open_message(self.path) as stream:
                if spans := self._found(stream, keys):
                    self._rewrite(stream, spans)
        except FileNotFoundError:
            return
        except OSError as error:
            raise unwritable(self.path, error) from None

    def _found(self, stream: BinaryIO, keys: Sequence[str]) -> list[_Span]:
        """Return where messages are; the whole file is read only if one is not where it was."""

        def known() -> list[tuple[str, _Span]]:
            return [(key, span) for key in keys for span in self._spans.get(key, ())]

        if not set(keys) <= self._spans.keys() or any(_digest(stream, span) != key for key, span in known()):
            self._look(stream)
        return sorted((span for _, span in known()), key=lambda span: span.start)

    def _look(self, stream: BinaryIO) -> None:
        self._spans = {}
        for span in list(_spans(stream)):
            if not span.read:
                self._spans.setdefault(_digest(stream, span), []).append(span)

    def _rewrite(self, stream: BinaryIO, spans: list[_Span]) -> None:
        was = os.fstat(stream.fileno())
        grown = []
        with replacing(self.path) as temporary:
            # Nobody else may read it, at no time.
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
                stream.seek(0)
                for span in spans:
                    _copy(stream, copy, span.start)
                    first = stream.readline()
                    copy.write(first + b"Status: RO" + first[-2 if first.endswith(b"\r\n") else -1 :])
                    copy.writelines(_head(stream, span.end, _STATUS))
                    grown.append(copy.tell() - stream.tell())
                _copy(stream, copy, was.st_size)
                with contextlib.suppress(PermissionError):
                    os.fchown(copy.fileno(), was.st_uid, was.st_gid)
                os.fchmod(copy.fileno(), was.st_mode & 0o7777)
            now = self.path.stat()
            if (now.st_ino, now.st_size, now.st_mtime_ns) != (was.st_ino, was.st_size, was.st_mtime_ns):
                raise UnavailableError(f"Another program writes to {self.path} without locking it: try again later.")

        starts = [span.start for span in spans]

        def moved(span: _Span) -> _Span:
            before = bisect_left(starts, span.start)
            by = grown[before - 1] if before else 0
            return _Span(span.start + by, span.end + by, span.heading)

        done = set(starts)
        self._spans = {
            key: [moved(span) for span in found] for key, found in self._spans.items() if found[0].start not in done
        }

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other programs from writing, by both of the locks that they look at."""
        if not os.access(self.path, os.W_OK):
            self.path.stat()
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        box = self._lock()
        try:
            yield
        finally:
            box.close()

    def _lock(self) -> mailbox.mbox:
        """Lock the file, once whoever has it locked is done; UnavailableError when that takes too long."""
        deadline = self._clock() + LOCK_SECONDS
        while (box := _locked_now(self.path)) is None:
            if self._clock() >= deadline:
                raise UnavailableError(
                    f"Another program has {self.path} locked, for more than {LOCK_SECONDS:g} s: imported messages stay "
                    "in it as unread. Try again later."
                )
            self._sleep(LOCK_PAUSE)
        return box


def _locked_now(path: Path) -> mailbox.mbox | None:
    """Lock a file, which is opened anew each time: another program may have put a new one in its place."""
    lock = path.with_name(f"{path.name}.lock")
    with contextlib.suppress(FileNotFoundError):
        if time.time() - lock.lstat().st_mtime > STALE_SECONDS:
            lock.unlink()
    try:
        box = mailbox.mbox(path, create=False)
    except mailbox.NoSuchMailboxError:
        raise FileNotFoundError(path) from None
    try:
        box.lock()
    except mailbox.ExternalClashError:
        box.close()
        return None
    except BaseException:
        box.close()
        raise
    return box


def _spans(stream: BinaryIO) -> Iterator[_Span]:
    """Give the messages of an mbox, one after the other."""
    starts = [at for at in list(_candidates(stream)) if _begins(stream, at)]
    for start, end in pairwise([*starts, os.fstat(stream.fileno()).st_size]):
        stream.seek(start)
        stream.readline()
        # It ends before the next message does, which comes after an empty line.
        yield _Span(start, end, read_heading(stream))


def _candidates(stream: BinaryIO) -> Iterator[int]:
    """Give where `From ` stands at the beginning of a line, after an empty one or at the beginning of the file."""
    text, base, last = b"\n\n", -2, -2
    stream.seek(0)
    while piece := stream.read(COPY_BYTES):
        text += piece
        at = text.find(_BEFORE)
        while at >= 0:
            if base + at > last and text[max(0, at - 2) : at + 1].endswith((b"\n\n", b"\n\r\n")):
                last = base + at
                yield last + 1
            at = text.find(_BEFORE, at + 1)
        base += max(0, len(text) - len(_BEFORE) - 2)
        text = text[-len(_BEFORE) - 2 :]


def _begins(stream: BinaryIO, start: int) -> bool:
    stream.seek(start)
    line = stream.readline(BEGIN_BYTES)
    # In two steps: one expression for both would try each time of day with each year.
    found = _BEGINS.match(line)
    return found is not None and _YEAR.search(line, found.end()) is not None


def _message(content: bytes) -> bytes:
    """Return a message without what an mbox adds: the line before it, an empty one after it, escaped lines."""
    content = content.partition(b"\n")[2]
    for newline in (b"\r\n", b"\n"):
        if content.endswith(2 * newline):
            content = content.removesuffix(newline)
    return _ESCAPED.sub(rb"\1", content)


def _digest(stream: BinaryIO, span: _Span) -> str:
    """Return what a message is known by: its content, but for what programs write into its head."""
    digest = hashlib.sha256()
    stream.seek(max(span.start, span.end - 16))
    tail = stream.read(span.end - stream.tell())
    end = span.end - len(tail) + len(tail.rstrip(b"\r\n"))
    stream.seek(span.start)
    for line in _head(stream, end, _WRITTEN):
        digest.update(line)
    while (left := end - stream.tell()) > 0 and (piece := stream.read(min(left, COPY_BYTES))):
        digest.update(piece)
    return digest.hexdigest()[:32]


def _head(stream: BinaryIO, end: int, without: re.Pattern[bytes]) -> Iterator[bytes]:
    """Give the rest of a message's head, with the empty line at its end, without some fields."""
    whole, left_out = True, False
    while (left := end - stream.tell()) > 0 and (line := stream.readline(min(left, LINE_BYTES))):
        if whole and line[:1] not in b" \t":
            left_out = without.match(line) is not None
        if not left_out:
            yield line
        if whole and not line.rstrip(b"\r\n"):
            return
        whole = line.endswith(b"\n")


def _copy(source: BinaryIO, target: BinaryIO, end: int) -> None:
    while (left := end - source.tell()) > 0 and (piece := source.read(min(left, COPY_BYTES))):
        target.write(piece)
