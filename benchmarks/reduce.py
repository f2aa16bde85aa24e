"""Speed and peak memory of reducing a tracking file, beside the json module, in the same run.

Each measurement is a process of its own: what one leaves in memory does not count for the next. The file is made here,
in the form and with the amount of numbers that tracking writes (two faces a frame, 478 landmarks and 52 blendshapes
each).
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from lib.video.reduce.options import ReduceOptions
from lib.video.reduce.reduce import reduce_results

KEYS = ReduceOptions().tracking_keys
METHODS = ("json", "regie")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, nargs=2, default=(750, 3000), help="two lengths of film, in frames")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--measure", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.path)))
        return
    rows = list(run(arguments.frames))
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'method':<8}{'frames':>8}{'MB':>8}{'seconds':>9}{'MB/s':>8}{'peak memory MB':>16}")
    for row in rows:
        print(
            f"{row['method']:<8}{row['frames']:>8}{row['megabytes']:>8.0f}{row['seconds']:>9.2f}"
            f"{row['megabytes_per_second']:>8.0f}{row['peak_megabytes']:>16.0f}"
        )


def run(lengths: tuple[int, int]) -> Iterator[dict[str, Any]]:
    """Measure each method at each length; both give the same values, which is checked."""
    with tempfile.TemporaryDirectory() as folder:
        for frames in lengths:
            source = Path(folder, f"{frames}.json")
            make(source, frames)
            results = []
            for method in METHODS:
                copy = Path(folder, "film_tracking.json")
                copy.write_bytes(source.read_bytes())
                command = [sys.executable, __file__, "--measure", method, "--path", str(copy)]
                found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
                results.append(json.loads(copy.read_bytes()))
                size = source.stat().st_size / 1e6
                yield {
                    "method": method,
                    "frames": frames,
                    "megabytes": size,
                    **found,
                    "megabytes_per_second": size / found["seconds"],
                }
            if results[0] != results[1]:
                raise SystemExit("the two results differ")


def measure(method: str, path: Path) -> dict[str, float]:
    """Reduce one file in this process; seconds, and the most memory that the process had."""
    start = time.perf_counter()
    if method == "json":
        with_json_module(path)
    else:
        reduce_results(path.with_name("film.mp4"), ReduceOptions())
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "peak_megabytes": peak() / 1e6}


def peak() -> float:
    """Return the most bytes that this program had; what its parent had before it began does not count."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def with_json_module(path: Path) -> None:
    """Do the same with the json module, in the plainest way."""
    with path.open() as stream:
        document = json.load(stream)
    for frame in document["frames_analysis"]:
        frame["tracked_objects"] = [{key: item[key] for key in KEYS} for item in frame["tracked_objects"]]
    with path.open("w") as stream:
        json.dump(document, stream, indent=2, ensure_ascii=False)


def make(path: Path, frames: int) -> None:
    """Write a tracking file as a stream, without provenance so that both methods write the same."""
    chance = random.Random(1)
    with path.open("wb") as stream:
        stream.write(b'{"frames_analysis": [')
        for number in range(1, frames + 1):
            frame = {"frame": number, "tracked_objects": [face(1, chance), face(2, chance)]}
            stream.write((b",\n" if number > 1 else b"\n") + orjson.dumps(frame))
        stream.write(b"\n]}")


def face(number: int, chance: random.Random) -> dict[str, Any]:
    return {
        "id": f"obj_{number}",
        "source": "face_landmarker",
        "label": "face",
        "confidence": round(chance.random(), 4),
        "centroid_x": chance.randrange(1920),
        "centroid_y": chance.randrange(1080),
        "bbox_width": chance.randrange(400),
        "bbox_height": chance.randrange(400),
        "bbox_xmin": chance.randrange(1920),
        "bbox_ymin": chance.randrange(1080),
        "active_speakers": [],
        "landmarks": [[round(chance.random(), 5) for _ in range(3)] for _ in range(478)],
        "blendshapes": {f"shape{index}": round(chance.random(), 5) for index in range(52)},
        "is_speaking": False,
        "speaking_sources": {"mouth": False, "audio": {}},
    }


if __name__ == "__main__":
    main()
