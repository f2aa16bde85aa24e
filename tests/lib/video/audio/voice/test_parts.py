"""The parts of the embedded engine against the packages whose weights they use."""

import math
import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is in the environment audio")
for package in ("onnxruntime", "sklearn", "silero_vad", "resemblyzer"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # resemblyzer's webrtcvad imports pkg_resources, which says that it is outdated
        pytest.importorskip(package, reason=f"{package} is in the environment audio")

# After the checks that their packages are here.
from lib.video.audio.sound import RATE  # noqa: E402
from lib.video.audio.voice import activity, clustering, encoder  # noqa: E402
from lib.video.audio.voice.level import MOST, TARGET, levelled  # noqa: E402


def blocks(samples: np.ndarray) -> list[np.ndarray]:
    return [samples[at : at + RATE] for at in range(0, len(samples), RATE)]


def floats(samples: np.ndarray) -> list[np.ndarray]:
    return [each.astype(np.float32) / 32768 for each in blocks(samples)]


def test_mel_spectra_are_those_of_the_encoders_own_front_end(conversation: np.ndarray) -> None:
    from resemblyzer.audio import wav_to_mel_spectrogram

    part = conversation[: 5 * RATE + 123]
    ours = np.concatenate(list(encoder.mel_frames(floats(part))))
    theirs = wav_to_mel_spectrogram(part.astype(np.float32) / 32768)
    np.testing.assert_allclose(ours[: len(theirs)], theirs, rtol=1e-3, atol=1e-6)
    assert abs(len(ours) - len(theirs)) <= 1


def test_voice_prints_are_those_of_the_package(conversation: np.ndarray) -> None:
    from resemblyzer import VoiceEncoder

    part = conversation[RATE * 8 : RATE * 8 + 3 * RATE]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs_encoder = VoiceEncoder("cpu", verbose=False)
    _, partials, slices = theirs_encoder.embed_utterance(part.astype(np.float32) / 32768, return_partials=True, rate=4)
    centres = [where.start // 800 + 16 for where in slices if where.stop + 200 <= len(part)]
    ours = {}
    for numbers, (prints,) in encoder.windowed_prints(
        floats(part), encoder.Encoder("cpu"), (160,), 5, lambda centre: centre in centres
    ):
        ours.update(dict(zip(numbers, prints, strict=True)))
    assert list(ours) == centres
    for centre, theirs in zip(centres, partials, strict=False):
        np.testing.assert_allclose(ours[centre], theirs, atol=1e-4)


def test_speech_is_where_silero_itself_hears_it(conversation: np.ndarray) -> None:
    import torch
    from silero_vad.utils_vad import OnnxWrapper

    part = conversation[: 4 * RATE + 100]
    theirs = OnnxWrapper(str(activity.weights()), force_onnx_cpu=True).audio_forward(
        torch.from_numpy(part.astype(np.float32) / 32768), RATE
    )[0]
    network = activity._Network()
    ours = [each for block in floats(part) for each in network.feed(block)] + network.finish()
    np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 60), st.integers(1, 8000), st.integers(0, RATE - 1))
def test_quiet_sound_is_raised_to_the_target_and_loud_sound_is_left(seconds: int, amplitude: int, more: int) -> None:
    noise = np.random.default_rng(0).uniform(-amplitude, amplitude, seconds * RATE + more).astype(np.int16)
    raised = list(levelled(blocks(noise)))
    assert [len(each) for each in raised] == [len(each) for each in blocks(noise)]
    before, after = decibels(noise / 32768), decibels(np.concatenate(raised))
    if before > -90:
        assert after == pytest.approx(min(before + MOST, max(before, TARGET)), abs=0.5)


def decibels(samples: np.ndarray) -> float:
    return 20 * math.log10(np.sqrt(np.mean(np.square(samples, dtype=float))) + 1e-9)


def test_a_gain_follows_a_change_of_place_without_a_jump() -> None:
    sources = [np.full(RATE, 300, np.int16)] * 40 + [np.full(RATE, 3000, np.int16)] * 40
    gains = [raised / source for raised, source in zip(levelled(sources), sources, strict=True)]
    assert gains[0][0] > 2 * gains[-1][-1]
    whole = np.concatenate(gains)
    assert np.abs(np.diff(whole)).max() < 0.001 * whole.max()


chances = st.lists(st.sampled_from([0.0, 0.05, 0.2, 0.5, 1.0]), max_size=200)


@given(chances)
def test_stretches_of_speech_hold_every_likely_moment_and_are_apart(probabilities: list[float]) -> None:
    duration = len(probabilities) * activity.CHUNK / RATE
    found = activity.stretches(probabilities, duration)
    assert all(0 <= start < end <= duration for start, end in found)
    assert all(later[0] - earlier[1] > activity.FILL for earlier, later in pairwise(found))
    for number, probability in enumerate(probabilities):
        middle = (number + 0.5) * activity.CHUNK / RATE
        if probability >= activity.ON:
            assert any(start <= middle <= end for start, end in found)
    if not any(probability >= activity.ON for probability in probabilities):
        assert found == []


def voices(number: int, each: int, spread: float = 0.4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Prints of so many voices that take turns of eight prints, and whose each one is."""
    random = np.random.default_rng(seed)
    centres = np.abs(random.normal(size=(number, 256)))
    whose = np.tile(np.repeat(np.arange(number), 8), -(-each // 8))[: number * each]
    prints = np.abs(centres[whose] + spread * random.normal(size=(len(whose), 256)))
    return (prints / np.linalg.norm(prints, axis=1, keepdims=True)).astype(np.float32), whose


def same_partition(one: np.ndarray, other: np.ndarray) -> bool:
    return (
        len(set(zip(one.tolist(), other.tolist(), strict=True))) == len(set(one.tolist())) == len(set(other.tolist()))
    )


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_as_many_voices_are_found_as_there_are(number: int) -> None:
    prints, whose = voices(number, 96)
    labels = clustering.cluster(prints, 0.25)
    assert same_partition(labels, whose)
    assert labels[0] == 0


def test_a_long_recording_is_clustered_by_a_sample_and_all_prints_are_given_a_voice() -> None:
    prints, whose = voices(3, 800)
    labels = clustering.cluster(prints, 0.25)
    assert same_partition(labels, whose)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [({"number": 4}, 4), ({"at_least": 3}, 3), ({"at_most": 1}, 1), ({"number": 1}, 1), ({"at_most": 2}, 2)],
)
def test_bounds_are_kept(bounds: dict[str, int], expected: int) -> None:
    prints, _ = voices(2, 64)
    assert clustering.cluster(prints, 0.25, **bounds).max() + 1 == expected


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_few_prints_are_no_trouble(count: int) -> None:
    prints, _ = voices(2, 8)
    labels = clustering.cluster(prints[:count], 0.25, number=2 if count > 1 else None)
    assert len(labels) == count
