import subprocess
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import pytest

TESTDATA = Path(__file__).resolve().parents[4].parent / "shared" / "testdata"

Make = Callable[..., Path]


@pytest.fixture(scope="session")
def ffmpeg() -> Callable[..., None]:
    """Run FFmpeg with these arguments."""

    def run(*arguments: object) -> None:
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode(errors="replace")

    return run


@pytest.fixture
def make(tmp_path: Path, ffmpeg: Callable[..., None]) -> Make:
    """Make a small video `name` of a moving test picture; `sound` adds a tone, `options` are FFmpeg's."""

    def video(
        name: str,
        *options: object,
        rate: object = 30,
        seconds: float = 1,
        size: str = "64x48",
        sound: bool = False,
        source: str | None = None,
    ) -> Path:
        target = tmp_path / name
        inputs = ["-f", "lavfi", "-i", source or f"testsrc2=s={size}:r={rate}:d={seconds}"]
        if sound:
            inputs += ["-f", "lavfi", "-i", f"sine=f=440:r=48000:d={seconds}"]
        ffmpeg(*inputs, *options, f"file:{target}")
        return target

    return video


@pytest.fixture(scope="session")
def testdata() -> Path:
    if not TESTDATA.is_dir():
        pytest.skip("needs ../shared/testdata, which is not here")
    return TESTDATA / "video"
