"""What an engine says of one picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""Height × width × 3, red green blue, upright."""
Points = NDArray[np.float32]
"""Points × (x, y, z) in pixels of the picture; z is smaller towards the camera, in the same scale."""

UPPER_LIP, LOWER_LIP, MOUTH_RIGHT, MOUTH_LEFT = 13, 14, 78, 308
"""Points of MediaPipe's face mesh: the inner edges of the lips, in their middle and at their corners."""


@dataclass(frozen=True)
class Face:
    """One face in one picture."""

    box: tuple[float, float, float, float]
    """Left, top, right and bottom in pixels of the picture; it may reach beyond its edges."""
    confidence: float
    openness: float
    """Distance of the inner lips over the width of the mouth: 0 closed, about 1 wide open."""
    landmarks: Points = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    blendshapes: Mapping[str, float] = field(default_factory=dict)
    """The 52 scores by name; empty where the engine has none."""


class FaceEngine(Protocol):
    """Finds the faces of one picture after the other; remembers where they were, so that it need not search anew."""

    def restart(self) -> None:
        """Forget the faces: what comes next is another scene."""

    def faces(self, picture: Picture) -> Sequence[Face]:
        """Return the faces of the next picture."""

    def close(self) -> None:
        """Give back what the engine holds."""


def mouth_openness(points: NDArray[Any]) -> float:
    """Return how open the mouth of a face mesh is; distances are in space, so that a turned head changes little."""
    width = float(np.linalg.norm(points[MOUTH_LEFT] - points[MOUTH_RIGHT]))
    height = float(np.linalg.norm(points[LOWER_LIP] - points[UPPER_LIP]))
    return height / width if width > 0 else 0.0
