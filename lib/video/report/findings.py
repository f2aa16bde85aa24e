"""What the result files beside a video say, boiled down to what a report shows.

The audio and tracking files are read as streams: what is kept is counted per scene and per slice of time, so that
memory does not grow with the files.
"""

import bisect
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import ijson

from lib.errors import InputError
from lib.video.media import Media
from lib.video.provenance import Provenance
from lib.video.reduce.reading import Begin, Frame, Member, read_result
from lib.video.results import Results
from lib.video.scenes.table import Scene, read_scenes, timecode

SLICES = 1200
"""A film is cut into this many slices of time at most: finer would not be seen on a screen."""
MOST_SPEAKERS = 64
"""Labels beyond are counted together: no film has as many, a broken file may."""
OTHERS = "…"

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
    """Gradual transitions: dissolves, fades, wipes."""
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
        return any(span.first - 1 <= scene.frame_in <= span.last + 1 for span in self.transitions)

    def code(self, frame: int) -> str:
        """Return the time code of a frame, as the scene file has it."""
        return timecode(frame, self.rate)


def find(video: Path, facts: Media) -> Findings:
    """Read the results beside a video; one that is missing or cannot be read is said in `results`."""
    beside = Results(video)
    results: dict[Kind, Result] = {}
    scenes, results["scenes"] = _read_scenes(beside)
    frames = max(facts.frames, scenes[-1].frame_out if scenes else 0, 1)
    listener, watcher = _Listener(frames, scenes), _Watcher(frames, scenes)
    results["audio"] = _read_stream("audio", beside.audio_json, listener)
    results["tracking"] = _read_stream("tracking", beside.tracking_json, watcher)
    return Findings(
        video=video,
        facts=facts,
        scenes=scenes,
        transitions=_read_transitions(beside.scenes_json) if scenes else [],
        voices=listener.voices if results["audio"].state == "present" else None,
        faces=watcher.faces if results["tracking"].state == "present" else None,
        results=results,
    )


class _Reader(Protocol):
    def begin(self) -> None: ...

    def take(self, frame: int, value: Mapping[str, Any]) -> None: ...


class _Listener:
    """Counts who is heard, frame by frame."""

    def __init__(self, frames: int, scenes: Sequence[Scene]) -> None:
        self._frames, self._index = frames, _Index(scenes)
        self.begin()

    def begin(self) -> None:
        self.voices = Voices(lane=Slices(self._frames))

    def take(self, frame: int, value: Mapping[str, Any]) -> None:
        voices, info = self.voices, _mapping(value.get("audio_info"))
        voices.frames += 1
        if info.get("is_speech_present") is not True:
            return
        voices.speech += 1
        voices.lane.mark(frame)
        scene = self._index.place(frame)
        for label in dict.fromkeys(map(str, _list(info.get("active_speaker_labels")))):
            name = label if label in voices.speakers or len(voices.speakers) < MOST_SPEAKERS else OTHERS
            voices.speakers[name] += 1
            voices.lanes.setdefault(name, Slices(self._frames)).mark(frame)
            voices.heard[scene][name] += 1


class _Watcher:
    """Counts faces, frame by frame."""

    def __init__(self, frames: int, scenes: Sequence[Scene]) -> None:
        self._frames, self._index = frames, _Index(scenes)
        self.begin()

    def begin(self) -> None:
        self.faces = Faces(lane=Slices(self._frames))
        self._scene, self._known = -1, set[str]()

    def take(self, frame: int, value: Mapping[str, Any]) -> None:
        faces = self.faces
        faces.frames += 1
        objects = map(_mapping, _list(value.get("tracked_objects")))
        ids = {str(each.get("id")) for each in objects if each.get("label") == "face"}
        if not ids:
            return
        faces.with_face += 1
        faces.most = max(faces.most, len(ids))
        faces.lane.mark(frame, len(ids))
        scene = self._index.place(frame)
        if scene != self._scene:
            self._scene, self._known = scene, set()
        faces.seen[scene] += len(ids - self._known)
        self._known |= ids


class _Index:
    """Finds the scene of a frame."""

    def __init__(self, scenes: Sequence[Scene]) -> None:
        self._firsts = [scene.frame_in for scene in scenes]

    def place(self, frame: int) -> int:
        """Return the place of the scene that holds a frame: 0 for the first, and when there are none."""
        return max(bisect.bisect_right(self._firsts, frame) - 1, 0)


def _read_scenes(beside: Results) -> tuple[list[Scene], Result]:
    provenance = Provenance.read(beside.scenes_json)
    try:
        return read_scenes(beside.scenes_csv), Result("scenes", "present", provenance=provenance)
    except FileNotFoundError:
        return [], Result("scenes", "missing")
    except (InputError, OSError) as error:
        return [], Result("scenes", "broken", _words(error), provenance)


def _read_transitions(path: Path) -> list[Span]:
    """Return the gradual transitions that the file with the probabilities names; none where it cannot be read."""
    try:
        with path.open("rb") as stream:
            found = (_mapping(each) for each in ijson.items(stream, "transitions.item"))
            return [
                Span(first, last)
                for each in found
                if isinstance(first := each.get("frame_in"), int)
                and isinstance(last := each.get("frame_out"), int)
                and 1 <= first <= last
            ]
    except (OSError, ijson.JSONError):
        return []


def _read_stream(kind: Kind, path: Path, reader: _Reader) -> Result:
    tried: tuple[str, ...] = ()
    try:
        for part in read_result(path):
            if isinstance(part, Frame):
                frame = part.value.get("frame")
                if isinstance(frame, int) and frame >= 1:
                    reader.take(frame, part.value)
            elif isinstance(part, Begin):
                reader.begin()
            elif isinstance(part, Member) and part.key == "tried":
                tried = tuple(map(_attempt, _list(part.value)))
    except FileNotFoundError:
        return Result(kind, "missing")
    except (InputError, OSError) as error:
        return Result(kind, "broken", _words(error), Provenance.read(path), tried)
    return Result(kind, "present", provenance=Provenance.read(path), tried=tried)


def _attempt(value: Any) -> str:
    """Return one entry of `tried` in words: it is an object with `engine` and `reason`, or words already."""
    if not isinstance(value, Mapping):
        return str(value)
    return ": ".join(str(value[key]) for key in ("engine", "reason") if value.get(key))


def _words(error: InputError | OSError) -> str:
    """Return an error without the path of the file, which the report's reader knows."""
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def middle(scene: Scene) -> int:
    """Return the frame that stands for a scene."""
    return (scene.frame_in + scene.frame_out) // 2
