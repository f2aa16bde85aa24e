from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.video.tracking.timeline import plan_chunks, read_timeline

from .conftest import numbered, write_video

frames_of_films = st.integers(1, 400)
sets_of_frames = st.lists(st.integers(-5, 420), max_size=20)


@given(frames_of_films, sets_of_frames, sets_of_frames, st.integers(1, 120))
def test_chunks_hold_every_frame_once_and_are_not_too_long(frames, cuts, keys, most) -> None:
    sought = np.array(sorted({0, *(key for key in keys if 0 < key < frames)}), np.int64)
    chunks = plan_chunks(frames, cuts, sought, most)
    assert [f for chunk in chunks for f in range(chunk.start, chunk.stop)] == list(range(frames))
    for chunk in chunks:
        assert 0 < chunk.stop - chunk.start <= most
        assert chunk.restarts[0] == chunk.start
        assert list(chunk.restarts) == sorted(set(chunk.restarts))


@given(frames_of_films, sets_of_frames, st.integers(1, 120))
def test_tracking_restarts_at_every_cut_and_elsewhere_only_within_long_scenes(frames, cuts, most) -> None:
    chunks = plan_chunks(frames, cuts, np.zeros(0, np.int64), most)
    restarts = {frame for chunk in chunks for frame in chunk.restarts}
    scenes = sorted({0, frames, *(cut for cut in cuts if 0 < cut < frames)})
    assert set(scenes[:-1]) <= restarts
    for start, stop in pairwise(scenes):
        if stop - start <= most:
            assert not restarts & set(range(start + 1, stop))


def test_a_long_scene_is_cut_at_a_key_frame() -> None:
    chunks = plan_chunks(100, [], np.array([0, 10, 45, 90]), most=50)
    assert [(chunk.start, chunk.stop) for chunk in chunks] == [(0, 45), (45, 90), (90, 100)]


def test_whole_scenes_share_a_chunk() -> None:
    chunks = plan_chunks(100, [20, 40, 80], np.array([0]), most=50)
    assert [(chunk.start, chunk.stop, chunk.restarts) for chunk in chunks] == [
        (0, 40, (0, 20)), (40, 80, (40,)), (80, 100, (80,)),
    ]  # fmt: skip


def test_a_timeline_has_the_frames_in_the_order_shown(tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.mp4", map(numbered, range(50)), g="20", bf="3", sc_threshold="0")
    timeline = read_timeline(film)
    assert timeline.frames == 50
    assert timeline.timestamps is not None
    assert (np.diff(timeline.timestamps) > 0).all()
    assert list(timeline.keys) == [0, 20, 40]


@pytest.mark.parametrize(
    ("name", "codec"), [("f.avi", "mpeg4"), ("f.mkv", "libx264"), ("f.webm", "libvpx"), ("f.ts", "mpeg2video")]
)
def test_every_container_has_all_its_frames(tmp_path: Path, name: str, codec: str) -> None:
    film = write_video(tmp_path / name, map(numbered, range(30)), codec=codec)
    assert read_timeline(film).frames == 30
