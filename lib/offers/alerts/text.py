"""Plain text: what alerts say, line by line."""

import unicodedata

from lib.offers.texts import harmless

LONG = 300
"""Characters of a title, a name, a subject: more is cut."""


def plain(text: str, limit: int = LONG) -> str:
    """Return a text on one line, harmless and in NFC, cut at `limit`."""
    # Cut first: a text of nothing but combining marks takes Python quadratic time to normalise.
    return " ".join(unicodedata.normalize("NFC", harmless(text[: 8 * limit])).split())[:limit].rstrip()
