"""The result files beside a video, boiled down to what a report shows.

The audio and tracking files are read as streams: what is kept is counted, so that memory does not grow with the files.
"""

import bisect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import ijson

from lib.errors import InputError
from lib.video.media import Media
from lib.video.provenance import Provenance
from lib.video.reduce.reading import Begin, Frame, Member, read_result
from lib.video.report.findings import Faces, Findings, Kind, Result, Slices, Span, Voices
from lib.video.results import Results
from lib.video.scenes.table import Scene, read_scenes

MOST_SPEAKERS = 64
"""Labels beyond are counted together: no film has as many, a broken file may."""
OTHERS = "…"


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
            return sorted(
                Span(first, last)
                for each in found
                if isinstance(first := each.get("frame_in"), int)
                and isinstance(last := each.get("frame_out"), int)
                and 1 <= first <= last
            )
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
