"""Result files of phases 4 and 5 read as a stream, one frame in memory at a time.

A frame's text is cut out by counting brackets outside of strings, with one regular expression, and handed to orjson,
which checks it. Cutting needs no knowledge of the format beyond JSON's own brackets and quotes, so a cut is right for
every valid document; an invalid one fails in orjson or in what is expected between the cuts.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import orjson

from lib.errors import InputError

FRAMES = "frames_analysis"
CHUNK_BYTES = 1 << 18
VALUE_LIMIT = 1 << 26
"""A frame or a header value of more than 64 MiB is no result of an analysis: thousands of faces would be in it."""

# Possessive quantifiers stand on single characters only: on groups, Python before 3.11.5 matches too little
# (its issue 106052).
_SPACE = re.compile(rb"[ \t\n\r]*+")
_STRING = re.compile(rb'(?>"[^"\\]*(?:\\.[^"\\]*)*")', re.DOTALL)
_SCALAR = re.compile(rb"[^\s,\]}]++(?=[\s,\]}])")
_TO_BRACKET = re.compile(
    # Strings, flat arrays (coordinates, mostly) and everything else without brackets, then one bracket.
    rb'(?:[^"{}\[\]]++|(?>"[^"\\]*(?:\\.[^"\\]*)*")|\[[^"{}\[\]]*+\])*([{}\[\]])',
    re.DOTALL,
)


@dataclass(frozen=True)
class Member:
    """One key of the file's object other than `frames_analysis`."""

    key: str
    value: Any


@dataclass(frozen=True)
class Begin:
    """The array `frames_analysis` begins; a second time means that the first does not count."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One element of `frames_analysis`."""

    value: dict[str, Any]
    """The frame, with numbers as orjson reads them: integers beyond 64 bits are floats."""
    text: bytes
    end: int
    """How many bytes of the file were read when the frame ended."""

    def exact(self) -> dict[str, Any]:
        """Return the frame with every integer exact."""
        return parse_exact(self.text)  # type: ignore[no-any-return]  # its text begins with a brace


def read_result(path: Path) -> Iterator[Member | Begin | Frame]:
    """Yield the parts of a result file in their order; raises InputError when it is not such a file."""
    with path.open("rb") as stream:
        yield from _document(_Text(stream))


def read_frames(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the frames of a result file; raises InputError when it is not such a file."""
    for part in read_result(path):
        if isinstance(part, Frame):
            yield part.value


def read_header(path: Path) -> dict[str, Any]:
    """Return what comes before the frames of a result file; raises InputError when it is not such a file."""
    header = {}
    for part in read_result(path):
        if not isinstance(part, Member):
            break
        header[part.key] = part.value
    return header


def parse_exact(text: bytes) -> Any:
    """Return the value of a JSON text: integers of any length and lone surrogates, but no NaN or infinity."""
    try:
        return json.loads(str(text, "utf-8"), parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise not_json(str(error)) from error


def not_json(detail: str) -> InputError:
    """Return the error for a file that is not valid JSON."""
    return InputError(f"it is not valid JSON ({detail})")


def unexpected(detail: str) -> InputError:
    """Return the error for JSON that is not a result of an analysis."""
    return InputError(f"it is not a result of an analysis ({detail})")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _finite(number: str) -> float:
    value = float(number)
    return value if math.isfinite(value) else _refuse(number)


def _parse(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return parse_exact(text)  # lone surrogates and numbers beyond a float are JSON too


def _document(text: "_Text") -> Iterator[Member | Begin | Frame]:
    text.skip_mark()
    if text.peek() != b"{":
        raise unexpected("it does not begin with an object") if text.peek() else not_json("the file is empty")
    found = False
    for _ in text.items(b"{", b"}"):
        key = parse_exact(text.take(text.string_end()))
        if text.peek() != b":":
            raise not_json(f"a colon is missing at byte {text.offset}")
        text.skip(1)
        if key != FRAMES:
            yield Member(key, parse_exact(text.take(text.value_end())))
            continue
        if text.peek() != b"[":
            raise unexpected(f"{FRAMES} is not a list")
        found = True
        yield Begin()
        for _ in text.items(b"[", b"]"):
            if text.peek() != b"{":
                raise unexpected(f"{FRAMES} holds something that is not an object at byte {text.offset}")
            element = text.take(text.value_end())
            yield Frame(_parse(element), element, text.offset)
    if text.peek():
        raise not_json(f"something follows its end at byte {text.offset}")
    if not found:
        raise unexpected(f"{FRAMES} is missing")


class _Text:
    """A window over a file, which moves forward only."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._data = b""
        self._position = 0
        self._before = 0

    @property
    def offset(self) -> int:
        """Return how many bytes of the file lie behind."""
        return self._before + self._position

    def skip_mark(self) -> None:
        """Pass over a byte order mark."""
        while len(self._data) < 3 and self._more():
            pass
        if self._data.startswith(b"\xef\xbb\xbf"):
            self.skip(3)

    def peek(self) -> bytes:
        """Return the next byte that is not white space; nothing at the end of the file."""
        while True:
            space = _SPACE.match(self._data, self._position)
            self._position = space.end() if space else self._position
            if self._position < len(self._data):
                return self._data[self._position : self._position + 1]
            if not self._more():
                return b""

    def skip(self, count: int) -> None:
        """Pass over bytes that were seen."""
        self._position += count

    def take(self, length: int) -> bytes:
        """Return the next bytes, which were seen, and pass over them."""
        start = self._position
        self._position += length
        return self._data[start : self._position]

    def items(self, opening: bytes, closing: bytes) -> Iterator[None]:
        """Yield at the beginning of each item of the object or list that begins here, and pass over its end."""
        self.skip(len(opening))
        if self.peek() == closing:
            self.skip(1)
            return
        while True:
            self.peek()
            yield
            follows = self.peek()
            if follows not in (b",", closing):
                raise not_json("it is truncated" if not follows else f"a comma is missing at byte {self.offset}")
            self.skip(1)
            if follows == closing:
                return

    def string_end(self) -> int:
        """Return the length of the string that begins here."""
        if self.peek() != b'"':
            raise not_json(f"a key is missing at byte {self.offset}")
        return self._match(_STRING)

    def value_end(self) -> int:
        """Return the length of the value that begins here."""
        first = self.peek()
        if first == b'"':
            return self._match(_STRING)
        if first and first in b"{[":
            return self._brackets()
        if first and first in b",:]}":
            raise not_json(f"a value is missing at byte {self.offset}")
        return self._match(_SCALAR)

    def _match(self, pattern: re.Pattern[bytes]) -> int:
        while not (found := pattern.match(self._data, self._position)):
            self._need_more()
        return found.end() - found.start()

    def _brackets(self) -> int:
        length, depth = 1, 1
        match = _TO_BRACKET.match
        while depth:
            found = match(self._data, self._position + length)
            if found is None:
                self._need_more()
                continue
            length = found.end() - self._position
            depth += 1 if found[1] in b"{[" else -1
        return length

    def _need_more(self) -> None:
        if len(self._data) - self._position > VALUE_LIMIT:
            raise unexpected(f"a value of more than {VALUE_LIMIT >> 20} MiB begins at byte {self.offset}")
        if not self._more():
            raise not_json("it is truncated")

    def _more(self) -> bool:
        """Read on, keeping what was not passed yet; as much again each time, so that a long value costs no more."""
        rest = self._data[self._position :]
        read = self._stream.read(max(CHUNK_BYTES, len(rest)))
        self._before += self._position
        self._data, self._position = rest + read, 0
        return bool(read)
