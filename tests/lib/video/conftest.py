"""Small real films, and whole results beside them."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from lib.files import sha256
from lib.video.provenance import Provenance
from lib.video.results import Results

MakeFilm = Callable[..., Path]


@pytest.fixture
def make_film() -> MakeFilm:
    """Write a real video of so many frames (320 × 180, 25 a second), whose content depends on `shade`."""

    def make(path: Path, frames: int = 10, shade: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w", format="mp4") as container:
            stream = container.add_stream("mpeg4", rate=25)
            stream.width, stream.height = 320, 180
            for number in range(frames):
                picture = np.full((180, 320, 3), (shade + number * 9) % 256, np.uint8)
                for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                    container.mux(packet)
            for packet in stream.encode():
                container.mux(packet)
        return path

    return make


@pytest.fixture
def peak_of() -> Callable[..., tuple[str, int]]:
    """Run a program in a process of its own; return what it printed, and the most KiB of memory that it held.

    Not `ru_maxrss`, which begins at the size of the process that started it.
    """
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of a process is read in /proc")
    last = 'print(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])'

    def run(program: str, *arguments: object) -> tuple[str, int]:
        command = [sys.executable, "-c", f"{program}\n{last}", *map(str, arguments)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        *lines, kibibytes = printed.splitlines()
        return "\n".join(lines), int(kibibytes)

    return run


def write_json(path: Path, phase: str, digest: str, options: dict[str, Any], **content: Any) -> None:
    provenance = Provenance(phase, f"{phase} engine", "1.0", "the first of the chain", digest, options)
    path.write_text(json.dumps({"provenance": provenance.as_dict(), **content}, indent=2))


@pytest.fixture
def write_results() -> Callable[..., Path]:
    """Write the results of all phases beside a video, as the analyses do; return the video."""

    def write(video: Path, frames: int = 10, threshold: float = 0.5) -> Path:
        results, digest = Results(video), sha256(video)
        options = {"threshold": threshold}
        half = frames // 2
        with results.scenes_csv.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["No", "Timecode In", "Timecode Out", "Frame In", "Frame Out"])
            writer.writerow([1, "00:00:00.000", f"00:00:00.{(half - 1) * 40:03}", 1, half])
            writer.writerow([2, f"00:00:00.{half * 40:03}", f"00:00:00.{(frames - 1) * 40:03}", half + 1, frames])
        scenes = [{"number": 1, "frame_in": 1, "frame_out": half}, {"number": 2, "frame_in": half + 1}]
        write_json(results.scenes_json, "scenes", digest, options, scenes=scenes)
        audio = [
            {
                "frame": n,
                "audio_info": {
                    "is_speech_present": n < half,
                    "num_distinct_speakers_audio": int(n < half),
                    "active_speaker_labels": ["SPEAKER_00"] if n < half else [],
                    "timecode_sec": n / 25,
                },
            }
            for n in range(1, frames + 1)
        ]
        write_json(results.audio_json, "audio", digest, options, frames_analysis=audio)
        name = video.stem.replace(" ", "_")
        line = f"SPEAKER {name} 1 0.040 0.160 <NA> <NA> SPEAKER_00 <NA> <NA>\n"
        results.rttm.write_bytes(os.fsencode(line))
        tracking = [
            {
                "frame": n,
                "tracked_objects": [
                    {
                        "id": "obj_1",
                        "source": "face_landmarker",
                        "label": "face",
                        "confidence": 0.9,
                        "centroid_x": 10 * n,
                        "centroid_y": 90,
                        "bbox_width": 40,
                        "bbox_height": 50,
                        "active_speakers": ["SPEAKER_00"] if n < half else [],
                        "landmarks": [[0.1, 0.2, 0.3]] * 478,
                        "is_speaking": n < half,
                    }
                ],
            }
            for n in range(1, frames + 1)
        ]
        write_json(results.tracking_json, "tracking", digest, options, frames_analysis=tracking)
        return video

    return write
