"""The same cuts as the package's own code on the same frames."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lib.video.scenes.detection import detect
from lib.video.scenes.frames import film
from lib.video.scenes.network import Network, load_weights
from lib.video.scenes.options import SceneOptions
from lib.video.scenes.segmentation import scenes_from

from .conftest import PART_FRAMES, ffmpeg_frames

THRESHOLD = 0.5


@pytest.fixture(scope="module")
def of_reference(reference, film_part):
    """The two probabilities of each frame, by the package's own decoding, windows and model in float32."""
    frames = torch.from_numpy(ffmpeg_frames(film_part).copy())
    assert len(frames) >= PART_FRAMES
    cuts, gradual = reference.predict_frames(frames, quiet=True)
    return cuts.numpy(), gradual.numpy()


@pytest.fixture(scope="module")
def reference_ends(reference, of_reference):
    return [int(end) + 1 for _, end in reference.predictions_to_scenes(of_reference[0], THRESHOLD)]


def test_frames_are_those_of_the_ffmpeg_command(film_part):
    with film(film_part) as source:
        assert np.array_equal(np.stack(list(source)), ffmpeg_frames(film_part))


def test_full_precision_computes_the_same(of_reference, reference_ends, film_part):
    found = detect(film_part, SceneOptions(mixed_precision=False))
    assert found.precision == "float32"
    np.testing.assert_allclose(found.cuts, of_reference[0], atol=1e-5)
    np.testing.assert_allclose(found.gradual, of_reference[1], atol=1e-5)
    assert [scene.frame_out for scene in scenes_from(found.cuts, THRESHOLD)] == reference_ends
    assert len(reference_ends) > 20


def test_the_defaults_find_the_same_cuts(of_reference, reference_ends, film_part):
    found = detect(film_part, SceneOptions())
    assert [scene.frame_out for scene in scenes_from(found.cuts, THRESHOLD)] == reference_ends
    np.testing.assert_allclose(found.cuts, of_reference[0], atol=0.01)


def test_the_network_is_that_of_the_package(reference):
    window = torch.randint(0, 256, (100, 27, 48, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    network = Network(load_weights(), torch.float32).eval()
    with torch.inference_mode():
        expected = torch.cat(reference.predict_raw(window[None]), 2)[0]
        torch.testing.assert_close(network(window), expected, atol=1e-5, rtol=0)


@given(cuts=arrays.arrays(np.float32, st.integers(2, 60), elements=st.sampled_from([0.0, 0.5, 0.51, 1.0])))
def test_every_scene_of_the_reference_ends_where_one_of_ours_does(reference, cuts):
    ends = {scene.frame_out for scene in scenes_from(cuts, THRESHOLD)}
    assert {int(end) + 1 for _, end in reference.predictions_to_scenes(cuts, THRESHOLD)} <= ends
