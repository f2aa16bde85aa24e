"""Telling text from what is none."""

import codecs
import re

_TEXT = re.compile(r"text/.+|application/(xml|json|xhtml\S*|\S+\+(xml|json))|")
_UNKNOWN = frozenset({"application/octet-stream", "binary/octet-stream", "application/unknown", "unknown/unknown"})
_BINARY = (b"%PDF-", b"PK\x03\x04", b"\x1f\x8b", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"\xd0\xcf\x11\xe0")
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


def kind_of(content_type: str) -> str:
    """Return a content type in lower case and without parameters."""
    return content_type[:200].partition(";")[0].strip().lower()


def is_text(kind: str) -> bool:
    """Return whether a content type is that of text, or says nothing."""
    return kind in _UNKNOWN or _TEXT.fullmatch(kind) is not None


def is_binary(body: bytes) -> bool:
    """Return whether a body that is said to be text is none."""
    if body.startswith(_WIDE):
        return False
    if body.startswith(_BINARY):
        return True
    # Text has no zeros, save by accident; or in UTF-16 without a mark, where mark-up has one in every other byte.
    start = body[:4096]
    fewer, more = sorted((start[::2].count(0), start[1::2].count(0)))
    return more > 2 and not (fewer <= 2 and more > len(start) // 8)
