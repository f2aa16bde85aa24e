"""Stretches of speech: put in order, smoothed, and cut into frames. Pure functions."""

import heapq
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction


@dataclass(frozen=True, order=True)
class Segment:
    """Somebody speaks from `start` until `end` (seconds on the picture's timeline)."""

    start: float
    end: float
    speaker: str | None
    """None where there is speech and the engine does not say whose."""

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start


def tidy(segments: Iterable[Segment], duration: float) -> list[Segment]:
    """Return what can be used of an engine's answer, ordered by time.

    Numbers that are not finite and empty stretches are left out, the rest is cut to the video's `duration`, and what
    one speaker says twice at a time is said once.
    """
    usable = []
    for each in segments:
        if math.isfinite(each.start) and math.isfinite(each.end):
            start, end = max(0.0, each.start), min(duration, each.end)
            if end > start:
                usable.append(Segment(start, end, each.speaker))
    return _merged(usable, 0.0)


def smooth(segments: Iterable[Segment], gap_fill: float, min_on: float, min_off: float) -> list[Segment]:
    """Return the segments without what is too short, ordered by time.

    A pause of one speaker of up to `gap_fill` seconds is filled; a stretch shorter than `min_on` is left out; a silence
    of everybody shorter than `min_off` is closed by the speaker before it. Smoothing what is smooth changes nothing.
    """
    current = _merged(segments, gap_fill)
    while True:
        kept = [each for each in current if each.duration >= min_on]
        smoothed = _merged(_closed(kept, min_off), gap_fill)
        if smoothed == current:
            return current
        current = smoothed


def relabelled(segments: Sequence[Segment]) -> list[Segment]:
    """Return the segments with speakers named SPEAKER_00, SPEAKER_01, … in the order in which they first speak."""
    names: dict[str, str] = {}
    for each in sorted(segments, key=lambda segment: (segment.start, segment.end, segment.speaker or "")):
        if each.speaker is not None:
            names.setdefault(each.speaker, f"SPEAKER_{len(names):02d}")
    return _ordered(replace(each, speaker=names[each.speaker]) if each.speaker else each for each in segments)


def frames_of(segment: Segment, rate: Fraction) -> range:
    """Return the frames (from 0) in whose middle the segment is heard."""
    half = Fraction(1, 2)
    return range(
        max(0, math.ceil(Fraction(segment.start) * rate - half)), max(0, math.ceil(Fraction(segment.end) * rate - half))
    )


def by_frame(segments: Iterable[Segment], frames: int, rate: Fraction) -> Iterator[tuple[bool, list[str]]]:
    """Yield for each of `frames` frames whether there is speech, and the speakers' names in order."""
    spans = [(span.start, span.stop, each.speaker) for each in segments if (span := frames_of(each, rate))]
    coming = iter(sorted(spans, key=lambda span: span[:2]))
    upcoming = next(coming, None)
    active: list[tuple[int, str]] = []  # a heap by the frame at which they fall silent; "" is nobody known
    for frame in range(frames):
        while upcoming is not None and upcoming[0] <= frame:
            heapq.heappush(active, (upcoming[1], upcoming[2] or ""))
            upcoming = next(coming, None)
        while active and active[0][0] <= frame:
            heapq.heappop(active)
        yield bool(active), sorted({speaker for _, speaker in active if speaker})


def speech(segments: Iterable[Segment]) -> list[tuple[float, float]]:
    """Return when anybody speaks: disjoint stretches, ordered by time."""
    return [(each.start, each.end) for each in _merged((replace(each, speaker=None) for each in segments), 0.0)]


def _merged(segments: Iterable[Segment], gap: float) -> list[Segment]:
    """Join the segments of each speaker that overlap, touch, or have at most `gap` seconds between them."""
    last: dict[str | None, int] = {}
    merged: list[Segment] = []
    for each in _ordered(segments):
        position = last.get(each.speaker)
        if position is not None and each.start - merged[position].end <= gap:
            merged[position] = replace(merged[position], end=max(merged[position].end, each.end))
        else:
            last[each.speaker] = len(merged)
            merged.append(each)
    return _ordered(merged)


def _closed(segments: Sequence[Segment], min_off: float) -> list[Segment]:
    """Close the silences of everybody that are shorter than `min_off`."""
    closed = list(segments)
    latest = -1  # the position of the segment that ends last so far
    for position, each in enumerate(closed):
        if latest >= 0 and 0 < each.start - closed[latest].end < min_off:
            closed[latest] = replace(closed[latest], end=each.start)
        if latest < 0 or each.end > closed[latest].end:
            latest = position
    return closed


def _ordered(segments: Iterable[Segment]) -> list[Segment]:
    return sorted(segments, key=lambda each: (each.start, each.end, each.speaker or ""))
