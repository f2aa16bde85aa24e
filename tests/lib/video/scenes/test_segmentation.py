from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lib.video.scenes.segmentation import scenes_from, transitions_from

probabilities = arrays.arrays(np.float32, st.integers(1, 300), elements=st.floats(0, 1, width=32))
thresholds = st.floats(0.01, 0.99)


@given(cuts=probabilities, threshold=thresholds)
def test_scenes_partition_the_frames(cuts, threshold):
    scenes = scenes_from(cuts, threshold)
    assert [scene.number for scene in scenes] == list(range(1, len(scenes) + 1))
    assert scenes[0].frame_in == 1
    assert scenes[-1].frame_out == len(cuts)
    assert all(scene.frames >= 1 for scene in scenes)
    assert all(after.frame_in == before.frame_out + 1 for before, after in pairwise(scenes))


@given(cuts=probabilities, threshold=thresholds)
def test_each_cut_is_the_first_frame_of_those_that_fire(cuts, threshold):
    for scene in scenes_from(cuts, threshold)[:-1]:
        assert cuts[scene.frame_out - 1] > threshold
        assert scene.frame_out == 1 or cuts[scene.frame_out - 2] <= threshold


@pytest.mark.parametrize(
    ("cuts", "ends"),
    [
        ([0], [1]),
        ([1], [1]),
        ([1, 0, 0], [1, 3]),
        ([0, 0, 1], [3]),
        ([0, 1, 0, 1, 0], [2, 4, 5]),
        ([0, 1, 1, 1, 0], [2, 5]),
        ([1, 1, 1], [1, 3]),
        ([0, 0.5, 0], [3]),
    ],
)
def test_where_scenes_end(cuts, ends):
    assert [scene.frame_out for scene in scenes_from(np.array(cuts, np.float32), 0.5)] == ends


@given(gradual=probabilities, threshold=thresholds, at_least=st.integers(1, 10))
def test_transitions_are_the_long_runs(gradual, threshold, at_least):
    inside = gradual > threshold
    marked = np.zeros_like(inside)
    for found in transitions_from(gradual, threshold, at_least):
        span = slice(found.frame_in - 1, found.frame_out)
        assert found.frame_out - found.frame_in + 1 >= at_least
        assert found.probability == gradual[span].max()
        assert not marked[span].any()
        marked[span] = True
    assert not (marked & ~inside).any()
    missed = "".join("x" if frame else " " for frame in inside & ~marked).split()
    assert all(len(run) < at_least for run in missed)
