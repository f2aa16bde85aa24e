"""What a page says, in its reader's language: messages, numbers, durations; and texts from outside made fit to show."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

Language = Literal["en", "fr"]
Catalogue = Mapping[str, tuple[str, str]]
"""Each message in English and in French; two forms parted by a bar are for one and for several, chosen by `count`."""

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
NARROW = "\u202f"
"""Narrow no-break space: before a unit, and between groups of three digits in French."""


@dataclass(frozen=True)
class Words:
    """The messages and formats of one language; a class of its own gives them its catalogue."""

    language: Language
    messages: ClassVar[Catalogue] = {}

    def __call__(self, key: str, **values: object) -> str:
        """Return a message; of one with two forms ("a scene|{count} scenes"), the one that `count` calls for."""
        text = self.messages[key][0 if self.language == "en" else 1]
        if "|" in text:
            count = values["count"]
            assert isinstance(count, int | float)
            singular = count == 1 if self.language == "en" else abs(count) < 2
            text = text.split("|")[0 if singular else 1]
        shown = {
            name: self.number(value) if isinstance(value, int | float) else value for name, value in values.items()
        }
        return text.format(**shown)

    def number(self, value: float, digits: int = 0) -> str:
        """Return a number with its thousands in groups."""
        text = f"{value:,.{digits}f}"
        return text if self.language == "en" else text.replace(",", NARROW).replace(".", ",")

    def percent(self, share: float) -> str:
        """Return a share in percent; what is not nothing is never shown as nothing."""
        text = f"<{NARROW}1" if 0 < share < 0.005 else self.number(round(share * 100))
        return f"{text}%" if self.language == "en" else f"{text}{NARROW}%"

    def seconds(self, value: float) -> str:
        """Return a short time, like a shot's length: 3.2 s, 1 min 05 s."""
        if value >= 59.95:
            return self.duration(value)
        return f"{self.number(value, 1)}{NARROW}s"

    def duration(self, seconds: float) -> str:
        """Return a time in words: 42 s, 3 min 32 s, 1 h 05 min."""
        if 0 < seconds < 0.95:
            return f"{self.number(seconds, 1)}{NARROW}s"
        whole = round(seconds)
        if whole < 60:
            return f"{whole}{NARROW}s"
        if whole < 3600:
            return f"{whole // 60}{NARROW}min {whole % 60:02}{NARROW}s"
        return f"{whole // 3600}{NARROW}h {whole % 3600 // 60:02}{NARROW}min"


def visible(text: str, kept: str = "") -> str:
    """Return a text from outside as one that can be shown: control characters and direction overrides made visible.

    Those in `kept` stay as they are. Bytes of a file name that are no text, and halves of surrogate pairs from JSON,
    become replacement characters.
    """
    if text.isascii() and text.isprintable():
        return text
    text = re.sub("[\ud800-\udfff]", "\ufffd", text)
    return "".join(
        f"⟨U+{ord(c):04X}⟩" if c in _BIDI or (unicodedata.category(c) == "Cc" and c not in kept) else c for c in text
    )
