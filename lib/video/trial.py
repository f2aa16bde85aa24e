"""Trying an environment out: `python -m lib.video.trial ENVIRONMENT` runs its engine on a tiny input.

The input is made here, or comes with the packages of the environment. What was found is printed as a JSON object; the
exit code is 1, and standard error says why, when it is not what has to be found.
"""

import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import av
import numpy as np
import orjson
from numpy.typing import NDArray

from lib.errors import InputError, UnavailableError
from lib.files import sha256

Picture = NDArray[np.uint8]
WIDTH, HEIGHT = 320, 240
SECONDS_OF_VOICE = 6
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))
"""Formants of a, i, u, e and o in hertz: men's means of Peterson and Barney, Control methods used in a study of the
vowels (1952)."""
FORMANTS = ((60, 1.0), (90, 0.6), (120, 0.3))
"""Width in hertz and strength of each."""


@dataclass(frozen=True)
class Trial:
    """What an environment found in its tiny input."""

    environment: str
    engine: str
    version: str
    found: str
    seconds: float = 0.0


def base(folder: Path) -> Trial:
    """Unpack a 7z archive with a video of 30 frames per second, and convert it to 25."""
    from lib.video.convert import ffmpeg
    from lib.video.convert.convert import convert_video
    from lib.video.convert.options import ConvertOptions
    from lib.video.extract.extraction import extract_archive
    from lib.video.extract.formats.sevenzip import program
    from lib.video.extract.options import ExtractOptions

    video = _write(folder / "video.mp4", (_texture(1, number) for number in range(30)), rate=30)
    archive = folder / "rushes.7z"
    subprocess.run([program(), "a", str(archive), str(video)], check=True, stdout=subprocess.DEVNULL)
    extract_archive(archive, folder / "out", ExtractOptions(), folder / "refused.jsonl")
    converted = convert_video(folder / "out" / "video.mp4", ConvertOptions(encoder="x264", fps=25))
    _expect(converted.frames == 25, f"of 30 frames in a second {converted.frames} were made, not 25")
    said = subprocess.run([ffmpeg.binary(), "-version"], check=True, capture_output=True, text=True).stdout
    return Trial("base", "ffmpeg", said.split()[2], "25 frames made of the 30 in an archive")


def scenes(folder: Path) -> Trial:
    """Find the one cut of a video."""
    from lib.video.results import Results
    from lib.video.scenes.analysis import analyse
    from lib.video.scenes.options import SceneOptions
    from lib.video.scenes.table import read_scenes

    video = _write(folder / "video.mp4", (_texture(1 if number < 40 else 2, number) for number in range(100)))
    summary = analyse(video, SceneOptions(), sha256(video))
    cuts = [scene.frame_out for scene in read_scenes(Results(video).scenes_csv)[:-1]]
    _expect(cuts == [40], f"the one cut is after frame 40; found: {cuts}")
    return Trial("scenes", summary.engine, summary.engine_version, "the cut after frame 40")


