"""Accuracy, speed and peak memory of finding out who speaks when.

Diarization error rate (no collar, overlapped speech counts, the number of speakers is found) of every engine that can
run here, on annotated recordings: the conversation in the package pyannote.audio, the meetings in ../shared/testdata.
Memory is measured on the first of them, repeated to two lengths, in a process of its own each.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from lib.progress import silent
from lib.video.audio.engines import ENGINES, engine
from lib.video.audio.options import AudioOptions, Secrets
from lib.video.audio.scoring import error_rate, read_rttm
from lib.video.audio.segments import Segment, smooth
from lib.video.audio.sound import RATE, Sound

MEETINGS = Path(__file__).resolve().parents[2] / "shared" / "testdata" / "audio"
SECONDS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument("--minutes", type=int, nargs=2, default=(3, 12), help="two lengths for the peak memory")
    parser.add_argument("--options", type=json.loads, default={}, help="audio options as JSON")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--measure", nargs=2, metavar=("ENGINE", "SECONDS"), help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    options = AudioOptions(**arguments.options)
    if arguments.measure:
        name, seconds = arguments.measure
        print(json.dumps(measured(name, Sound(arguments.path, Fraction(0), Fraction(seconds)), options)))
        return
    report = run(arguments.engines, arguments.minutes, options)
    print(json.dumps(report, indent=2) if arguments.json else table(report))


def recordings() -> Iterator[tuple[str, Path, Path, str]]:
    """Yield name, sound, reference, and name in the reference, of the recordings that are here."""
    try:
        inside = [Path(str(each.locate())) for each in files("pyannote-audio") or [] if each.name == "sample.wav"]
    except PackageNotFoundError:
        inside = []
    for sound in inside:
        yield "conversation", sound, sound.with_suffix(".rttm"), "sample"
    for sound in sorted(MEETINGS.glob("ami-dev*.wav")):
        yield sound.stem, sound, MEETINGS / "ami-debug.development.rttm", sound.stem.removeprefix("ami-")


def run(engines: list[str], minutes: tuple[int, int], options: AudioOptions) -> dict[str, Any]:
    secrets = Secrets.from_environment()
    report: dict[str, Any] = {"accuracy": [], "memory": [], "missing": {}}
    known = list(recordings())
    if not known:
        sys.exit("There is no annotated recording here: neither pyannote.audio nor ../shared/testdata.")
    for name in engines:
        found = engine(name)
        assert found is not None
        if missing := found.unavailable(options, secrets):
            report["missing"][name] = missing
            continue
        for recording, path, reference, uri in known:
            report["accuracy"].append(accuracy(name, recording, path, read_rttm(reference, uri), options, secrets))
        with tempfile.TemporaryDirectory() as folder:
            for length in minutes:
                long = Path(folder, f"{length}.flac")
                repeat(known[0][1], long, length * 60)
                command = [sys.executable, __file__, "--measure", name, str(length * 60), "--path", str(long)]
                command += ["--options", json.dumps(options.model_dump(mode="json"))]
                answer = subprocess.run(command, capture_output=True, check=True, text=True).stdout
                report["memory"].append({"engine": name, "minutes": length} | json.loads(answer))
    return report


def accuracy(
    name: str, recording: str, path: Path, reference: list[Segment], options: AudioOptions, secrets: Secrets
) -> dict[str, Any]:
    found = engine(name)
    assert found is not None
    sound = Sound(path, Fraction(0), Fraction(SECONDS))
    segments = found.diarize(sound, options, secrets, silent)
    segments = smooth(segments, options.gap_fill, options.min_on, options.min_off)
    errors = error_rate(reference, segments, SECONDS)
    return {
        "engine": name,
        "version": found.version(options),
        "recording": recording,
        "error_rate": round(errors.rate, 4),
        "missed": round(errors.missed / errors.total, 4),
        "false_alarm": round(errors.false_alarm / errors.total, 4),
        "confusion": round(errors.confusion / errors.total, 4),
        "speakers": len({each.speaker for each in reference}),
        "speakers_found": len({each.speaker for each in segments}),
    }


def measured(name: str, sound: Sound, options: AudioOptions) -> dict[str, Any]:
    """Return speed (with the engine's own start) and peak memory of one engine on one sound."""
    found = engine(name)
    assert found is not None
    begin = time.monotonic()
    segments = found.diarize(sound, options, Secrets.from_environment(), silent)
    seconds = time.monotonic() - begin
    return {
        "seconds": round(seconds, 2),
        "times_real_time": round(float(sound.duration) / seconds, 1),
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "speakers_found": len({each.speaker for each in segments}),
    }


def repeat(source: Path, target: Path, seconds: int) -> None:
    """Write the sound again and again until it is so long."""
    samples = Sound(source, Fraction(0), Fraction(SECONDS)).read()
    with av.open(str(target), "w") as output:
        stream = output.add_stream("flac", rate=RATE, layout="mono")
        assert isinstance(stream, AudioStream)
        for second in range(seconds):
            begin = second % SECONDS * RATE
            block = np.ascontiguousarray(samples[begin : begin + RATE])
            frame = AudioFrame.from_ndarray(block[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE, second * RATE
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def table(report: dict[str, Any]) -> str:
    lines = [f"{'engine':<10}{'recording':<14}{'DER':>7}{'missed':>8}{'false':>7}{'confused':>10}{'speakers':>10}"]
    lines += [
        f"{row['engine']:<10}{row['recording']:<14}{row['error_rate']:>7.3f}{row['missed']:>8.3f}"
        f"{row['false_alarm']:>7.3f}{row['confusion']:>10.3f}{row['speakers_found']:>6} of {row['speakers']}"
        for row in report["accuracy"]
    ]
    lines += ["", f"{'engine':<10}{'minutes':>8}{'seconds':>9}{'× real time':>13}{'peak memory MB':>16}"]
    lines += [
        f"{row['engine']:<10}{row['minutes']:>8}{row['seconds']:>9.1f}{row['times_real_time']:>13.0f}"
        f"{row['peak_megabytes']:>16}"
        for row in report["memory"]
    ]
    lines += [f"\n{name} did not run: {why}" for name, why in report["missing"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
