"""Videos with sound that the tests make, and real speech where it can be had."""

from collections.abc import Callable
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import av
import numpy as np
import pytest

from lib.video.audio.sound import RATE, Sound
from lib.video.media import probe

TESTDATA = Path(__file__).resolve().parents[5] / "shared" / "testdata"
Make = Callable[..., Path]


def in_package(package: str, ending: str) -> Path | None:
    """Return a file that a package installs, found without importing it."""
    try:
        found = [Path(str(each.locate())) for each in files(package) or [] if str(each).endswith(ending)]
    except PackageNotFoundError:
        return None
    return found[0] if found else None


@pytest.fixture(scope="session")
def testdata() -> Path:
    if not TESTDATA.is_dir():
        pytest.skip("../shared/testdata is not here")
    return TESTDATA


def decoded(path: Path, seconds: int = 30) -> np.ndarray:
    """Return the beginning of a sound file as 16 kHz mono."""
    return Sound(path, Fraction(0), Fraction(seconds)).read()


@pytest.fixture(scope="session")
def conversation() -> np.ndarray:
    """Thirty seconds of real speech, of whatever origin is at hand."""
    candidates = [
        in_package("pyannote-audio", "sample/sample.wav"),
        TESTDATA / "audio" / "ami-dev01.wav",
    ]
    for each in candidates:
        if each is not None and each.is_file():
            return decoded(each)
    pytest.skip("no recording of speech is installed here")


def tone(seconds: float, hertz: float = 440.0, rate: int = RATE) -> np.ndarray:
    at = np.arange(round(seconds * rate)) / rate
    return (8000 * np.sin(2 * np.pi * hertz * at)).astype(np.int16)


def write_video(
    path: Path,
    sound: np.ndarray | None,
    frames: int = 50,
    rate: Fraction | int = 25,
    *,
    codec: str = "pcm_s16le",
    layout: str = "mono",
    sound_rate: int = RATE,
    offset: float = 0.0,
    gaps: dict[int, float] | None = None,
    fmt: str = "s16",
) -> Path:
    """Write a small video; `offset` seconds before its sound, `gaps` seconds of missing timestamps before some blocks.

    `sound` is samples, or channels × samples; blocks are of 1024 samples.
    """
    with av.open(str(path), "w") as output:
        picture = output.add_stream("mpeg4", rate=rate)
        picture.width, picture.height, picture.pix_fmt = 32, 32, "yuv420p"
        stream = None
        if sound is not None:
            stream = output.add_stream(codec, rate=sound_rate, layout=layout)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), number % 250, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, 1 / Fraction(rate)
            output.mux(picture.encode(frame))
        output.mux(picture.encode(None))
        if stream is not None:
            channels = np.atleast_2d(sound)
            shift = round(offset * sound_rate)
            for block, begin in enumerate(range(0, channels.shape[1], 1024)):
                shift += round((gaps or {}).get(block, 0.0) * sound_rate)
                part = np.ascontiguousarray(channels[:, begin : begin + 1024].T.reshape(1, -1))
                frame = av.AudioFrame.from_ndarray(part, format=fmt, layout=layout)
                frame.sample_rate, frame.pts, frame.time_base = sound_rate, begin + shift, Fraction(1, sound_rate)
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
    return path


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(sound: np.ndarray | None, name: str = "video.mkv", **settings: object) -> Path:
        return write_video(tmp_path / name, sound, **settings)  # type: ignore[arg-type]

    return made


def sound_of(video: Path) -> Sound:
    return Sound.of(video, probe(video))


def loud(samples: np.ndarray, window: int = 160) -> np.ndarray:
    """Return for each hundredth of a second whether it is not silent."""
    whole = samples[: len(samples) // window * window].astype(float).reshape(-1, window)
    return np.sqrt((whole**2).mean(axis=1)) > 300
