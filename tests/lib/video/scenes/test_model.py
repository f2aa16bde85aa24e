import random

import numpy as np
import orjson
import pytest
import torch

from lib.errors import UnavailableError
from lib.video.scenes.model import Model
from lib.video.scenes.network import Network, load_weights
from lib.video.scenes.options import SceneOptions
from lib.video.scenes.precision import MARGIN, TOLERANCE, check, compare, has_half_precision, reference_clip

CPU = torch.device("cpu")
WINDOW = reference_clip()[:100]

needs_bfloat16 = pytest.mark.skipif(
    not has_half_precision(CPU, torch.bfloat16), reason="this processor has no bfloat16"
)


@pytest.fixture(scope="module")
def exact():
    return Network(load_weights(), torch.float32).eval()


@pytest.fixture(scope="module")
def half():
    return Network(load_weights(), torch.bfloat16).eval()


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("REGIE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def wrecked(network):
    """Disturb a network's weights, as a processor that computes wrongly would."""
    with torch.no_grad():
        network.dense.weight.mul_(1.5)
    return network


def test_bfloat16_finds_the_cuts_of_the_reference_clip(exact, half):
    verdict = compare(exact, half, CPU)
    assert verdict.usable
    assert 0 < verdict.error < TOLERANCE < MARGIN


def test_a_network_that_computes_something_else_is_not_usable(exact):
    assert not compare(exact, wrecked(Network(load_weights(), torch.bfloat16)), CPU).usable


def test_the_verdict_is_kept_for_processor_and_versions(exact, half, home):
    verdict = check(exact, half, CPU, "engine 1")
    (key,) = orjson.loads((home / "cache" / "half-precision.json").read_bytes())
    assert all(part in key for part in (str(torch.__version__), "engine 1", "torch.bfloat16"))
    other = wrecked(Network(load_weights(), torch.bfloat16))
    assert check(exact, other, CPU, "engine 1") == verdict
    assert check(exact, other, CPU, "engine 2") != verdict


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_damaged_record_of_verdicts_is_made_again(exact, half, home, content):
    (home / "cache").mkdir(parents=True)
    (home / "cache" / "half-precision.json").write_text(content)
    assert check(exact, half, CPU, "engine").usable
    assert orjson.loads((home / "cache" / "half-precision.json").read_bytes())


def test_a_home_that_cannot_be_written_is_no_obstacle(exact, half, home):
    home.write_text("a file where the folder should be")
    assert check(exact, half, CPU, "engine").usable


@needs_bfloat16
def test_without_the_same_cuts_full_precision_computes_and_a_note_says_so(home):
    Model(SceneOptions())
    record = home / "cache" / "half-precision.json"
    verdicts = orjson.loads(record.read_bytes())
    record.write_bytes(orjson.dumps({key: {"same": False, "error": 0.3} for key in verdicts}))
    model = Model(SceneOptions())
    assert model.precision == "float32"
    assert "full precision" in model.notes[0]
    assert "other cuts" in model.notes[0]


@needs_bfloat16
def test_a_window_in_doubt_is_computed_again_in_full_precision(exact):
    with torch.inference_mode():
        expected = exact(torch.from_numpy(WINDOW)).numpy()
    sure, unsure = Model(SceneOptions(threshold=0.999)), Model(SceneOptions(threshold=float(expected[60, 0])))
    assert sure.precision == unsure.precision == "bfloat16"
    assert not np.array_equal(sure(WINDOW, 25, 50), expected[25:75])
    np.testing.assert_allclose(unsure(WINDOW, 25, 50), expected[25:75], atol=1e-6)


@pytest.mark.parametrize("mixed_precision", [True, False])
def test_an_answer_that_is_no_number_is_an_error(mixed_precision, monkeypatch):
    weights = load_weights()
    weights["cls_layer1.bias"] = torch.tensor([float("nan")])
    monkeypatch.setattr("lib.video.scenes.model.load_weights", lambda: weights)
    model = Model(SceneOptions(mixed_precision=mixed_precision))
    with pytest.raises(RuntimeError, match="not a number"):
        model(WINDOW, 25, 50)


def test_torchscript_answers_the_same():
    plain, compiled = Model(SceneOptions()), Model(SceneOptions(acceleration="torchscript", warm_up_batches=1))
    assert not compiled.notes
    np.testing.assert_allclose(compiled(WINDOW, 25, 50), plain(WINDOW, 25, 50), atol=TOLERANCE)


def test_without_a_compiler_the_model_runs_uncompiled(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "compiled"))
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", (str(tmp_path / "no compiler"),))
    plain, model = Model(SceneOptions()), Model(SceneOptions(acceleration="compile"))
    assert "uncompiled" in model.notes[0]
    assert np.array_equal(model(WINDOW, 25, 50), plain(WINDOW, 25, 50))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_said_to_be_missing():
    with pytest.raises(UnavailableError, match="No GPU"):
        Model(SceneOptions(device="cuda"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_gpu_answers_the_same(exact, dtype):
    model = Model(SceneOptions(device="cuda", mixed_precision_type=dtype))
    with torch.inference_mode():
        expected = exact(torch.from_numpy(WINDOW)).numpy()[25:75]
    np.testing.assert_allclose(model(WINDOW, 25, 50), expected, atol=TOLERANCE)


def test_nothing_random_is_touched():
    before = torch.get_rng_state(), random.getstate(), torch.are_deterministic_algorithms_enabled()
    Model(SceneOptions())
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (random.getstate(), torch.are_deterministic_algorithms_enabled()) == before[1:]
