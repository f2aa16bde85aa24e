"""The lines of a message: texts with where they stand and where they lead."""

import re
from dataclasses import dataclass

from lib.offers.alerts.links import leads
from lib.offers.alerts.text import plain

MOST_LINES = 4000
"""Lines of a message that are looked at."""
_RULE = re.compile(r"\s*[-=_*~]{5,}\s*")
_AFTER = " )]>.,;\t"
_URL = re.compile(r"https?://[^\s<>\"\\]{1,4000}")


@dataclass(frozen=True)
class Line:
    """A line of a message."""

    text: str
    """Plain text; empty for a link without any."""
    link: str
    """Where it leads; empty for nowhere."""
    path: tuple[int, ...]
    """The elements that it stands in, from the outermost; each has a number of its own."""

    def near(self, other: "Line") -> int:
        """Return how many elements it stands in together with another."""
        for depth, (mine, theirs) in enumerate(zip(self.path, other.path, strict=False)):
            if mine != theirs:
                return depth
        return min(len(self.path), len(other.path))


def lines_of_text(text: str) -> list[Line]:
    """Return the lines of a plain text; ruled lines end sections, and empty lines end paragraphs.

    Text before an address on its line is the text of that link; an address alone on the second line of a paragraph is
    the link of the first.
    """
    found: list[Line] = []
    section = paragraph = 0
    for number, row in enumerate(text.splitlines()[:MOST_LINES]):
        if _RULE.fullmatch(row):
            section, paragraph = -number - 1, number
        elif not row.strip():
            paragraph = number
        else:
            _add(found, row, (section, paragraph))
    return found[:MOST_LINES]


def _add(found: list[Line], row: str, path: tuple[int, ...]) -> None:
    begin = 0
    for each in _URL.finditer(row):
        link = leads(each[0].rstrip(".,;:!?)]'*-"))
        before = plain(row[begin : each.start()].lstrip(_AFTER).rstrip(" :([<\t"))
        if not before and begin == 0 and found and found[-1].path == path and not found[-1].link and _first(found):
            before = found.pop().text
        found.append(Line(before, link, path))
        begin = each.end()
    rest = plain(row[begin:].lstrip(_AFTER) if begin else row)
    if rest:
        found.append(Line(rest, "", path))


def _first(found: list[Line]) -> bool:
    return len(found) == 1 or found[-2].path != found[-1].path
