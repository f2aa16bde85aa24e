import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lib.video.provenance import Provenance

ROOT = Path(__file__).parents[4]


@pytest.fixture
def contracts() -> Path:
    folder = ROOT.parent / "shared" / "testdata" / "contracts"
    if not folder.is_dir():
        pytest.skip("../shared/testdata/contracts is absent")
    return folder


@pytest.fixture
def golden() -> Path:
    return Path(__file__).parent / "golden"


def provenance(phase: str) -> dict[str, Any]:
    return Provenance(phase, "engine", "1.0", "the first of the chain", "ab" * 32, {"threshold": 0.5}).as_dict()


def face(number: int, chance: random.Random) -> dict[str, Any]:
    return {
        "id": f"obj_{number}",
        "source": "face_landmarker",
        "label": "face",
        "confidence": chance.random(),
        "centroid_x": chance.randrange(1920),
        "centroid_y": chance.randrange(1080),
        "bbox_width": 100 + number,
        "bbox_height": 120,
        "bbox_xmin": 10,
        "bbox_ymin": 20,
        "active_speakers": ["SPEAKER_00"],
        "landmarks": [[chance.random(), chance.random(), chance.random()] for _ in range(478)],
        "blendshapes": {"jawOpen": chance.random()},
        "is_speaking": number == 2,
        "speaking_sources": {"mouth": True, "audio": {"active_speakers": ["SPEAKER_00"]}},
    }


def full_tracking(frames: int) -> dict[str, Any]:
    chance = random.Random(7)
    return {
        "provenance": provenance("tracking"),
        "engine": "engine",
        "frames_analysis": [
            {"frame": n, "tracked_objects": [face(1, chance), face(2, chance)] if n % 3 else []}
            for n in range(1, frames + 1)
        ],
    }


def full_audio(frames: int) -> dict[str, Any]:
    return {
        "provenance": provenance("audio"),
        "segments": [{"start": 0.2, "end": 1.4, "speaker": "SPEAKER_00"}],
        "frames_analysis": [
            {
                "frame": n,
                "audio_info": {
                    "is_speech_present": n % 2 == 0,
                    "num_distinct_speakers_audio": n % 2,
                    "active_speaker_labels": ["SPEAKER_00"] if n % 2 == 0 else [],
                    "timecode_sec": n / 25,
                },
            }
            for n in range(1, frames + 1)
        ],
    }


@pytest.fixture
def analysed(tmp_path: Path) -> Callable[..., Path]:
    """Write the full results of a video and return the video."""

    def write(frames: int = 12, stem: str = "a film", indent: int | None = None) -> Path:
        for name, value in (("audio", full_audio(frames)), ("tracking", full_tracking(frames))):
            (tmp_path / f"{stem}_{name}.json").write_text(json.dumps(value, indent=indent))
        return tmp_path / f"{stem}.mp4"

    return write
