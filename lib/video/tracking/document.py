"""The result file: frames with their objects, written as they come."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from lib.video.tracking.options import TrackingOptions
from lib.video.tracking.speaking import Audio, Speech, attribute
from lib.video.tracking.tracks import Smoother, Track, Tracker, clip, deviation

SOURCE, LABEL = "face_landmarker", "face"


@dataclass
class Counts:
    """Figures of the whole video."""

    frames: int = 0
    frames_with_faces: int = 0
    frames_speaking: int = 0
    faces: int = 0
    """Tracks: a person counts again in each scene."""


class Document:
    """Makes tracks of the faces of one frame after the other and writes them.

    What is written of a frame also depends on some frames after it (whether a face is sure, how its mouth moves around
    that moment), so writing stays behind by as many.
    """

    def __init__(
        self, out: BinaryIO, header: Mapping[str, Any], options: TrackingOptions, rate: float, audio: Audio
    ) -> None:
        self.counts = Counts()
        self._out, self._options, self._rate, self._audio = out, options, rate, audio
        self._width, self._height = header["width"], header["height"]
        self._tracker = Tracker(options.max_missed)
        self._reach = max(1, round(options.mouth_window * rate / 2))
        self._behind = max(self._reach, options.min_frames - 1)
        self._pending: deque[tuple[int, list[tuple[Track, dict[str, Any]]]]] = deque()
        self._scene_frames = 0
        out.write(orjson.dumps(header)[:-1] + b',"frames_analysis":[')

    def restart(self) -> None:
        """Say that a scene begins with the next frame."""
        self._drain(0)
        self._tracker.restart()
        self._scene_frames = 0

    def add(self, frame: int, faces: Sequence[dict[str, Any]]) -> None:
        """Take the faces of the next frame, counted from 1, as a worker writes them."""
        self._scene_frames += 1
        tracks = self._tracker.update(frame, [tuple(face["box"]) for face in faces])
        for track, face in zip(tracks, faces, strict=True):
            before = max(track.openness, default=frame)
            track.openness[frame] = face["openness"]
            track.smooth = track.smooth or Smoother(self._options.smoothing)
            face["shown"] = track.smooth(track.box, (frame - before) / self._rate)
        self._pending.append((frame, list(zip(tracks, faces, strict=True))))
        self._drain(self._behind)

    def finish(self) -> None:
        """Write what is left and the end of the file."""
        self._drain(0)
        self._out.write(b'\n],"counts":' + orjson.dumps(self.counts) + b"}\n")

    def _drain(self, behind: int) -> None:
        while len(self._pending) > behind:
            frame, found = self._pending.popleft()
            sure = [(track, face) for track, face in found if self._is_sure(track, frame)]
            movements = {id(track): self._movement(track, frame) for track, _ in sure}
            speech = attribute(movements, self._audio.at(frame), self._options.mouth_threshold)
            objects = [self._object(track, face, speech[id(track)]) for track, face in sure]
            self._write(frame, objects)

    def _is_sure(self, track: Track, frame: int) -> bool:
        """Whether a face was sure before, or is seen often enough around a frame; what is too long ago is forgotten."""
        for old in [seen for seen in track.openness if seen < frame - self._behind]:
            del track.openness[old]
        enough = min(self._options.min_frames, self._scene_frames)
        return track.number is not None or len(track.openness) >= enough

    def _movement(self, track: Track, frame: int) -> float:
        """Return how much the mouth moves around a frame."""
        return deviation(value for seen, value in track.openness.items() if abs(seen - frame) <= self._reach)

    def _object(self, track: Track, face: Mapping[str, Any], speech: Speech) -> dict[str, Any]:
        if track.number is None:
            self.counts.faces += 1
            track.number = self.counts.faces
        left, top, right, bottom = (round(edge) for edge in clip(face["shown"], self._width, self._height))
        return {
            "id": f"obj_{track.number}",
            "source": SOURCE,
            "label": LABEL,
            "confidence": face["confidence"],
            "centroid_x": (left + right) // 2,
            "centroid_y": (top + bottom) // 2,
            "bbox_width": right - left,
            "bbox_height": bottom - top,
            "bbox_xmin": left,
            "bbox_ymin": top,
            "active_speakers": speech.labels,
            "landmarks": face["landmarks"],
            "blendshapes": face["blendshapes"],
            "mouth_openness": face["openness"],
            "is_speaking": speech.speaks,
            "speaking_sources": speech.sources,
        }

    def _write(self, frame: int, objects: list[dict[str, Any]]) -> None:
        self._out.write(b",\n" if self.counts.frames else b"\n")
        self._out.write(orjson.dumps({"frame": frame, "tracked_objects": objects}))
        self.counts.frames += 1
        self.counts.frames_with_faces += bool(objects)
        self.counts.frames_speaking += any(item["is_speaking"] for item in objects)
