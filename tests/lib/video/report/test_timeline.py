"""Positions on the time axis, and what is drawn there."""

import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from lib.video.report.findings import SLICES, Faces, Slices
from lib.video.report.pictures import ROOMY, fitting_width, sample
from lib.video.report.timeline import HIGH, WIDE, faces_path, merged, percent, spans_path, ticks


@given(st.integers(1, 10_000), st.data())
def test_slices_cover_every_marked_frame(frames: int, data: st.DataObject) -> None:
    marked = data.draw(st.sets(st.integers(1, frames), max_size=30))
    slices = Slices(frames)
    for frame in marked:
        slices.mark(frame)
    spans = list(slices.spans())
    assert len(slices.values) == min(frames, SLICES)
    for frame in marked:
        assert any(start - 1e-9 <= (frame - 1) / frames < end + 1e-9 for start, end in spans)
    assert all(0 <= start < end <= 1 for start, end in spans)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(spans))
    assert sum(end - start for start, end in spans) <= len(marked) / len(slices.values) + 1e-9


def test_a_frame_past_the_end_counts_for_the_last() -> None:
    slices = Slices(10)
    slices.mark(10**12)
    assert list(slices.spans()) == [(0.9, 1.0)]


@given(st.lists(st.binary(min_size=20, max_size=20), min_size=1, max_size=5))
def test_merged_is_the_largest_of_each_slice(columns: list[bytes]) -> None:
    lanes = []
    for values in columns:
        lane = Slices(20)
        lane.values[:] = values
        lanes.append(lane)
    assert list(merged(lanes).values) == [max(column) for column in zip(*columns, strict=True)]
    assert [bytes(lane.values) for lane in lanes] == columns


@given(st.floats(0.04, 200_000))
def test_an_axis_has_a_readable_number_of_marks(duration: float) -> None:
    marks = ticks(duration)
    assert 1 <= len(marks) <= 13
    assert marks[0].at == "0%"
    assert len({mark.label for mark in marks}) == len(marks)
    assert all(0 <= float(mark.at.rstrip("%")) <= 97 for mark in marks)


@given(st.binary(min_size=1, max_size=50))
def test_faces_are_a_closed_skyline_inside_its_box(values: bytes) -> None:
    faces = Faces(most=max(values), lane=Slices(len(values)))
    faces.lane.values[:] = values
    path = faces_path(faces)
    assert bool(path) == any(values)
    if path:
        assert path.startswith(f"M0 {HIGH}")
        assert path.endswith("z")
        across = [float(each) for each in re.findall(r"H([\d.]+)", path)]
        up = [float(each) for each in re.findall(r"V([\d.e+-]+)", path)]
        assert across == sorted(across)
        assert across[-1] <= WIDE
        assert min(up) == 0
        assert max(up) <= HIGH
        assert up[-1] == HIGH


def test_spans_as_a_path() -> None:
    slices = Slices(10)
    for frame in (1, 2, 5):
        slices.mark(frame)
    assert spans_path(slices, 0, 1) == "M0.0 0h200.0v1h-200.0zM400.0 0h100.0v1h-100.0z"


@given(st.integers(0, 5000), st.integers(1, 500))
def test_a_sample_is_even(count: int, most: int) -> None:
    places = sample(count, most)
    assert len(places) == min(count, most)
    assert places == sorted(set(places))
    assert all(0 <= place < count for place in places)
    if len(places) > 1:
        gaps = [after - before for before, after in itertools.pairwise(places)]
        assert max(gaps) - min(gaps) <= 1


@given(st.integers(64, 640), st.integers(1, 5000))
def test_more_pictures_are_smaller_but_not_tiny(wanted: int, count: int) -> None:
    width = fitting_width(wanted, count)
    assert min(wanted, 128) <= width <= wanted
    assert count > ROOMY or width == wanted


def test_percentages_are_short() -> None:
    assert [percent(each) for each in (0, 0.2, 1 / 3, 1)] == ["0%", "20%", "33.333%", "100%"]
