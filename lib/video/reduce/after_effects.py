"""What After Effects reads directly: the results by frame, and keyframes that follow the person who speaks."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from lib.video.disk import Draft, replacing_if_changed
from lib.video.media import probe
from lib.video.reduce.reading import read_frames
from lib.video.reduce.writing import to_json
from lib.video.results import Results

PIXELS = 1e6
"""No video is as wide: what is beyond is no position."""


def index_by_frame(results: Results) -> Path:
    """Write `<stem>_ae.json` from the reduced results and return its path: the same by frame number.

    `dataByFrame` maps a frame's number to its tracked objects, `audioByFrame` to its audio; `maxFrame` and
    `audioMaxFrame` are the last numbers. A frame without objects is left out. A file that has this content already is
    not touched.
    """
    target = results.ae_json
    with replacing_if_changed(target) as draft, draft.path.open("wb") as stream:
        stream.write(b'{"schema":"ae_preprocessed","schema_version":1')
        stream.writelines(_section("dataByFrame", "maxFrame", results.tracking_json, "tracked_objects"))
        stream.writelines(_section("audioByFrame", "audioMaxFrame", results.audio_json, "audio_info"))
        stream.write(b"}")
    return target


def _section(name: str, last_name: str, path: Path, key: str) -> Iterator[bytes]:
    yield f',"{name}":{{'.encode()
    last, first = 0, True
    for frame in read_frames(path) if path.exists() else ():
        last = max(last, frame["frame"])
        if frame[key]:
            yield b'%s\n"%d":%s' % (b"" if first else b",", frame["frame"], to_json(frame[key]))
            first = False
    yield f'}},"{last_name}":{last}'.encode()


class Keyframes:
    """Writes `<stem>_keyframes.txt`: the position of one person per frame, to paste on a null or a mask.

    The person is the one who speaks, where somebody does, else the largest on screen. The file is After Effects'
    own text form of keyframes (tab separated, frames from 0, pixels of the video).
    """

    needs: ClassVar[set[str]] = {"centroid_x", "centroid_y", "bbox_width", "bbox_height"}

    draft: Draft

    def __init__(self, video: Path) -> None:
        self.target = Results(video).keyframes
        self._video = video
        self._seen = self._used = 0

    @property
    def starved(self) -> bool:
        """Whether there were objects, but none with a position."""
        return self._seen > 0 and self._used == 0

    def __enter__(self) -> Self:
        self._media = probe(self._video)
        with contextlib.ExitStack() as stack:
            self.draft = stack.enter_context(replacing_if_changed(self.target))
            self._stream = stack.enter_context(self.draft.path.open("w", encoding="utf-8", newline=""))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stream.write("\r\n\r\nEnd of Keyframe Data\r\n")
        self._stack.__exit__(*error)

    def begin(self) -> None:
        """Write the header; a second time takes back all that was written."""
        self._stream.seek(0)
        self._stream.truncate()
        self._seen = self._used = 0
        media = self._media
        lines = (
            "Adobe After Effects 8.0 Keyframe Data",
            "",
            f"\tUnits Per Second\t{float(media.frame_rate):g}",
            f"\tSource Width\t{media.width}",
            f"\tSource Height\t{media.height}",
            "\tSource Pixel Aspect Ratio\t1",
            "\tComp Pixel Aspect Ratio\t1",
            "",
            "Transform\tPosition",
            "\tFrame\tX pixels\tY pixels\tZ pixels\t",
            "",
        )
        self._stream.write("\r\n".join(lines))

    def add(self, frame: Mapping[str, Any]) -> None:
        """Write the keyframe of one frame, if somebody is there."""
        objects = frame["tracked_objects"]
        self._seen += len(objects)
        placed = [item for item in objects if all(_is_pixels(item.get(key)) for key in self.needs)]
        if placed:
            person = max(placed, key=_prominence)
            self._used += 1
            self._stream.write(f"\t{frame['frame'] - 1}\t{person['centroid_x']:g}\t{person['centroid_y']:g}\t0\t\r\n")


def _is_pixels(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < PIXELS


def _prominence(item: Mapping[str, Any]) -> tuple[bool, bool, float]:
    """Order people by: speaking, being a face, size."""
    speaks = bool(item.get("is_speaking"))
    return speaks, item.get("source") == "face_landmarker", item["bbox_width"] * item["bbox_height"]
