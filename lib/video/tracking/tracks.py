"""Who is who from frame to frame: boxes that belong together, and boxes that do not tremble."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""

NEAR = 0.8
"""Distance of two centres, in sizes of the face, up to which two boxes without overlap may be one face."""
LIKE = 2.5
"""A face does not grow or shrink by more than this from one sight to the next."""
OVERLAPPING = 0.1
FORBIDDEN = 1e6


@dataclass(eq=False)
class Track:
    """One face within a scene."""

    box: Box
    """Where it was seen last."""
    seen: int
    """The frame in which it was seen last."""
    number: int | None = None
    """Its number within the video, given once it is sure to be a face."""
    smooth: "Smoother | None" = None
    openness: dict[int, float] = field(default_factory=dict)
    """How open its mouth was, by frame, of late."""


class Tracker:
    """Gives the boxes of one frame after the other to tracks; the same boxes give the same tracks."""

    def __init__(self, max_missed: int) -> None:
        self._max_missed = max_missed
        self._tracks: list[Track] = []

    def restart(self) -> None:
        """Forget everybody: another scene begins."""
        self._tracks = []

    def update(self, frame: int, boxes: Sequence[Box]) -> list[Track]:
        """Return the track of each box of a frame, new ones for those that are nobody known; no track twice."""
        self._tracks = [track for track in self._tracks if frame - track.seen <= self._max_missed + 1]
        given = assign([track.box for track in self._tracks], boxes)
        tracks: list[Track] = []
        for box, known in zip(boxes, given, strict=True):
            if known is None:
                track = Track(box, frame)
                self._tracks.append(track)
            else:
                track = self._tracks[known]
                track.box, track.seen = box, frame
            tracks.append(track)
        return tracks


def assign(known: Sequence[Box], boxes: Sequence[Box]) -> list[int | None]:
    """Return, for each box, the index of the known box that it continues: the cheapest assignment of all together."""
    given: list[int | None] = [None] * len(boxes)
    if known and boxes:
        costs = np.array([[_cost(before, now) for now in boxes] for before in known])
        from scipy.optimize import linear_sum_assignment  # base reads this module too, without scipy

        for row, column in zip(*linear_sum_assignment(costs), strict=True):
            if costs[row, column] < FORBIDDEN:
                given[column] = int(row)
    return given


def _cost(before: Box, now: Box) -> float:
    """Return how far two boxes are from being one face: lack of overlap plus distance in sizes of the face."""
    size_before, size_now = _size(before), _size(now)
    if not 1 / LIKE <= size_now / size_before <= LIKE:
        return FORBIDDEN
    distance = math.dist(_centre(before), _centre(now)) / ((size_before + size_now) / 2)
    shared = overlap(before, now)
    return FORBIDDEN if distance > NEAR and shared < OVERLAPPING else 1 - shared + distance


def overlap(one: Box, other: Box) -> float:
    """Return how much two boxes overlap: intersection over union, 0 to 1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (_area(one) + _area(other) - shared)


class Smoother:
    """The one-euro filter (Casiez, Roussel, Vogel, 2012) on a box: still ones are held still, fast ones follow at once.

    `strength` 0 changes nothing; at 1, what is slower than 1 Hz is kept of a box that does not move.
    """

    BETA = 10.0
    """How much the cut-off rises, in Hz, with the speed, in sizes of the face a second."""
    SPEED_CUTOFF = 1.0
    """Cut-off of the speed itself, in Hz: the value of the paper."""

    def __init__(self, strength: float) -> None:
        self._cutoff = 1 / strength**2 if strength > 0 else math.inf
        self._state: list[float] = []
        self._speed = [0.0] * 4

    def __call__(self, box: Box, elapsed: float) -> Box:
        """Return the box as it is to be shown; `elapsed` seconds have passed since the one before."""
        left, top, right, bottom = box
        measured = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]
        if not self._state or elapsed <= 0:
            self._state = measured
            return box
        size = max(_size(box), 1.0)
        for index, value in enumerate(measured):
            speed = (value - self._state[index]) / elapsed / size
            weight = _weight(self.SPEED_CUTOFF, elapsed)
            self._speed[index] += weight * (speed - self._speed[index])
            cutoff = self._cutoff + self.BETA * abs(self._speed[index])
            self._state[index] += _weight(cutoff, elapsed) * (value - self._state[index])
        x, y, width, height = self._state
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _weight(cutoff: float, elapsed: float) -> float:
    return 1.0 if math.isinf(cutoff) else 1 / (1 + 1 / (2 * math.pi * cutoff * elapsed))


def clip(box: Box, width: int, height: int) -> Box:
    """Return the part of a box that lies in the picture; at its edge where none does."""
    left, right = (min(max(edge, 0.0), float(width)) for edge in (box[0], box[2]))
    top, bottom = (min(max(edge, 0.0), float(height)) for edge in (box[1], box[3]))
    return left, top, right, bottom


def deviation(values: Iterable[float]) -> float:
    """Return the standard deviation of what is given; 0 for fewer than three values."""
    series = list(values)
    return float(np.std(series)) if len(series) >= 3 else 0.0


def _centre(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _size(box: Box) -> float:
    return max((box[2] - box[0] + box[3] - box[1]) / 2, 1e-6)
