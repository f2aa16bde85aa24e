"""The real pipeline of pyannote.audio, of tiny networks with random weights, loaded from disk as a user's is."""

import importlib.util
import os
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from lib.errors import UnavailableError
from lib.progress import silent
from lib.video.audio.engines import pyannote as engine
from lib.video.audio.options import AudioOptions, Secrets
from lib.video.audio.segments import Segment
from lib.video.audio.sound import RATE, Sound

from ..conftest import write_video

if importlib.util.find_spec("pyannote") is None or importlib.util.find_spec("pyannote.audio") is None:
    pytest.skip("pyannote.audio is not installed here", allow_module_level=True)

os.environ[engine.TELEMETRY] = "false"
with warnings.catch_warnings():
    # That torchcodec finds no FFmpeg and that pkg_resources is outdated is said at import, and of no concern here.
    warnings.simplefilter("ignore")
    import torch
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import WeSpeakerResNet34
    from pyannote.audio.models.segmentation import PyanNet
    from pyannote.audio.pipelines import SpeakerDiarization

# What its networks warn of when they look at so little.
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:pyannote"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
WINDOW = 2.0
"""Seconds that the networks look at."""
OWN = {"segmentation": {"min_duration_off": 0.0}, "clustering": {"threshold": 0.6, "Fa": 0.07, "Fb": 0.8}}


