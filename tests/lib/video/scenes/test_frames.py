import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import InputError
from lib.video.scenes.frames import film, windows
from lib.video.scenes.precision import reference_clip

from .conftest import ffmpeg_frames


@st.composite
def shapes(draw):
    padding, stride = draw(st.integers(0, 12)), draw(st.integers(1, 12))
    return padding + stride + draw(st.integers(0, 12)), stride, padding


@given(length=st.integers(0, 80), shape=shapes())
def test_windows_are_those_of_the_reference(length, shape):
    window, stride, padding = shape
    frames = (np.array([number]) for number in range(length))
    found = [(list(each[:, 0]), counts) for each, counts in windows(frames, window, stride, padding)]
    expected = [
        ([min(max(first + place, 0), length - 1) for place in range(-padding, window - padding)], length - first)
        for first in range(0, length, stride)
    ]
    assert found == [(indices, min(stride, left)) for indices, left in expected]


def pictures(height, width, count=12):
    small = reference_clip()[30 : 30 + count]
    rows, columns = np.arange(height) * 27 // height, np.arange(width) * 48 // width
    return small[:, rows][:, :, columns]


@pytest.mark.parametrize(
    ("name", "height", "width", "options"),
    [
        ("plain.mp4", 180, 320, {}),
        ("portrait.mp4", 320, 180, {}),
        ("odd.mkv", 97, 131, {"pixel_format": "yuv444p"}),
        ("tiny.mkv", 16, 16, {}),
        ("deep.mkv", 120, 160, {"pixel_format": "yuv420p10le"}),
        ("full range.mkv", 120, 160, {"pixel_format": "yuvj420p"}),
        ("bt709.mp4", 120, 160, {"x264-params": "colormatrix=bt709:colorprim=bt709:transfer=bt709"}),
        ("alpha.mov", 120, 160, {"codec": "qtrle", "pixel_format": "argb"}),
        ("old.avi", 120, 160, {"codec": "mpeg4", "rate": Fraction(30000, 1001)}),
    ],
)
def test_frames_are_those_of_the_ffmpeg_command(make_video, name, height, width, options):
    video = make_video(name, pictures(height, width), **options)
    with film(video) as source:
        frames = np.stack(list(source))
        assert source.rate == options.get("rate", 25)
        assert source.expected in (0, len(frames))
    expected = ffmpeg_frames(video)
    assert np.array_equal(frames, expected)


@pytest.mark.parametrize("turn", [(0, 1, -1, 0), (0, -1, 1, 0), (-1, 0, 0, -1), (-1, 0, 0, 1), (0, 1, 1, 0)])
def test_a_turned_video_is_seen_upright(make_video, tmp_path, turn):
    video = make_video("lying.mp4", pictures(180, 320))
    content = video.read_bytes()
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    a, b, c, d = (65536 * part for part in turn)
    at = content.index(identity, content.index(b"tkhd"))
    turned = tmp_path / "turned.mp4"
    turned.write_bytes(content[:at] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + content[at + 36 :])
    with film(turned) as source:
        frames = np.stack(list(source))
    assert np.array_equal(frames, ffmpeg_frames(turned))
    with film(video) as source:
        assert not np.array_equal(frames, np.stack(list(source)))


def damaged(video, packets):
    """Overwrite packets of a video whose packets are PNG pictures."""
    content = bytearray(video.read_bytes())
    signature, at = b"\x89PNG", 0
    for number in range(60):
        at = content.index(signature, at + 1)
        if number in packets:
            content[at : at + 4] = b"none"
    video.write_bytes(content)


def test_damaged_packets_are_counted_and_left_out(make_video):
    video = make_video("film.mov", pictures(120, 160, count=60), codec="png", pixel_format="rgb24")
    damaged(video, {7, 8, 40})
    with film(video) as source:
        assert sum(1 for _ in source) == 57
        assert source.damaged == 3


def test_a_video_without_one_picture_is_refused(make_video):
    video = make_video("film.mov", pictures(120, 160, count=60), codec="png", pixel_format="rgb24")
    damaged(video, range(60))
    with film(video) as source, pytest.raises(InputError, match="No picture"):
        list(source)


DECODE = """
import sys
from pathlib import Path
from lib.video.scenes.frames import film
with film(Path(sys.argv[1]), threads=1) as source:
    print(sum(1 for _ in source))
"""


def test_memory_does_not_grow_with_the_number_of_frames(make_video, peak_of):
    black = np.zeros((720, 1280, 3), np.uint8)
    short, long = (make_video(f"{count}.mp4", [black] * count) for count in (10, 100))
    (few, low), (many, high) = peak_of(DECODE, short), peak_of(DECODE, long)
    assert (few, many) == ("10", "100")
    assert high - low < 30_000
