"""Cuts the lines of an alert into blocks, one per offer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from lib.offers.alerts import words
from lib.offers.alerts.lines import Line


class Role(Enum):
    """What a line with a link is."""

    OFFER = auto()
    """Leads to an offer, or to where only a tracker knows."""
    BUTTON = auto()
    """Leads where only a tracker knows, and its text says nothing: it belongs to the offer beside it."""
    ELSEWHERE = auto()
    """Leads to no offer."""
    TEXT = auto()
    """Is as good as a text."""


@dataclass
class Block:
    """The lines of an offer."""

    key: str
    """The same for all links of the offer; empty for links that lead to none."""
    marks: list[int] = field(default_factory=list)
    """Which lines are its links."""
    close: list[int] = field(default_factory=list)
    """Which other lines stand with its links and with no other offer's."""
    loose: list[int] = field(default_factory=list)
    """Which other lines are nearest to its links though other offers' stand there, too."""
    pressed: bool = False
    """Whether it has its button."""

    def members(self, lines: Sequence[Line]) -> list[int]:
        """Return the lines of the offer, in order: loose ones only where there are no others, as in a flat layout."""
        flat = not self.close and sum(_says(lines[mark]) for mark in self.marks) < 2
        return sorted(self.marks + (self.loose if flat else self.close))


def blocks(lines: Sequence[Line], role: Callable[[Line], tuple[Role, str]]) -> list[Block]:
    """Cut lines into blocks: `role` says what a line with a link is, and the key of its offer.

    A line without a link belongs to the link, before or behind it, with which it shares more elements: to the one
    before where they are even, but to the one behind in a message whose links are all buttons below their offers.
    """
    found = list(_marked(lines, role))
    owners = {mark: block for block in found for mark in block.marks}
    titled = any(block.key and _says(lines[mark]) for block in found for mark in block.marks)
    marks = sorted(owners)
    behind = 0
    for number, line in enumerate(lines):
        if number in owners:
            behind += 1
            continue
        before, after = marks[behind - 1] if behind else None, marks[behind] if behind < len(marks) else None
        mark = _nearest(lines, line, before, after, titled)
        if mark is None:
            continue
        block = owners[mark]
        sides = [owners[each] for each in (before, after) if each is not None]
        if len(sides) == 2 and sides[0] is sides[1]:
            block.close.append(number)
            continue
        depth = line.near(lines[mark])
        others = (_other(marks, owners, block, behind - 1, -1), _other(marks, owners, block, behind, 1))
        shared = any(line.near(lines[each]) >= depth for each in others if each is not None)
        (block.loose if shared else block.close).append(number)
    return [block for block in found if block.key]


def _says(line: Line) -> bool:
    return bool(line.text) and not words.button(line.text)


def _marked(lines: Sequence[Line], role: Callable[[Line], tuple[Role, str]]) -> Iterator[Block]:
    block: Block | None = None
    for number, line in enumerate(lines):
        what, key = role(line) if line.link else (Role.TEXT, "")
        if what is Role.TEXT:
            continue
        if what is Role.BUTTON and block is not None and block.key and not block.pressed:
            block.marks.append(number)
            block.pressed = True
            continue
        if block is None or key != block.key or not key:
            block = Block(key, pressed=what is Role.BUTTON)
            yield block
        block.marks.append(number)


def _nearest(lines: Sequence[Line], line: Line, before: int | None, after: int | None, titled: bool) -> int | None:
    if before is None or after is None:
        return after if before is None else before
    one, other = line.near(lines[before]), line.near(lines[after])
    if one == other:
        return before if titled else after
    return before if one > other else after


def _other(marks: list[int], owners: dict[int, Block], block: Block, start: int, step: int) -> int | None:
    """Return the next link that way of another offer."""
    while 0 <= start < len(marks):
        owner = owners[marks[start]]
        if owner is not block and owner.key:
            return marks[start]
        start += step
    return None
