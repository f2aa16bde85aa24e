"""The head of a message: the few fields that say what it is, read with bounded memory from whatever was sent."""

import contextlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import decode_header
from email.utils import parsedate_to_datetime
from typing import BinaryIO

FIELDS = frozenset({b"from", b"subject", b"date", b"authentication-results", b"status"})
FIELD_BYTES = 4096
"""What is kept of a field; a giant one is cut."""
LINE_BYTES = 64 * 1024
HEAD_BYTES = 4 * 1024 * 1024
"""What is looked at of a head: a field behind this is not found."""
SUBJECT_LENGTH = 200


@dataclass
class Heading:
    """The head of a message, fed line by line."""

    fields: dict[bytes, list[bytearray]] = field(default_factory=dict)
    """Contents of the fields in FIELDS, in the order of the message, cut to FIELD_BYTES."""
    _field: bytearray | None = None
    _within: bool = False
    """Whether the last piece did not end its line."""

    def feed(self, line: bytes) -> bool:
        """Take the next line, or a piece of one that is too long; False for the empty one, at which the head ends."""
        begins, self._within = not self._within, not line.endswith(b"\n")
        if begins:
            if not line.rstrip(b"\r\n"):
                return False
            if line[:1] not in b" \t":
                name, colon, line = line.partition(b":")
                name = name.strip().lower()
                self._field = None
                if colon and name in FIELDS:
                    self._field = bytearray()
                    self.fields.setdefault(name, []).append(self._field)
        if self._field is not None:
            self._field += line[: FIELD_BYTES - len(self._field)]
        return True

    @property
    def subject(self) -> str:
        """Its subject as one line of plain text, without anything that cannot be seen."""
        return readable(self._text(b"subject")[: 5 * SUBJECT_LENGTH])[:SUBJECT_LENGTH]

    @property
    def sent(self) -> datetime | None:
        """When its sender says that it was sent, in UTC."""
        try:
            moment = parsedate_to_datetime(self._text(b"date")[:100].strip())
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None

    @property
    def senders(self) -> list[str]:
        """Every address that it says it is from, in lower case; names that are shown beside them count for nothing."""
        return [address for each in self.fields.get(b"from", ()) for address in _addresses(each.decode("latin-1"))]

    @property
    def forged(self) -> str:
        """What is wrong with its sender, in words; empty where nothing speaks against it."""
        given = self.fields.get(b"from", [])
        if any(len(each) == FIELD_BYTES for each in given):
            return "the line with its sender is far too long"
        if len(given) != 1 or len(self.senders) != 1:
            return "it names several senders"
        return _refused(self._text(b"authentication-results"))

    def _text(self, name: bytes) -> str:
        """Return the first field of a name, as it was sent."""
        for each in self.fields.get(name, ()):
            try:
                return each.decode()
            except UnicodeDecodeError:
                return each.decode("latin-1")
        return ""


def read_heading(stream: BinaryIO) -> Heading:
    """Read the head at the start of a stream."""
    heading, left = Heading(), HEAD_BYTES
    while left > 0 and (line := stream.readline(LINE_BYTES)) and heading.feed(line):
        left -= len(line)
    return heading


def readable(text: str) -> str:
    """Return a field as plain text on one line: encoded words decoded as far as they can be, nothing that is unseen."""
    with contextlib.suppress(MessageError, ValueError):
        text = "".join(_decoded(part, charset) for part, charset in decode_header(text))
    return " ".join("".join(" " if each.isspace() else each for each in text if _is_seen(each)).split())


def _is_seen(character: str) -> bool:
    return character.isspace() or unicodedata.category(character)[0] != "C"


def _decoded(part: bytes | str, charset: str | None) -> str:
    if isinstance(part, str):
        return part
    try:
        return part.decode(charset or "utf-8")
    except (LookupError, ValueError):
        try:
            return part.decode()
        except UnicodeDecodeError:
            return part.decode("latin-1")


_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)
_COMMENT = re.compile(r"\([^()]*\)")
_BRACKETED = re.compile(r"<([^<>]*)>")
_ADDRESS = re.compile(r"[^@\s<>\"(),:;]+@[^@\s<>\"(),:;]+", re.ASCII)


def _plain(text: str) -> str:
    """Return a structured field without quoted texts and comments, which say nothing that counts."""
    text = _QUOTED.sub(" ", text)
    for _ in range(10):
        text, found = _COMMENT.subn(" ", text)
        if not found:
            break
    return text


def _addresses(text: str) -> Iterator[str]:
    """Give the addresses of a From: of each part of the list those in angle brackets, or else what stands alone.

    Only plain ASCII counts: a letter that merely becomes an ASCII one in lower case is a look-alike.
    """
    text = _BRACKETED.sub(lambda found: re.sub(r"[,;:]", " ", found[0]), _plain(text))
    for part in re.split(r"[,;:]", text):
        for each in _BRACKETED.findall(part) or [part]:
            if (address := each.strip()).isascii() and address.isprintable() and _ADDRESS.fullmatch(address):
                yield address.lower()


def _refused(results: str) -> str:
    """Return why the receiving server doubts the sender, from the topmost Authentication-Results; empty if it does not.

    Results further down may have been written by the sender. Only what speaks against a message is believed.
    """
    verdicts: dict[str, set[str]] = {}
    for method, verdict in re.findall(r";\s*(dmarc|spf|dkim)\s*=\s*(\w+)", _plain(results).lower()):
        verdicts.setdefault(method, set()).add(verdict)
    if "fail" in verdicts.get("dmarc", ()):
        return "its sender is forged, says the server that received it (dmarc=fail)"
    dkim, spf = verdicts.get("dkim", set()), verdicts.get("spf", set())
    if "fail" in dkim and "pass" not in dkim and "fail" in spf:
        return "its sender is forged, says the server that received it (spf=fail, dkim=fail)"
    return ""
