"""Texts from outside, of mails and of pages: what is left when everything that people do not see is taken out."""

import re
import unicodedata

_FILLERS = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0\ufff9-\ufffd]")
"""Letters and marks that are not seen, as fillers of previews; and what stands for the unreadable."""


def harmless(text: str) -> str:
    """Return a text without control and format characters (bidi overrides, zero widths); its lines stay."""
    return text.translate(_TABLE)


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