def audio(folder: Path) -> Trial:
    """Hear when two made voices speak, one after the other, with the embedded engine."""
    from lib.progress import silent
    from lib.video.audio.engines import embedded
    from lib.video.audio.options import AudioOptions, Secrets
    from lib.video.audio.sound import RATE, Sound

    options, secrets = AudioOptions(), Secrets()
    missing = embedded.unavailable(options, secrets)
    if missing:
        raise UnavailableError(missing)
    silence = np.zeros(2 * RATE, np.int16)
    sound = np.concatenate([silence, _voice(110, 1.0, RATE), silence, _voice(210, 1.2, RATE), silence])
    recording = folder / "voices.wav"
    with wave.open(str(recording), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(sound.tobytes())
    turns = embedded.diarize(Sound(recording, Fraction(0), Fraction(len(sound), RATE)), options, secrets, silent)
    heard = [(round(turn.start), round(turn.end), turn.speaker) for turn in turns]
    spans = [(2, 2 + SECONDS_OF_VOICE), (4 + SECONDS_OF_VOICE, 4 + 2 * SECONDS_OF_VOICE)]
    right = [each[:2] for each in heard] == spans and len({speaker for *_span, speaker in heard}) == 2
    _expect(right, f"two voices speak, in the seconds {spans}; heard: {heard}")
    return Trial("audio", "embedded", embedded.version(options), "two voices, and when each speaks")


def tracking(folder: Path) -> Trial:
    """Find the face of a photograph, the one that comes with matplotlib, in a video of it."""
    from lib.video.tracking.analysis import analyse
    from lib.video.tracking.options import TrackingOptions

    photograph = _in_package("matplotlib", "grace_hopper.jpg")
    if photograph is None:
        raise UnavailableError("matplotlib, which brings a photograph, is not here: install the environment tracking.")
    with av.open(str(photograph)) as container:
        face = next(container.decode(video=0)).reformat(WIDTH, HEIGHT, "rgb24").to_ndarray().astype(np.uint8)
    video = _write(folder / "video.mp4", (face for _number in range(10)))
    summary = analyse(video, TrackingOptions(engines=("mediapipe_mesh",)), sha256(video))
    frames = summary.counts["frames_with_faces"]
    _expect(frames == 10, f"a face is in each of 10 frames; found in {frames:g}")
    return Trial("tracking", summary.engine, summary.engine_version, "a face in each of 10 frames")


TRIALS: Mapping[str, Callable[[Path], Trial]] = {"base": base, "scenes": scenes, "audio": audio, "tracking": tracking}


def _expect(right: bool, words: str) -> None:
    if not right:
        raise InputError(f"The engine runs and is wrong: {words}.")


def _texture(seed: int, number: int) -> Picture:
    """Return a picture of coloured squares that move a little from frame to frame; those of another seed are others."""
    squares = np.random.default_rng(seed).integers(0, 256, (HEIGHT // 20, WIDTH // 20, 3), np.uint8)
    return np.roll(squares.repeat(20, axis=0).repeat(20, axis=1), number, axis=1)


def _voice(pitch: float, size: float, rate: int) -> NDArray[np.int16]:
    """Return a voice that speaks four vowels a second: harmonics of `pitch` hertz, strong near the vowels' formants.

    The formants are `size` times those of a man.
    """
    at = np.arange(SECONDS_OF_VOICE * rate) / rate
    tone = pitch * (1 + 0.08 * np.sin(2 * np.pi * 0.7 * at) + 0.02 * np.sin(2 * np.pi * 5 * at))
    phase = 2 * np.pi * np.cumsum(tone) / rate
    spoken = np.array(VOWELS)[np.random.default_rng(0).integers(0, len(VOWELS), 4 * SECONDS_OF_VOICE)] * size
    gliding = np.hanning(rate // 20) / np.hanning(rate // 20).sum()
    formants = [np.convolve(np.repeat(each, rate // 4), gliding, "same") for each in spoken.T]
    sound = np.zeros(len(at))
    for number in range(1, 40):
        near = [
            strength / (1 + ((number * tone - formant) / width) ** 2)
            for formant, (width, strength) in zip(formants, FORMANTS, strict=True)
        ]
        sound += np.sum(near, axis=0) / np.sqrt(number) * np.sin(number * phase) * (number * tone < rate / 2)
    sound *= np.clip(1.5 * np.sin(np.pi * (4 * at % 1)), 0, 1)
    samples: NDArray[np.int16] = (12000 * sound / np.abs(sound).max()).astype(np.int16)
    return samples


def _write(path: Path, pictures: Iterable[Picture], rate: int = 25) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.pix_fmt = "yuv420p"
        stream.width, stream.height = WIDTH, HEIGHT
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def _in_package(package: str, name: str) -> Path | None:
    """Return a file that a package brings, by its name, without importing the package."""
    try:
        found = (Path(str(file.locate())) for file in files(package) or () if file.name == name)
    except PackageNotFoundError:
        return None
    return next((path for path in found if path.is_file()), None)


def main(environment: str) -> int:
    """Try an environment, print what was found; return the exit code."""
    if environment not in TRIALS:
        print(f"There is no environment {environment!r}: there are {', '.join(TRIALS)}.", file=sys.stderr)
        return 2
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="regie-trial-") as folder:
        try:
            trial = TRIALS[environment](Path(folder))
        except (InputError, UnavailableError) as error:
            print(error, file=sys.stderr)
            return 1
    taken = replace(trial, seconds=round(time.monotonic() - started, 1))
    sys.stdout.buffer.write(orjson.dumps(asdict(taken)) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
