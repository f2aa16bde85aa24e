"""The texts of a message as it was sent, which may be broken in any way."""

import base64
import binascii
import codecs
import quopri
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message
from email.policy import Compat32
from email.utils import parseaddr, parsedate_to_datetime
from itertools import islice

from lib.errors import InputError
from lib.offers.alerts.text import plain

DEEPEST = 50
"""Parts with parts in them: the parser recurses."""
MOST_WORK = 2_000_000
"""Lines times parts with parts in them: the parser compares each line with the boundary of each that is open."""
MOST_TEXTS = 50
"""Parts that are texts; further ones are left out."""
LARGEST = 8_000_000
"""Bytes of a text; what follows is left out."""
LONGEST_HEADER = 8_000
"""Characters of a header; what follows is left out."""

_NESTING = re.compile(rb"^content-type:[\x00-\x20\x7f]*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
_BOUNDARY = re.compile(rb"^--([^\r\n\"\\]{1,70}?)[ \t]*\r?\ncontent-", re.IGNORECASE | re.MULTILINE)
_TAG = re.compile(rb"<(?:html|body|table|div)\b", re.IGNORECASE)
_BASE64 = re.compile(rb"[A-Za-z0-9+/=_-]*")
_QUOTED = re.compile(rb"=(?:\r?\n|3D|C3=[89AB])")
_WESTERN = {"", "iso8859-1", "cp1252"}


class _Bounded(Compat32):
    """Cuts headers before anything looks at them: what reads their fields takes quadratic time."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """Return name and value of a header."""
        name, value = super().header_source_parse(sourcelines)
        return name, value[:LONGEST_HEADER]


def opened(raw: bytes) -> Message:
    """Parse a message. InputError when nothing can be made of it."""
    # Not policy.default: it raises on headers that are not well formed, and nothing of what it offers is needed here.
    deep = len(_NESTING.findall(raw))
    if deep > DEEPEST or raw.count(b"\n") * (deep + 1) > MOST_WORK:
        raise InputError("the message has too many parts or lines to be an alert: look at it in a mail program")
    try:
        return message_from_bytes(raw, policy=_Bounded())
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError, AssertionError) as error:
        raise InputError(f"the message cannot be read: {type(error).__name__}") from error


def header(message: Message, name: str) -> str:
    """Return a header decoded, on one line; empty when it is missing."""
    text = _undecoded(message, name)
    try:
        chunks = decode_header(text)
    except (HeaderParseError, binascii.Error, ValueError):
        return plain(text)
    return plain("".join(each if isinstance(each, str) else _as_text(each, charset or "") for each, charset in chunks))


def sender(message: Message) -> str:
    """Return the address that a message says it is from, in lower case."""
    # Undecoded: a name in it may be an address in encoded words.
    return parseaddr(plain(_undecoded(message, "from")))[1].lower()


def sent(message: Message) -> datetime | None:
    """Return when a message says it was sent, in UTC; None when it does not say."""
    try:
        when = parsedate_to_datetime(header(message, "date"))
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def texts(message: Message) -> Iterator[tuple[str, str]]:
    """Yield kind (`text/plain`, `text/html`) and text of the parts of a message, and of messages in it.

    Attachments are left out. Transfer encodings and charsets that lie are found out.
    """
    return islice(_texts(message), MOST_TEXTS)


def _undecoded(message: Message, name: str) -> str:
    value = next((str(value) for key, value in message.raw_items() if key.lower() == name), "")
    return _as_text(value.encode("utf-8", "surrogateescape"), "")


def _texts(message: Message, mend: bool = True) -> Iterator[tuple[str, str]]:
    for part in message.walk():
        kind = part.get_content_type()
        if part.get_content_maintype() == "multipart" and not part.is_multipart():
            yield from _mended(_content(part), mend)
        elif kind not in {"text/plain", "text/html"} or part.is_multipart():
            continue
        elif not header(part, "content-disposition").lower().startswith("attachment"):
            yield kind, _as_text(_content(part)[:LARGEST], _charset(part))


def _mended(raw: bytes, mend: bool) -> Iterator[tuple[str, str]]:
    """Yield the texts of parts whose boundary is not the one that was declared, or the whole where there are none."""
    found = _BOUNDARY.search(raw) if mend else None
    if found:
        yield from _texts(opened(b'Content-Type: multipart/mixed; boundary="' + found[1] + b'"\n\n' + raw), mend=False)
    else:
        yield "text/html" if _TAG.search(raw) else "text/plain", _as_text(raw[:LARGEST], "")


def _content(part: Message) -> bytes:
    encoding = header(part, "content-transfer-encoding").lower()
    # Without the header the bytes come as they are; with it they come decoded, whether that made sense or not.
    del part["content-transfer-encoding"]
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    if encoding == "base64":
        compact = b"".join(raw.split())
        return _base64(compact) if _BASE64.fullmatch(compact) else raw
    if encoding == "quoted-printable" or (encoding in {"", "7bit", "8bit"} and _is_quoted(raw[:20_000])):
        return quopri.decodestring(raw)
    return raw


def _is_quoted(raw: bytes) -> bool:
    return b'="' not in raw and len(_QUOTED.findall(raw)) > 5


def _base64(compact: bytes) -> bytes:
    compact = compact.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    whole = compact[: len(compact) - (len(compact) % 4 == 1)]
    try:
        return base64.b64decode(whole + b"=" * (-len(whole) % 4))
    except binascii.Error:
        return compact


def _charset(part: Message) -> str:
    found = re.search(r"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", header(part, "content-type"), re.IGNORECASE)
    return found[1] if found else ""


def _as_text(raw: bytes, charset: str) -> str:
    """Decode bytes: what is valid UTF-8 is UTF-8 whatever was declared, and what is nothing else is cp1252."""
    try:
        declared = codecs.lookup(charset).name if charset else ""
    except (LookupError, ValueError):
        declared = ""
    others = [declared] if declared not in _WESTERN else []
    # Charsets whose bytes are all ASCII look like UTF-8.
    escaped = declared.startswith(("iso2022", "hz", "utf-16", "utf-32"))
    for each in [*others, "utf-8"] if escaped else ["utf-8", *others]:
        try:
            return raw.decode(each)
        except (UnicodeError, LookupError):
            continue
    return raw.decode("cp1252", "replace")
