import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.video.tracking.tracks import Box, Smoother, Track, Tracker, assign, clip, deviation, overlap

coordinate = st.floats(-50, 700, allow_nan=False)
size = st.floats(5, 200, allow_nan=False)
boxes = st.builds(lambda x, y, w, h: (x, y, x + w, y + h), coordinate, coordinate, size, size)
films = st.lists(st.lists(boxes, max_size=6), max_size=12)


def names(tracks: list[list[Track]]) -> list[list[int]]:
    """Tracks as numbers, in the order in which they first appear."""
    known: dict[int, int] = {}
    return [[known.setdefault(id(track), len(known)) for track in frame] for frame in tracks]


def track(film: list[list[Box]], max_missed: int = 3) -> list[list[int]]:
    tracker = Tracker(max_missed)
    return names([tracker.update(frame, found) for frame, found in enumerate(film, start=1)])


@given(films)
def test_no_face_is_twice_in_a_frame(film: list[list[Box]]) -> None:
    for found, frame in zip(film, track(film), strict=True):
        assert len(frame) == len(set(frame)) == len(found)


@given(films)
def test_the_same_boxes_give_the_same_tracks(film: list[list[Box]]) -> None:
    assert track(film) == track(film)


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.floats(-3, 3), st.floats(-3, 3)),
        min_size=1,
        max_size=4,
        unique_by=lambda p: p[0],
    ),
    st.integers(2, 30),
    st.randoms(use_true_random=False),
)
def test_faces_that_move_slowly_keep_their_track_whatever_their_order(people, frames, random) -> None:
    film, expected = [], []
    for frame in range(frames):
        order = list(range(len(people)))
        random.shuffle(order)
        places = [people[one] for one in order]
        film.append(
            [(x, y, x + 40, y + 50) for x, y in ((slot * 300 + dx * frame, dy * frame) for slot, dx, dy in places)]
        )
        expected.append(order)
    found = track(film)
    identity: dict[int, int] = {}
    for order, frame in zip(expected, found, strict=True):
        for person, name in zip(order, frame, strict=True):
            assert identity.setdefault(person, name) == name
    assert len(set(identity.values())) == len(people)


@pytest.mark.parametrize(("missed", "same"), [(1, True), (3, True), (4, False)])
def test_a_face_that_is_lost_for_a_while_is_the_same_after(missed: int, same: bool) -> None:
    film = [[(0.0, 0.0, 40.0, 40.0)], *([] for _ in range(missed)), [(5.0, 0.0, 45.0, 40.0)]]
    first, *_, last = track(film, max_missed=3)
    assert (first == last) == same


def test_nobody_is_known_after_a_cut() -> None:
    tracker = Tracker(max_missed=5)
    (before,) = tracker.update(1, [(0, 0, 40, 40)])
    tracker.restart()
    assert tracker.update(2, [(0, 0, 40, 40)]) != [before]


def test_a_face_far_away_or_of_another_size_is_somebody_else() -> None:
    known = [(100.0, 100.0, 140.0, 140.0)]
    assert assign(known, [(300, 100, 340, 140)]) == [None]
    assert assign(known, [(0, 0, 240, 240)]) == [None]
    assert assign(known, [(110, 105, 150, 145)]) == [0]


def test_the_assignment_is_best_for_all_together() -> None:
    # The first box is nearest to the second known one, but then the second box would be left alone.
    known = [(0.0, 0.0, 40.0, 40.0), (30.0, 0.0, 70.0, 40.0)]
    assert assign(known, [(20, 0, 60, 40), (45, 0, 85, 40)]) == [0, 1]


@given(boxes, boxes)
def test_overlap_is_a_share_and_has_no_direction(one: Box, other: Box) -> None:
    assert 0 <= overlap(one, other) <= 1
    assert overlap(one, other) == overlap(other, one)
    assert overlap(one, one) == pytest.approx(1)


@given(boxes)
def test_what_is_shown_lies_in_the_picture(box: Box) -> None:
    left, top, right, bottom = clip(box, 640, 360)
    assert 0 <= left <= right <= 640
    assert 0 <= top <= bottom <= 360


def test_a_trembling_box_is_held_still() -> None:
    smooth = Smoother(0.5)
    shown = [smooth((100 + shift, 100, 140 + shift, 140), 0.04) for shift in [1, -1] * 50]
    tremble = [abs(one[0] - other[0]) for one, other in pairwise(shown[50:])]
    assert max(tremble) < 1.2  # 2 before


@pytest.mark.parametrize("strength", [0.25, 0.5, 1.0])
def test_a_box_that_moves_on_is_followed_closely(strength: float) -> None:
    smooth = Smoother(strength)
    speed = 4.0  # pixels a frame: two and a half faces a second
    shown = [smooth((speed * n, 0, speed * n + 40, 40), 0.04) for n in range(50)]
    assert speed * 49 - shown[-1][0] < speed  # less than a frame behind


@given(boxes, st.lists(st.floats(-20, 20), max_size=20))
def test_without_smoothing_boxes_are_shown_as_they_were_seen(box: Box, shifts: list[float]) -> None:
    smooth = Smoother(0)
    for shift in shifts:
        moved = (box[0] + shift, box[1], box[2] + shift, box[3])
        assert smooth(moved, 0.04) == pytest.approx(moved)


@given(boxes, st.floats(0.01, 1))
def test_a_box_that_stays_is_shown_where_it_is(box: Box, strength: float) -> None:
    smooth = Smoother(strength)
    assert [smooth(box, 0.04) for _ in range(5)][-1] == pytest.approx(box)


def test_movement_is_zero_for_a_still_mouth_and_for_one_hardly_seen() -> None:
    assert deviation([0.2] * 9) == pytest.approx(0)
    assert deviation([0.0, 0.9]) == 0
    assert math.isclose(deviation([0.0, 0.3, 0.6]), 0.2449, abs_tol=1e-4)
