"""Offers as CSV, for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

COLUMNS = ("source", "status", "title", "company", "place", "score", "reasons", "note", "published", "link")
MARK = "\ufeff"
"""What tells a spreadsheet that the text is UTF-8."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a text begins with that a spreadsheet may take for a formula, as OWASP lists it."""


def as_csv(items: Iterable[Mapping[str, Any]]) -> str:
    """Return offers as CSV with a head, every cell in quotes, to be written as UTF-8.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    text = io.StringIO()
    text.write(MARK)
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(item.get(column)) for column in COLUMNS] for item in items)
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    # Halves of surrogate pairs are no text, and nothing ends a text for a spreadsheet.
    text = str(value).encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA) else text
