"""Small videos, result files by the contracts, and pages read back."""

import json
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from lib.video.media import Media, probe
from lib.video.provenance import Provenance
from lib.video.report.options import ReportOptions
from lib.video.report.video import write_video_report
from lib.video.results import Results
from lib.video.scenes.table import Scene, write_scenes

VOID = {"meta", "link", "img", "br", "input", "hr"}
SELF_CLOSED_IN_SVG = {"circle", "path", "line", "rect", "use"}


class Page(HTMLParser):
    """A page taken apart: its elements with their attributes, and its text; refuses elements that do not match."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text("utf-8")
        self.elements: list[tuple[str, Mapping[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(self.source)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice in {tag}"
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.text += " "
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in SELF_CLOSED_IN_SVG, f"{tag} closes itself"
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"{tag} closes nothing"
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] not in {"style", "script"}:
            self.text += data

    def all(self, tag: str, **attributes: str) -> list[Mapping[str, str]]:
        """Return the attributes of every element of this kind; `class_` looks at one class."""
        wanted_class = attributes.pop("class_", None)
        return [
            found
            for name, found in self.elements
            if name == tag
            and all(found.get(key) == value for key, value in attributes.items())
            and (wanted_class is None or wanted_class in found.get("class", "").split())
        ]

    def ids(self) -> list[str]:
        """Return every id of the page."""
        return [found["id"] for _, found in self.elements if "id" in found]


class Desk:
    """Makes videos and results, and reports of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def video(
        self,
        name: str = "film.mp4",
        frames: int = 50,
        size: tuple[int, int] = (96, 54),
        sound: bool = False,
        noise: bool = False,
    ) -> Path:
        """Write a video at 25 frames a second whose frames differ, or are nothing but noise."""
        path = self.folder / name
        random = np.random.default_rng(4)
        # A name of 255 bytes, or with a percent sign, is opened here, and not by the muxer.
        with path.open("wb") as file, av.open(file, "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "28", "g": "10"})
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            track = container.add_stream("aac", rate=16000, layout="mono") if sound else None
            for number in range(frames):
                picture = np.zeros((size[1], size[0], 3), np.uint8)
                if noise:
                    picture = random.integers(0, 256, picture.shape, np.uint8)
                picture[:, :, number // 10 % 3] |= 80 + 40 * (number // 10 % 4)
                picture[:, : 1 + number * size[0] // frames] //= 2
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
            container.mux(stream.encode())
            if track is not None:
                silence = av.AudioFrame.from_ndarray(np.zeros((1, 640 * frames), np.float32), "fltp", "mono")
                silence.sample_rate = 16000
                container.mux(track.encode(silence))
                container.mux(track.encode())
        return path

    def analysed(self, name: str = "film.mp4") -> Path:
        """Make a video with all results: five scenes, two speakers, one or two faces in every second scene."""
        video = self.video(name, sound=True)
        self.scenes(video, [(first, first + 9) for first in range(1, 51, 10)])
        self.audio(video, [["SPEAKER_00"]] * 20 + [["SPEAKER_01"]] * 10 + [None] * 20)
        self.faces(
            video, [["obj_1", "obj_2"][: 1 + number // 25] if number // 10 % 2 == 0 else [] for number in range(50)]
        )
        return video

    def scenes(self, video: Path, bounds: Iterable[tuple[int, int]], **provenance: str) -> None:
        """Write the scenes of a video: first and last frame of each."""
        scenes = [Scene(number, first, last) for number, (first, last) in enumerate(bounds, start=1)]
        write_scenes(scenes, Fraction(25), Results(video).scenes_csv)
        header = {"provenance": self.provenance("scenes", **provenance)}
        Results(video).scenes_json.write_text(
            json.dumps(header | {"transitions": [{"frame_in": 10, "frame_out": 12, "probability": 0.8}]})
        )

    def audio(self, video: Path, speakers: Iterable[Sequence[str] | None], **header: Any) -> None:
        """Write who is heard in each frame; None is a frame without speech."""
        frames = [
            {
                "frame": number,
                "audio_info": {"is_speech_present": labels is not None, "active_speaker_labels": labels or []},
            }
            for number, labels in enumerate(speakers, start=1)
        ]
        whole = {"provenance": self.provenance("audio"), "engine": "audio-engine", "tried": [], "segments": []} | header
        Results(video).audio_json.write_text(json.dumps(whole | {"frames_analysis": frames}))

    def faces(self, video: Path, faces: Iterable[Sequence[str]], **header: Any) -> None:
        """Write the ids of the faces in each frame, beside an object that is none."""
        thing = {"id": "obj_99", "source": "object_detector", "label": "banana", "active_speakers": []}
        frames = [
            {
                "frame": number,
                "tracked_objects": [
                    *(
                        {"id": each, "source": "face_landmarker", "label": "face", "active_speakers": []}
                        for each in ids
                    ),
                    thing,
                ],
            }
            for number, ids in enumerate(faces, start=1)
        ]
        whole = {"provenance": self.provenance("tracking")} | header
        Results(video).tracking_json.write_text(json.dumps(whole | {"frames_analysis": frames}))

    def provenance(self, phase: str, **changes: str) -> dict[str, Any]:
        """Return the first key of a result file."""
        made = Provenance(phase, f"{phase}-engine", "1.2.3", f"why {phase}", "0" * 64, {})
        return made.as_dict() | changes

    def report(self, video: Path, facts: Media | None = None, target: Path | None = None, **options: Any) -> Page:
        """Write the report of a video and read it back."""
        target = target or Results(video).report_html
        write_video_report(video, target, ReportOptions(**options), facts or probe(video))
        return self.read(target)

    def read(self, path: Path) -> Page:
        """Read a page."""
        return Page(path)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A folder with a maker of videos, results and reports."""
    return Desk(tmp_path)
