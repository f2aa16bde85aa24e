"""Whether the results of a video are whole."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import orjson

from lib.errors import InputError
from lib.video.media import probe
from lib.video.reduce.reading import read_frames
from lib.video.results import Results
from lib.video.scenes.table import read_scenes

PHASES = {"scenes": 3, "audio": 4, "tracking": 5}
"""The phases whose results are checked, and their numbers."""


class Trouble(StrEnum):
    """What may be wrong with a result."""

    MISSING = "missing"
    DAMAGED = "damaged"
    MISMATCH = "mismatch"
    VIDEO = "video"
    """The video itself cannot be read."""
    NAME = "name"
    """The destination does not take the file's name."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a video's results, in words for a person."""

    trouble: Trouble
    phase: str
    """`scenes`, `audio`, `tracking`; empty when it is the video."""
    message: str


def check_results(video: Path, required: Collection[str] = frozenset(PHASES)) -> list[Problem]:
    """Return what is wrong with the results beside a video: absent (if required), unreadable, or of another length.

    Files are read as streams; the video is read once, without decoding it.
    """
    try:
        frames = probe(video).frames
    except InputError as error:
        return [Problem(Trouble.VIDEO, "", str(error))]
    results = Results(video)
    checks: tuple[tuple[str, Path, Callable[[Results, int], None]], ...] = (
        ("scenes", results.scenes_csv, _check_scenes),
        ("audio", results.audio_json, lambda _, count: _check_frames(results.audio_json, count)),
        ("tracking", results.tracking_json, lambda _, count: _check_frames(results.tracking_json, count)),
    )
    problems = []
    for phase, path, check in checks:
        again = f"run phase {PHASES[phase]} ({phase}) again"
        if not path.is_file():
            if phase in required:
                message = f"The {phase} results are missing: {again}."
                problems.append(Problem(Trouble.MISSING, phase, message))
            continue
        try:
            check(results, frames)
        except _MismatchError as error:
            problems.append(Problem(Trouble.MISMATCH, phase, f"The {phase} results {error}: {again}."))
        except (InputError, ValueError, OSError) as error:
            problems.append(
                Problem(
                    Trouble.DAMAGED, phase, f"The {phase} results cannot be read ({str(error).rstrip('.')}): {again}."
                )
            )
    return problems


class _MismatchError(Exception):
    """Results are not those of this video."""


def _check_scenes(results: Results, frames: int) -> None:
    last = 0
    for scene in read_scenes(results.scenes_csv):
        if scene.frame_in != last + 1:
            raise _MismatchError(f"leave a gap at frame {last + 1}")
        last = scene.frame_out
    if last != frames:
        raise _MismatchError(f"end at frame {last}, the video at frame {frames}")
    if results.scenes_json.is_file():
        orjson.loads(results.scenes_json.read_bytes())


def _check_frames(path: Path, frames: int) -> None:
    count = 0
    for count, frame in enumerate(read_frames(path), 1):
        if frame.get("frame") != count:
            raise _MismatchError(f"have frame {frame.get('frame')} where frame {count} should be")
    if count != frames:
        raise _MismatchError(f"have {count} frames, the video has {frames}")
