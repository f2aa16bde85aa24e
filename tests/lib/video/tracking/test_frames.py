from pathlib import Path

import numpy as np
import pytest

from lib.video.tracking.frames import FrameReader
from lib.video.tracking.timeline import read_timeline

from .conftest import number_of, numbered, write_video

FILMS = {
    "b-frames.mp4": ("libx264", {"g": "17", "bf": "3", "sc_threshold": "0"}),
    "open-gop.mkv": ("libx264", {"g": "12", "bf": "2", "x264-params": "open-gop=1:scenecut=0"}),
    "one-key.mp4": ("libx264", {"g": "999", "sc_threshold": "0"}),
    "hevc.mp4": ("libx265", {"x265-params": "log-level=none:keyint=16"}),
    "old.avi": ("mpeg4", {}),
    "stream.ts": ("mpeg2video", {"g": "12", "bf": "2"}),
    "web.webm": ("libvpx", {"auto-alt-ref": "1", "lag-in-frames": "8", "g": "20"}),
}
PLANS = [[(0, 60)], [(0, 25), (25, 60)], [(40, 60), (0, 20), (20, 40)], [(59, 60), (0, 1), (33, 34)]]


def read(reader: FrameReader, timeline, start: int, stop: int) -> list[int | None]:
    shown = None if timeline.timestamps is None else timeline.timestamps[start:stop].tolist()
    return [None if picture is None else number_of(picture) for picture in reader.read(start, stop, shown)]


@pytest.mark.parametrize("name", FILMS)
def test_every_part_holds_exactly_its_frames(tmp_path: Path, name: str) -> None:
    codec, options = FILMS[name]
    film = write_video(tmp_path / name, map(numbered, range(60)), codec=codec, **options)
    timeline = read_timeline(film)
    for plan in PLANS:
        with FrameReader(film, 128, 64) as reader:
            for start, stop in plan:
                assert read(reader, timeline, start, stop) == list(range(start, stop))


def test_pictures_are_upright_and_of_the_size_that_was_asked_for(testdata: Path) -> None:
    rotated = testdata / "video" / "issue-134-rotate.mp4"
    with FrameReader(rotated, 90, 160) as reader:
        picture = next(reader.read(0, 1, None))
    assert picture is not None
    assert picture.shape == (160, 90, 3)
    assert picture.flags.c_contiguous


def test_ten_bits_and_odd_sizes_are_read(tmp_path: Path) -> None:
    pictures = (np.full((35, 51, 3), 200, np.uint8) for _ in range(3))
    film = write_video(tmp_path / "odd.mkv", pictures, codec="ffv1", pixel_format="yuv444p10le")
    with FrameReader(film, 51, 35) as reader:
        (picture,) = reader.read(1, 2, None)
    assert picture is not None
    assert picture.shape == (35, 51, 3)
    assert abs(int(picture.mean()) - 200) <= 2


def test_frames_that_the_file_no_longer_holds_are_none(tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.mkv", map(numbered, range(60)), g="10", bf="0", sc_threshold="0")
    whole = read_timeline(film)
    film.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    with FrameReader(film, 128, 64) as reader:
        found = read(reader, whole, 0, 60)
    assert len(found) == 60
    held = [number for number in found if number is not None]
    assert 0 < len(held) < 60
    assert found == held + [None] * (60 - len(held))
