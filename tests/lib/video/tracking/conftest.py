"""Videos to track: a photograph that moves, numbered frames, and the faces of the test data where it is there."""

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from lib.video.tracking.options import MODEL_VARIABLE

ROOT = Path(__file__).resolve().parents[4]
TESTDATA = ROOT.parent / "shared" / "testdata"
MODEL = TESTDATA / "models" / "face_landmarker.task"
BITS = 8

Picture = np.ndarray[Any, np.dtype[np.uint8]]
Write = Callable[..., Path]


def write_video(
    path: Path, pictures: Iterable[Picture], codec: str = "libx264", pixel_format: str = "yuv420p", rate: int = 25,
    **options: str,
) -> Path:  # fmt: skip
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.pix_fmt = pixel_format
        for number, picture in enumerate(pictures):
            if number == 0:
                stream.height, stream.width = picture.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def numbered(number: int, width: int = 128, height: int = 64) -> Picture:
    """A picture that says its number in black and white stripes."""
    picture = np.zeros((height, width, 3), np.uint8)
    for bit in range(BITS):
        if number >> bit & 1:
            picture[:, bit * width // BITS : (bit + 1) * width // BITS] = 255
    return picture


def number_of(picture: Picture) -> int:
    centres = [round((bit + 0.5) * picture.shape[1] / BITS) for bit in range(BITS)]
    return sum(int(picture[picture.shape[0] // 2, x, 1] > 127) << bit for bit, x in enumerate(centres))


@pytest.fixture(scope="session")
def photograph() -> Picture:
    """A face: the photograph that comes with matplotlib, which MediaPipe depends on."""
    package = find_spec("matplotlib")
    assert package is not None
    assert package.origin is not None
    with av.open(str(Path(package.origin).parent / "mpl-data/sample_data/grace_hopper.jpg")) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


@pytest.fixture(scope="session")
def portraits(photograph: Picture, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes of 30 frames, 320 × 240: a face that moves to the right; two faces that stand still."""
    face = photograph[:400:2, 60:460:2]

    def picture(number: int) -> Picture:
        canvas = np.full((240, 320, 3), 90, np.uint8)
        if number < 30:
            canvas[20:220, 2 * number : 2 * number + 200] = face
        else:
            canvas[40:140, 20:120] = face[::2, ::2]
            canvas[40:240, 120:320] = face[:, ::-1]
        return canvas

    film = tmp_path_factory.mktemp("portraits") / "film.mp4"
    return write_video(film, map(picture, range(60)), g="12")


@pytest.fixture
def scenes_of_portraits() -> str:
    return "No,Timecode In,Timecode Out,Frame In,Frame Out\r\n1,0,0,1,30\r\n2,0,0,31,60\r\n"


@pytest.fixture
def testdata(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of real material, with its landmarker model named by the environment."""
    if not MODEL.is_file():
        pytest.skip("needs ../shared/testdata")
    monkeypatch.setenv(MODEL_VARIABLE, str(MODEL))
    return TESTDATA
