"""From probabilities per frame to scenes and gradual transitions: pure, without a model."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lib.video.scenes.table import Scene

Probabilities = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Transition:
    """A gradual passage (dissolve, fade) from one scene to the next; frames count from 1, both ends belong to it."""

    frame_in: int
    frame_out: int
    probability: float
    """The highest in it."""


def scenes_from(cuts: Probabilities, threshold: float) -> list[Scene]:
    """Divide all frames into scenes.

    The model fires on the last frame of the outgoing shot. Where it fires on several frames in a row there is one cut,
    after the first of them, which is where the reference ends a scene too; it leaves the others to no scene, here they
    belong to the scene that begins.
    """
    fires = cuts > threshold
    first_of_run = fires & ~np.concatenate(([False], fires[:-1]))
    ends = [int(index) + 1 for index in np.flatnonzero(first_of_run)]
    if not ends or ends[-1] != len(cuts):
        ends.append(len(cuts))
    starts = [1, *(end + 1 for end in ends[:-1])]
    return [Scene(number, first, last) for number, (first, last) in enumerate(zip(starts, ends, strict=True), start=1)]


def transitions_from(gradual: Probabilities, threshold: float, at_least: int) -> list[Transition]:
    """Return the runs of `at_least` frames or more that the model sees within a transition.

    `gradual` is the model's second output, which is trained to fire on every frame of a transition.
    """
    inside = np.concatenate(([False], gradual > threshold, [False]))
    changes = np.flatnonzero(inside[1:] != inside[:-1])
    return [
        Transition(int(start) + 1, int(end), float(gradual[start:end].max()))
        for start, end in zip(changes[::2], changes[1::2], strict=True)
        if end - start >= at_least
    ]