def save(model: Any, folder: Path) -> None:
    """Write a checkpoint as training would."""
    import lightning

    folder.mkdir(parents=True)
    checkpoint = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": lightning.__version__,
    }
    model.on_save_checkpoint(checkpoint)
    torch.save(checkpoint, folder / "pytorch_model.bin")


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a pipeline, in the form in which pyannote publishes its own."""
    folder = tmp_path_factory.mktemp("pipeline")
    torch.manual_seed(3)
    segmentation = PyanNet(lstm={"hidden_size": 8, "num_layers": 1}, linear={"hidden_size": 8, "num_layers": 1})
    segmentation.specifications = Specifications(
        Problem.MONO_LABEL_CLASSIFICATION, Resolution.FRAME, WINDOW, classes=["1", "2", "3"], powerset_max_classes=2,
        permutation_invariant=True,
    )  # fmt: skip
    segmentation.build()
    with torch.no_grad():
        segmentation.classifier.weight *= 30  # so that the random network is sure of something now and then
    save(segmentation, folder / "segmentation")
    embedding = WeSpeakerResNet34(num_mel_bins=16)
    embedding.specifications = Specifications(Problem.REPRESENTATION, Resolution.CHUNK, WINDOW)
    save(embedding, folder / "embedding")
    random = np.random.default_rng(0)
    (folder / "plda").mkdir()
    np.savez(
        folder / "plda" / "xvec_transform.npz",
        mean1=np.zeros(256), mean2=np.zeros(16), lda=random.normal(size=(256, 16)),
    )  # fmt: skip
    np.savez(
        folder / "plda" / "plda.npz",
        mu=np.zeros(16), tr=np.eye(16) + 0.1 * random.normal(size=(16, 16)), psi=np.linspace(3, 0.1, 16),
    )  # fmt: skip
    config = {
        "dependencies": {"pyannote.audio": "4.0.0"},
        "pipeline": {
            "name": "pyannote.audio.pipelines.SpeakerDiarization",
            "params": {
                "clustering": "VBxClustering",
                "segmentation": "$model/segmentation",
                "segmentation_step": 0.25,
                "embedding": "$model/embedding",
                "embedding_exclude_overlap": True,
                "plda": "$model/plda",
            },
        },
        "params": OWN,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory, conversation: np.ndarray) -> Sound:
    from ..conftest import sound_of

    video = tmp_path_factory.mktemp("video") / "video.mkv"
    return sound_of(write_video(video, conversation[7 * RATE : 13 * RATE], frames=150))


@pytest.fixture(scope="session")
def options(model: Path) -> AudioOptions:
    return AudioOptions(pyannote_model=str(model), device="cpu")


@pytest.fixture(scope="session")
def found(sound: Sound, options: AudioOptions) -> list[Segment]:
    return engine.diarize(sound, options, Secrets(), silent)


def test_a_pipeline_from_disk_says_who_speaks_when(found: list[Segment], sound: Sound) -> None:
    assert found
    assert all(0 <= each.start < each.end <= float(sound.duration) + WINDOW for each in found)
    assert all(each.speaker and each.speaker.startswith("SPEAKER_") for each in found)


def test_the_path_of_its_configuration_will_do(found: list[Segment], sound: Sound, model: Path) -> None:
    options = AudioOptions(pyannote_model=str(model / "config.yaml"), device="cpu", pyannote_batch=3)
    assert engine.diarize(sound, options, Secrets(), silent) == found


def test_the_pipeline_gets_a_waveform_and_no_path(
    sound: Sound, options: AudioOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, Any]] = []
    apply = SpeakerDiarization.apply
    monkeypatch.setattr(
        SpeakerDiarization,
        "apply",
        lambda self, file, **settings: given.append(dict(file)) or apply(self, file, **settings),
    )
    engine.diarize(sound, options, Secrets(), silent)
    (file,) = given
    assert sorted(file) == ["sample_rate", "uri", "waveform"]
    assert (file["waveform"].dtype, file["sample_rate"]) == (torch.float32, RATE)
    assert torch.equal(file["waveform"][0], torch.from_numpy(sound.read()) / 32768)


def test_the_number_of_speakers_is_handed_on(sound: Sound, options: AudioOptions) -> None:
    for number in (1, 2, 3):
        forced = engine.diarize(sound, options.model_copy(update={"num_speakers": number}), Secrets(), silent)
        assert len({each.speaker for each in forced}) == number


def test_embedding_a_window_once_gives_the_same_embeddings(sound: Sound, options: AudioOptions) -> None:
    pipeline = engine.load(options, Secrets(), torch.device("cpu"))
    file = {"waveform": torch.from_numpy(sound.read())[None] / 32768, "sample_rate": RATE, "uri": "video"}
    segmentations = pipeline.get_segmentations(file)
    segmentations.data[3] = 0  # nobody speaks in this window
    assert (segmentations.data.sum(axis=1) == 0).any()
    for exclude_overlap in (False, True):
        ours = pipeline.get_embeddings(file, segmentations, exclude_overlap=exclude_overlap)
        theirs = SpeakerDiarization.get_embeddings(pipeline, file, segmentations, exclude_overlap=exclude_overlap)
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_the_network_runs_once_for_a_window_and_not_for_silence(sound: Sound, options: AudioOptions) -> None:
    pipeline = engine.load(options, Secrets(), torch.device("cpu"))
    network = pipeline._embedding.model_
    seen: list[int] = []
    network.resnet.conv1.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    file = {"waveform": torch.from_numpy(sound.read())[None] / 32768, "sample_rate": RATE, "uri": "video"}
    segmentations = pipeline.get_segmentations(file)
    segmentations.data[::2] = 0
    spoken = int(segmentations.data.any(axis=(1, 2)).sum())
    pipeline.get_embeddings(file, segmentations)
    assert sum(seen) == spoken > 0


def test_a_preset_sets_the_hyper_parameters(options: AudioOptions, tmp_path: Path) -> None:
    preset = tmp_path / "preset.yaml"
    preset.write_text(yaml.safe_dump({"params": OWN | {"segmentation": {"min_duration_off": 0.7}}}))
    options = options.model_copy(update={"pyannote_preset": preset})
    pipeline = engine.load(options, Secrets(), torch.device("cpu"))
    assert pipeline.parameters(instantiated=True) == OWN | {"segmentation": {"min_duration_off": 0.7}}


@pytest.mark.parametrize(
    "content",
    [
        "params: {segmentation: {min_duration_off: 0.5}, clustering: {warmth: 3}}",
        "params: {clustering: hot}",
        "nothing: here",
        "[1, 2",
        "",
        None,
    ],
)
def test_a_preset_that_does_not_fit_leaves_the_pipelines_own(
    options: AudioOptions, tmp_path: Path, content: str | None
) -> None:
    preset = tmp_path / "preset.yaml"
    if content is not None:
        preset.write_text(content)
    options = options.model_copy(update={"pyannote_preset": preset})
    pipeline = engine.load(options, Secrets(), torch.device("cpu"))
    assert pipeline.parameters(instantiated=True) == OWN


def test_it_works_at_full_precision(options: AudioOptions) -> None:
    pipeline = engine.load(options, Secrets(), torch.device("cpu"))
    networks = (pipeline._segmentation.model, pipeline._embedding.model_)
    assert {each.dtype for network in networks for each in network.parameters()} == {torch.float32}


def test_nothing_is_reported_to_its_makers(found: list[Segment], monkeypatch: pytest.MonkeyPatch) -> None:
    from pyannote.audio.telemetry.metrics import is_metrics_enabled

    assert not is_metrics_enabled()


def test_progress_goes_forward(sound: Sound, options: AudioOptions) -> None:
    shares: list[float] = []
    engine.diarize(sound, options, Secrets(), lambda done, total, item="": shares.append(done / total))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_model_that_cannot_be_loaded_is_said_without_the_token(sound: Sound, model: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(model, broken, ignore=shutil.ignore_patterns("*.bin"))
    options = AudioOptions(pyannote_model=str(broken), device="cpu")
    with pytest.raises(UnavailableError, match="cannot be loaded") as raised:
        engine.diarize(sound, options, Secrets(hf_token="broken"), silent)
    assert "broken" not in str(raised.value)


def test_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: AudioOptions) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    assert "HF_TOKEN" in (engine.unavailable(AudioOptions(), Secrets()) or "")
    assert engine.unavailable(AudioOptions(), Secrets(hf_token="hf_x")) is None
    assert engine.unavailable(options, Secrets()) is None
    assert "path" in (engine.unavailable(AudioOptions(pyannote_model="./nowhere"), Secrets()) or "")
    (tmp_path / "hub" / "models--pyannote--speaker-diarization-community-1" / "snapshots").mkdir(parents=True)
    assert engine.unavailable(AudioOptions(), Secrets()) is None


def test_its_version_tells_models_and_presets_apart(options: AudioOptions, tmp_path: Path) -> None:
    preset = tmp_path / "preset.yaml"
    preset.write_text("a: 1")
    one = engine.version(options.model_copy(update={"pyannote_preset": preset}))
    preset.write_text("a: 2")
    other = engine.version(options.model_copy(update={"pyannote_preset": preset}))
    assert len({one, other, engine.version(options), engine.version(AudioOptions())}) == 4
