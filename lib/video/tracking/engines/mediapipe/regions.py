"""Where in a picture a face is looked at: turned squares, and how they come from boxes and landmarks."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.video.tracking.faces import Points

Box = tuple[float, float, float, float]

MARGIN = 1.5
"""The landmark models want the face in the middle two thirds of their square: as in MediaPipe's own graphs, and best of
1.2 to 2.5 after either detector as well, measured by how many detections the landmarks confirm."""
RIGHT_EYE, LEFT_EYE = 33, 263
"""The outer corners of the eyes in the face mesh."""


@dataclass(frozen=True)
class Region:
    """A square around a face, in pixels, turned by `angle` (radians, clockwise) so that the eyes are level in it."""

    x: float
    y: float
    side: float
    angle: float


def box_of(points: NDArray[Any]) -> Box:
    """Return the box around points."""
    left, top = points[:, :2].min(axis=0)
    right, bottom = points[:, :2].max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def region_of_landmarks(points: Points) -> Region:
    """Return where a face that is known by its landmarks is looked for in the next picture."""
    return _region(box_of(points), points[RIGHT_EYE], points[LEFT_EYE])


def region_of_detection(box: Box, right_eye: tuple[float, float], left_eye: tuple[float, float]) -> Region:
    """Return where a face that was detected is looked at."""
    return _region(box, right_eye, left_eye)


def _region(box: Box, right_eye: Any, left_eye: Any) -> Region:
    left, top, right, bottom = box
    return Region(
        x=(left + right) / 2,
        y=(top + bottom) / 2,
        side=max(right - left, bottom - top) * MARGIN,
        angle=math.atan2(float(left_eye[1] - right_eye[1]), float(left_eye[0] - right_eye[0])),
    )


def overlap(one: Box, other: Box) -> float:
    """Return how much two boxes overlap: intersection over union, 0 to 1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (_area(one) + _area(other) - shared)


def same_face(one: Box, other: Box) -> bool:
    """Whether two boxes are of one face: each has the other's centre in it, as boxes of different makers have."""
    return _holds_centre(one, other) and _holds_centre(other, one)


def tiles(width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield overlapping squares (left, top, right, bottom) of half the longer side that cover a picture."""
    side = min(max(width, height) // 2 or 1, width, height)
    for top in _steps(height, side):
        for left in _steps(width, side):
            yield left, top, left + side, top + side


def _steps(length: int, side: int) -> list[int]:
    """Return where squares of `side` begin so that they cover `length`, a quarter overlapping at least."""
    count = 1 if length <= side else math.ceil((length - side) / (0.75 * side)) + 1
    return [round(start) for start in np.linspace(0, length - side, count)]


def _holds_centre(box: Box, other: Box) -> bool:
    x, y = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
