"""Where the phases of a plan stand, and the lines between them."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from lib.console.spine import GAP, SLOT, Line, Spine, lay_out


@dataclass(frozen=True)
class Node:
    key: str
    after: tuple[str, ...] = ()


@st.composite
def plans(draw: st.DrawFn) -> list[Node]:
    """Any plan of up to nine nodes."""
    nodes: list[Node] = []
    for number in range(draw(st.integers(0, 9))):
        earlier = [node.key for node in nodes]
        after = draw(st.lists(st.sampled_from(earlier), unique=True)) if earlier else []
        nodes.append(Node(f"n{number}", tuple(after)))
    return nodes


def columns_of(spine: Spine) -> list[list[str]]:
    return [[slot.key for slot in column.slots if not slot.passes] for column in spine.columns]


def reached(spine: Spine, key: str) -> set[str]:
    """Follow the lines from a node as the eye does, to the nodes where they end."""
    found = set()
    [(column, lane)] = [
        (number, lane)
        for number, each in enumerate(spine.columns)
        for lane, slot in enumerate(each.slots)
        if slot.key == key and not slot.passes
    ]
    places = {(column, lane)}
    while places:
        column, lane = places.pop()
        for line in spine.columns[column].lines:
            if line.start != lane or line.source != key:
                continue
            slot = spine.columns[column + 1].slots[line.end]
            if slot.passes:
                assert slot.key == key
                places.add((column + 1, line.end))
            else:
                found.add(slot.key)
    return found


@given(plans())
def test_every_node_stands_once_and_after_those_that_it_waits_for(plan: list[Node]) -> None:
    columns = columns_of(lay_out(plan))
    assert sorted(key for column in columns for key in column) == sorted(node.key for node in plan)
    place = {key: number for number, column in enumerate(columns) for key in column}
    for node in plan:
        assert all(place[before] < place[node.key] for before in node.after)


@given(plans())
def test_lines_say_what_waits_for_what_and_nothing_else(plan: list[Node]) -> None:
    spine = lay_out(plan)
    direct = {node.key: reached(spine, node.key) for node in plan}
    follows = {node.key: set(node.after) for node in plan}
    for node in plan:  # what is waited for at second hand is waited for
        follows[node.key] |= {far for near in node.after for far in follows[near]}
    told: dict[str, set[str]] = {node.key: set() for node in plan}
    for node in plan:
        for source, ends in direct.items():
            if node.key in ends:
                told[node.key] |= {source} | told[source]
    assert told == follows


@given(plans())
def test_no_two_stand_in_one_place_and_lanes_are_those_drawn(plan: list[Node]) -> None:
    spine = lay_out(plan)
    for number, column in enumerate(spine.columns):
        assert len({slot.key for slot in column.slots}) == len(column.slots) <= spine.lanes
        for line in column.lines:
            assert line.start < len(column.slots)
            assert line.end < len(spine.columns[number + 1].slots)
    assert spine.height == spine.lanes * SLOT


def test_what_works_beside_others_has_a_lane_and_the_spine_stays_straight() -> None:
    plan = [
        Node("start"),
        Node("left", ("start",)),
        Node("right", ("start",)),
        Node("join", ("left", "right")),
        Node("last", ("start", "join")),
    ]
    spine = lay_out(plan)
    assert columns_of(spine) == [["start"], ["left", "right"], ["join"], ["last"]]
    assert [column.lines for column in spine.columns] == [
        (Line("start", 0, 0), Line("start", 0, 1)),
        (Line("left", 0, 0), Line("right", 1, 0)),
        (Line("join", 0, 0),),
        (),
    ]


def test_a_line_that_leads_past_others_has_a_lane_of_its_own() -> None:
    plan = [Node("a"), Node("b"), Node("c", ("a",)), Node("d", ("c", "b"))]
    spine = lay_out(plan)
    assert [[(slot.key, slot.passes) for slot in column.slots] for column in spine.columns] == [
        [("a", False), ("b", False)],
        [("c", False), ("b", True)],
        [("d", False)],
    ]


def test_lines_begin_and_end_in_the_middle_of_their_lanes() -> None:
    assert Line("a", 1, 1).path == f"M0 {SLOT * 3 // 2}H{GAP}"
    for line in (Line("a", 0, 2), Line("a", 2, 0)):
        assert line.path.startswith(f"M0 {line.start * SLOT + SLOT // 2}H")
        assert line.path.endswith(f" {line.end * SLOT + SLOT // 2}H{GAP}")
