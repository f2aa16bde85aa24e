"""What a report says, in the reader's language: sentences, numbers, times."""

import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from lib.video.report.messages import MESSAGES
from lib.video.report.options import Language

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NARROW = "\u202f"
"""Narrow no-break space: before a unit, and between groups of three digits in French."""


@dataclass(frozen=True)
class Words:
    """The messages and formats of one language."""

    language: Language

    def __call__(self, key: str, **values: object) -> str:
        """Return a message; of one with two forms ("a scene|{count} scenes"), the one that `count` calls for."""
        text = MESSAGES[key][0 if self.language == "en" else 1]
        if "|" in text:
            count = values["count"]
            assert isinstance(count, int | float)
            singular = count == 1 if self.language == "en" else abs(count) < 2
            text = text.split("|")[0 if singular else 1]
        shown = {
            name: self.number(value) if isinstance(value, int | float) else value for name, value in values.items()
        }
        return text.format(**shown)

    def phase(self, key: str) -> str:
        """Return the name of a phase; the key itself of one that is not known here."""
        return self(f"phase_{key}") if f"phase_{key}" in MESSAGES else key

    def number(self, value: float, digits: int = 0) -> str:
        """Return a number with its thousands in groups."""
        text = f"{value:,.{digits}f}"
        return text if self.language == "en" else text.replace(",", _NARROW).replace(".", ",")

    def rate(self, fps: float) -> str:
        """Return a frame rate: 25, 29.97."""
        return self.number(fps, 0 if abs(fps - round(fps)) < 0.005 else 2)

    def percent(self, share: float) -> str:
        """Return a share in percent; what is not nothing is never shown as nothing."""
        text = f"<{_NARROW}1" if 0 < share < 0.005 else self.number(round(share * 100))
        return f"{text}%" if self.language == "en" else f"{text}{_NARROW}%"

    def seconds(self, value: float) -> str:
        """Return a short time, like a shot's length: 3.2 s, 1 min 05 s."""
        if value >= 59.95:
            return self.duration(value)
        return f"{self.number(value, 1)}{_NARROW}s"

    def duration(self, seconds: float) -> str:
        """Return a time in words: 42 s, 3 min 32 s, 1 h 05 min."""
        if 0 < seconds < 0.95:
            return f"{self.number(seconds, 1)}{_NARROW}s"
        whole = round(seconds)
        if whole < 60:
            return f"{whole}{_NARROW}s"
        if whole < 3600:
            return f"{whole // 60}{_NARROW}min {whole % 60:02}{_NARROW}s"
        return f"{whole // 3600}{_NARROW}h {whole % 3600 // 60:02}{_NARROW}min"


def clock(seconds: float) -> str:
    """Return a place on the time axis: 3:07, 1:02:03."""
    whole = int(seconds)
    minutes, rest = divmod(whole, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def visible(text: str) -> str:
    """Return a text from outside as one that can be shown: control characters and direction overrides made visible.

    Bytes of a file name that are no text, and halves of surrogate pairs from JSON, become replacement characters.
    """
    if text.isascii() and text.isprintable():
        return text
    text = re.sub("[\ud800-\udfff]", "\ufffd", text)
    return "".join(f"⟨U+{ord(c):04X}⟩" if c in _BIDI or unicodedata.category(c) == "Cc" else c for c in text)


def href(path: Path, folder: Path) -> str | None:
    """Return the relative address of a file, seen from a page in `folder`; None when there is none (another drive).

    Every byte that is not plain is percent-encoded, so that any file name is an address; a leading `./` keeps a colon
    in a name from looking like a scheme.
    """
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:
        return None
    return "./" + "/".join(quote(os.fsencode(part), safe="") for part in Path(relative).parts)
