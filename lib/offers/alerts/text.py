"""Plain text: what is left of a text from outside when everything that people do not see is taken out of it."""

import re
import unicodedata

LONG = 300
"""Characters of a title, a name, a subject: more is cut."""

_FILLERS = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0\ufff9-\ufffd]")
"""Letters and marks that are not seen, as fillers of previews; and what stands for the unreadable."""


class _Table(dict[int, str]):
    """What becomes of each character; known after it was seen once."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character == "\n" or (character.isprintable() and not _FILLERS.match(character)):
            self[code] = character
        else:
            spaces = unicodedata.category(character) in {"Zs", "Zl", "Zp"} or character in "\t\r\f\v"
            self[code] = " " if spaces else ""
        return self[code]


_TABLE = _Table()


def plain(text: str, limit: int = LONG) -> str:
    """Return a text on one line, harmless and in NFC, cut at `limit`."""
    # Cut first: a text of nothing but combining marks takes Python quadratic time to normalise.
    return " ".join(unicodedata.normalize("NFC", harmless(text[: 8 * limit])).split())[:limit].rstrip()


def harmless(text: str) -> str:
    """Return a text without control and format characters (bidi overrides, zero widths); its lines stay."""
    return text.translate(_TABLE)
