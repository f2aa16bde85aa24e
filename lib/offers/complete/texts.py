"""Texts of pages made plain: no markup, no control characters, bounded; and how much two of them agree."""

import html
import re
import unicodedata

LINE = 300
"""Characters of a title, a company, a place …"""
TEXT = 50_000
"""Characters of a description."""

# Soft hyphens, marks of direction, zero-width characters and the like say nothing, and hide what is said.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co"})
_JOINERS = "\u200c\u200d"
"""Zero-width characters that belong to the spelling of some languages, and to emoji."""
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
    text = re.sub(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]", "\n", text)
    text = "".join(
        each
        if each == "\n" or each in _JOINERS
        else " "
        if each == "\t"
        else ""
        if unicodedata.category(each) in _UNSEEN
        else each
        for each in text
    )
    return unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """Return the words of a text, for comparing: small letters without accents, parted by single spaces."""
    letters = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(each for each in letters if not unicodedata.combining(each))
    return " ".join(re.sub(r"[\W_]+", " ", letters).split())


def agreement(one: str, other: str) -> float:
    """Return the share of the words of the shorter of two texts that the other has too, from 0 to 1."""
    # Of titles, `H/F` and its kin tell nothing.
    ours, theirs = ({*folded(each).split()} - {"h", "f", "m", "w", "d", "x", "hf", "fh", "mf"} for each in (one, other))
    if not ours or not theirs:
        return 0.0
    return len(ours & theirs) / min(len(ours), len(theirs))
