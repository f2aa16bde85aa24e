"""What a report knows of a video: counts per scene and per slice of time, whatever the length of the video."""

import bisect
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from lib.video.media import Media
from lib.video.provenance import Provenance
from lib.video.scenes.table import Scene, timecode

SLICES = 1200
"""A film is cut into this many slices of time at most: finer would not be seen on a screen."""

Kind = Literal["scenes", "audio", "tracking"]


class Span(NamedTuple):
    """Some frames in a row, from 1, both ends included."""

    first: int
    last: int


@dataclass(frozen=True)
class Result:
    """One result file: whether it is there, and what it says of its making."""

    kind: Kind
    state: Literal["present", "missing", "broken"]
    problem: str = ""
    """Why it cannot be read."""
    provenance: Provenance | None = None
    tried: tuple[str, ...] = ()
    """The engines that were tried before, and what was wrong with each."""

    @property
    def untold(self) -> tuple[str, ...]:
        """What was tried before and the reason for the engine does not tell already."""
        reason = self.provenance.reason if self.provenance else ""
        return tuple(attempt for attempt in self.tried if attempt not in reason)

    @property
    def made(self) -> str:
        """When it was made, to the minute; empty when it does not say."""
        return self.provenance.created_at[:16].replace("T", " ") if self.provenance else ""


@dataclass
class Slices:
    """What happens in each slice of time: the largest value that a frame of it has."""

    frames: int
    values: bytearray = field(init=False)

    def __post_init__(self) -> None:
        self.values = bytearray(max(1, min(self.frames, SLICES)))

    def mark(self, frame: int, value: int = 1) -> None:
        """Take in one frame (from 1)."""
        place = min((frame - 1) * len(self.values) // max(self.frames, 1), len(self.values) - 1)
        self.values[place] = max(self.values[place], min(value, 255))

    def spans(self, least: int = 1) -> Iterator[tuple[float, float]]:
        """Yield start and end of each stretch whose value is at least `least`, as shares of the film."""
        start = None
        for place, value in enumerate([*self.values, 0]):
            if value >= least and start is None:
                start = place
            elif value < least and start is not None:
                yield start / len(self.values), place / len(self.values)
                start = None


@dataclass
class Voices:
    """Who speaks when."""

    frames: int = 0
    speech: int = 0
    """Frames with speech."""
    speakers: Counter[str] = field(default_factory=Counter)
    """Frames in which each is heard."""
    lanes: dict[str, Slices] = field(default_factory=dict)
    lane: Slices = field(default_factory=lambda: Slices(0))
    """Speech, whoever it is."""
    heard: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Frames in which each is heard, by the place of the scene."""

    def ranked(self) -> list[str]:
        """Return the speakers, the one who speaks most first."""
        return sorted(self.speakers, key=lambda label: (-self.speakers[label], label))


@dataclass
class Faces:
    """When faces are seen, and how many."""

    frames: int = 0
    with_face: int = 0
    most: int = 0
    """Faces in one frame, at most."""
    lane: Slices = field(default_factory=lambda: Slices(0))
    seen: Counter[int] = field(default_factory=Counter)
    """Different faces, by the place of the scene: an id is one person within a scene."""

    @property
    def tracked(self) -> int:
        """How many faces were tracked, each once per scene."""
        return sum(self.seen.values())


@dataclass(frozen=True)
class Findings:
    """Everything that a report says of one video, its pictures apart."""

    video: Path
    facts: Media
    scenes: Sequence[Scene]
    transitions: Sequence[Span]
    """Gradual transitions (dissolves, fades, wipes), in order."""
    voices: Voices | None
    faces: Faces | None
    results: Mapping[Kind, Result]

    @property
    def rate(self) -> Fraction:
        """Frames a second, exactly."""
        return self.facts.frame_rate or Fraction(25)

    @property
    def fps(self) -> float:
        """Frames a second."""
        return float(self.rate)

    @property
    def frames(self) -> int:
        """Length of the time axis in frames: the video's, or the scenes' where they go on."""
        return max(self.facts.frames, self.scenes[-1].frame_out if self.scenes else 0, 1)

    @property
    def duration(self) -> float:
        """Length of the time axis in seconds."""
        return self.frames / self.fps

    @cached_property
    def lengths(self) -> list[float]:
        """Length of each scene in seconds."""
        return [scene.frames / self.fps for scene in self.scenes]

    @property
    def mean_shot(self) -> float:
        """Mean length of a scene in seconds."""
        return statistics.fmean(self.lengths)

    @property
    def median_shot(self) -> float:
        """Median length of a scene in seconds."""
        return statistics.median(self.lengths)

    @property
    def newest(self) -> str:
        """When the newest result was made; empty when none says."""
        return max(result.made for result in self.results.values())

    def begins_gradually(self, scene: Scene) -> bool:
        """Say whether a gradual transition leads into a scene."""
        place = bisect.bisect_left(self.transitions, scene.frame_in - 1, key=lambda span: span.last)
        return place < len(self.transitions) and self.transitions[place].first - 1 <= scene.frame_in

    def code(self, frame: int) -> str:
        """Return the time code of a frame, as the scene file has it."""
        return timecode(frame, self.rate)


def middle(scene: Scene) -> int:
    """Return the frame that stands for a scene."""
    return (scene.frame_in + scene.frame_out) // 2
