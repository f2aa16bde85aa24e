"""Texts of pages made plain: no markup, no control characters, bounded; and how much two of them agree."""

import html
import re
import unicodedata

from lib.offers.texts import harmless

LINE = 300
"""Characters of a title, a company, a place …"""
TEXT = 50_000
"""Characters of a description."""

_MARK = "".join(chr(code) for code in range(0x300, 0x1F000) if unicodedata.combining(chr(code)))
_PILE = re.compile(f"(?<=[{_MARK}]{{4}})[{_MARK}]+")
_EMPTY = frozenset({"-", "–", "n/a", "na", "null", "none", "undefined", "nan", "unknown", "non renseigné"})


def line(text: object, limit: int = LINE) -> str:
    """Return a text as one plain line of at most `limit` characters; empty for what is no text or says nothing."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        text = str(text)
    if not isinstance(text, str):
        return ""
    plain = " ".join(clean(html.unescape(text[: 20 * limit])).split())
    return "" if plain.casefold() in _EMPTY else cut(plain, limit)


def paragraphs(text: str, limit: int = TEXT) -> str:
    """Return a plain text with its lines and paragraphs, of at most `limit` characters."""
    lines = (" ".join(each.split()) for each in clean(text[: 4 * limit]).split("\n"))
    return cut(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip(), limit)


def cut(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters; one that was longer ends with an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def clean(text: str) -> str:
    """Return a text in NFC without characters that cannot be seen; line breaks stay."""
    if text.isascii() and text.isprintable():
        return text
    text = harmless(re.sub(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]", "\n", text))
    return text if text.isascii() else unicodedata.normalize("NFC", unpiled(text))


def unpiled(text: str) -> str:
    """Return a text with no more marks on a letter than any language has.

    Thousands of them take whoever puts them in order, as every normalisation does, quadratic time.
    """
    return _PILE.sub("", text)


def folded(text: str) -> str:
    """Return the words of a text, for comparing: small letters without accents, parted by single spaces."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", unpiled(text))
        text = "".join(each for each in text if not unicodedata.combining(each))
    return " ".join(re.sub(r"[\W_]+", " ", text.casefold()).split())


def agreement(one: str, other: str) -> float:
    """Return the share of the words of the shorter of two texts that the other has too, from 0 to 1."""
    ours, theirs = _words(one), _words(other)
    return len(ours & theirs) / min(len(ours), len(theirs)) if ours and theirs else 0.0


def is_cut(text: str) -> bool:
    """Say whether a text was cut short by who sent it."""
    return text.rstrip().endswith(("…", "..."))


def _words(text: str) -> set[str]:
    words = folded(text).split()
    if is_cut(text) and len(words) > 1:
        words.pop()
    # Of titles, `H/F` and its kin tell nothing.
    return set(words) - {"h", "f", "m", "w", "d", "x", "hf", "fh", "mf"}
