"""How the phases of a workflow are laid out as connected nodes: columns in time, lanes side by side; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

SLOT = 96
"""Height of a lane, in pixels."""
GAP = 40
"""Width of the space between two columns, in pixels."""
_BEND = 8
"""Radius of a line's corners, in pixels."""


class Node(Protocol):
    """What has a place in the plan: a phase, or its status."""

    @property
    def key(self) -> str:
        """What the node is called by others."""

    @property
    def after(self) -> tuple[str, ...]:
        """Keys of the nodes that come before it; all of them stand before it in the sequence."""


@dataclass(frozen=True)
class Slot:
    """One lane of a column: a node, a line that passes, or nothing."""

    key: str = ""
    """The node that stands here, or the one that the passing line comes from; empty when there is neither."""
    passes: bool = False


@dataclass(frozen=True)
class Line:
    """A line through the space between two columns."""

    source: str
    """Key of the node that it comes from."""
    start: int
    """Lane on the left."""
    end: int
    """Lane on the right."""

    @property
    def path(self) -> str:
        """The line as the data of an SVG path, in pixels."""
        y0, y1 = (lane * SLOT + SLOT // 2 for lane in (self.start, self.end))
        middle = GAP // 2
        if y0 == y1:
            return f"M0 {y0}H{GAP}"
        bend = _BEND if y1 > y0 else -_BEND
        return (
            f"M0 {y0}H{middle - _BEND}Q{middle} {y0} {middle} {y0 + bend}"
            f"V{y1 - bend}Q{middle} {y1} {middle + _BEND} {y1}H{GAP}"
        )


@dataclass(frozen=True)
class Column:
    """Nodes that may be at work at the same time, and the lines that lead from them to the next column."""

    slots: tuple[Slot, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Spine:
    """The plan as columns from left to right."""

    columns: tuple[Column, ...]

    @property
    def lanes(self) -> int:
        """Lanes of the widest column."""
        return max((len(column.slots) for column in self.columns), default=0)

    @property
    def height(self) -> int:
        """Height of the drawing, in pixels."""
        return self.lanes * SLOT


def lay_out(nodes: Sequence[Node]) -> Spine:
    """Return where each node stands, and the lines between them; a line that others imply is left out."""
    before = _reduced(nodes)
    rank: dict[str, int] = {}
    for node in nodes:
        rank[node.key] = 1 + max((rank[key] for key in before[node.key]), default=-1)
    last = {node.key: rank[node.key] for node in nodes}
    for key, sources in before.items():
        for source in sources:
            last[source] = max(last[source], rank[key])
    lanes: list[dict[str, int]] = []  # of each column: the lane of a node, or of the line that passes from it
    for column in range(max(rank.values(), default=-1) + 1):
        previous = lanes[-1] if lanes else {}
        here = [(_wish(before[node.key], previous), node.key) for node in nodes if rank[node.key] == column]
        passing = [(float(previous[key]), key) for key in previous if rank[key] < column < last[key]]
        # A line that passes gives way to nodes, so that the spine stays straight.
        order = sorted([*((wish, 0, key) for wish, key in here), *((wish, 1, key) for wish, key in passing)],
                       key=lambda each: each[:2])  # fmt: skip
        lanes.append({key: lane for lane, (_, _, key) in enumerate(order)})
    columns = []
    for number, here_lanes in enumerate(lanes):
        slots = tuple(Slot(key, passes=rank[key] < number) for key in here_lanes)
        following = lanes[number + 1] if number + 1 < len(lanes) else {}
        columns.append(Column(slots, tuple(_lines(here_lanes, following, before, rank, number + 1))))
    return Spine(tuple(columns))


def _lines(
    here: Mapping[str, int],
    following: Mapping[str, int],
    before: Mapping[str, Iterable[str]],
    rank: Mapping[str, int],
    column: int,
) -> Iterable[Line]:
    for key, lane in following.items():
        if rank[key] < column:  # it only passes there
            yield Line(key, here[key], lane)
            continue
        for source in before[key]:
            yield Line(source, here[source], lane)


def _wish(sources: Sequence[str], previous: Mapping[str, int]) -> float:
    """The lane where a node would stand best: that of the first lane that leads to it."""
    return float(min((previous[key] for key in sources if key in previous), default=len(previous)))


def _reduced(nodes: Sequence[Node]) -> dict[str, tuple[str, ...]]:
    """What each node comes right after: without those that come before one of the others."""
    ancestors: dict[str, set[str]] = {}
    before = {}
    for node in nodes:
        ancestors[node.key] = set(node.after).union(*(ancestors[key] for key in node.after))
        implied = set().union(*(ancestors[key] for key in node.after))
        before[node.key] = tuple(key for key in dict.fromkeys(node.after) if key not in implied)
    return before
