import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.video.audio.segments import Segment, by_frame, frames_of, relabelled, smooth, speech, tidy

# Multiples of an eighth are exact in binary, so that equal times are equal.
times = st.integers(0, 400).map(lambda eighths: eighths / 8)
speakers = st.sampled_from(["a", "b", "c", None])
segments = st.lists(
    st.builds(lambda start, length, who: Segment(start, start + length / 8, who), times, st.integers(1, 40), speakers),
    max_size=20,
)
limits = st.integers(0, 16).map(lambda eighths: eighths / 8)
rates = st.sampled_from([Fraction(25), Fraction(24), Fraction(30000, 1001), Fraction(60), Fraction(1, 2)])


def speaking(found: list[Segment], at: float, who: str | None) -> bool:
    return any(each.start <= at < each.end and each.speaker == who for each in found)


@given(segments)
def test_tidy_keeps_who_speaks_at_every_moment(found: list[Segment]) -> None:
    tidied = tidy(found, 60.0)
    for eighth in range(480):
        at = eighth / 8 + 1 / 16
        for who in ("a", "b", "c", None):
            assert speaking(tidied, at, who) == speaking(found, at, who)


@given(segments, times)
def test_tidy_gives_disjoint_stretches_within_the_video(found: list[Segment], duration: float) -> None:
    tidied = tidy(found, duration)
    assert tidied == sorted(tidied, key=lambda each: (each.start, each.end, each.speaker or ""))
    for who in {each.speaker for each in tidied}:
        own = [each for each in tidied if each.speaker == who]
        assert all(0 <= each.start < each.end <= duration for each in own)
        assert all(one.end < other.start for one, other in itertools.pairwise(own))


@pytest.mark.parametrize(
    ("start", "end"),
    [(float("nan"), 1.0), (0.0, float("inf")), (2.0, 1.0), (1.0, 1.0), (-5.0, -1.0), (70.0, 80.0)],
)
def test_tidy_leaves_out_what_is_no_stretch_of_the_video(start: float, end: float) -> None:
    assert tidy([Segment(start, end, "a")], 60.0) == []


@given(segments, limits, limits, limits)
def test_smoothing_twice_is_smoothing_once(found: list[Segment], fill: float, on: float, off: float) -> None:
    once = smooth(found, fill, on, off)
    assert smooth(once, fill, on, off) == once


@given(segments, limits, limits, limits)
def test_smooth_segments_keep_the_limits(found: list[Segment], fill: float, on: float, off: float) -> None:
    smoothed = smooth(found, fill, on, off)
    assert all(each.duration >= on for each in smoothed)
    for who in {each.speaker for each in smoothed}:
        own = [each for each in smoothed if each.speaker == who]
        assert all(other.start - one.end > fill for one, other in itertools.pairwise(own))
    stretches = speech(smoothed)
    assert all(other[0] - one[1] >= off for one, other in itertools.pairwise(stretches))


@given(segments, limits, limits)
def test_without_a_minimum_nobody_falls_silent_by_smoothing(found: list[Segment], fill: float, off: float) -> None:
    smoothed = smooth(found, fill, 0.0, off)
    for each in found:
        assert any(
            kept.start <= each.start and each.end <= kept.end and kept.speaker == each.speaker for kept in smoothed
        )


@given(segments)
def test_smoothing_without_limits_only_tidies(found: list[Segment]) -> None:
    assert smooth(found, 0.0, 0.0, 0.0) == tidy(found, 1000.0)


@given(segments)
def test_speakers_are_named_in_the_order_in_which_they_first_speak(found: list[Segment]) -> None:
    renamed = relabelled(found)
    first: list[str] = []
    for each in renamed:
        if each.speaker is not None and each.speaker not in first:
            first.append(each.speaker)
    assert first == [f"SPEAKER_{number:02d}" for number in range(len(first))]
    assert len(first) == len({each.speaker for each in found} - {None})
    assert sorted((each.start, each.end) for each in renamed) == sorted((each.start, each.end) for each in found)


@given(segments, rates, st.integers(0, 300))
def test_frames_say_what_the_segments_say_in_their_middle(found: list[Segment], rate: Fraction, frames: int) -> None:
    tidied = tidy(found, 1000.0)
    rastered = list(by_frame(tidied, frames, rate))
    assert len(rastered) == frames
    for number, (speech_present, names) in enumerate(rastered):
        middle = (number + Fraction(1, 2)) / rate
        active = {each.speaker for each in tidied if each.start <= middle < each.end}
        assert speech_present == bool(active)
        assert names == sorted(active - {None})


@given(times, st.integers(0, 80), st.integers(0, 80), rates)
def test_segments_that_touch_share_no_frame_and_leave_none_out(
    start: float, first: int, second: int, rate: Fraction
) -> None:
    middle, end = start + first / 8, start + (first + second) / 8
    one, two = Segment(start, middle, "a"), Segment(middle, end, "b")
    assert [*frames_of(one, rate), *frames_of(two, rate)] == [*frames_of(Segment(start, end, "c"), rate)]


@given(segments)
def test_speech_is_the_union_of_what_anybody_says(found: list[Segment]) -> None:
    stretches = speech(found)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(stretches))
    for eighth in range(480):
        at = eighth / 8 + 1 / 16
        assert any(start <= at < end for start, end in stretches) == any(each.start <= at < each.end for each in found)
