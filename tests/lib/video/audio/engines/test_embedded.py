from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lib.progress import silent
from lib.video.audio.engines import embedded
from lib.video.audio.options import AudioOptions, Secrets
from lib.video.audio.sound import RATE

from ..conftest import Make, sound_of, tone

missing = embedded.unavailable(AudioOptions(), Secrets())
pytestmark = pytest.mark.skipif(missing is not None, reason=f"the embedded engine cannot run here: {missing}")


@given(arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 3)), elements=st.floats(-1, 1)), st.floats(0, 1))
def test_the_best_path_is_the_best_of_all_paths(scores: np.ndarray, switch: float) -> None:
    def value(path: tuple[int, ...]) -> float:
        changes = sum(one != other for one, other in pairwise(path))
        return float(sum(scores[row, column] for row, column in enumerate(path))) - switch * changes

    found = embedded.best_path(scores, switch)
    best = max(value(path) for path in product(range(scores.shape[1]), repeat=len(scores)))
    assert value(tuple(found)) == pytest.approx(best)


def test_real_speech_is_heard_between_silences(make: Make, conversation: np.ndarray) -> None:
    silence = np.zeros(4 * RATE, np.int16)
    video = make(np.concatenate([silence, conversation[: 12 * RATE], silence]), frames=500)
    seen: list[float] = []
    found = embedded.diarize(
        sound_of(video), AudioOptions(), Secrets(), lambda done, total, item="": seen.append(done / total)
    )
    assert found
    assert all(3.5 <= each.start < each.end <= 16.6 for each in found)
    assert all(one.end <= other.start + 1e-9 for one, other in pairwise(found))
    assert seen == sorted(seen)
    assert seen[-1] <= 1.0


@pytest.mark.parametrize("samples", [tone(3.0), np.zeros(3 * RATE, np.int16), np.zeros(100, np.int16)])
def test_where_nobody_speaks_nobody_is_heard(make: Make, samples: np.ndarray) -> None:
    assert embedded.diarize(sound_of(make(samples)), AudioOptions(), Secrets(), silent) == []


def test_the_number_of_speakers_that_is_asked_for_is_found(make: Make, conversation: np.ndarray) -> None:
    sound = sound_of(make(conversation[: 20 * RATE], frames=500))
    for number in (1, 2, 3):
        found = embedded.diarize(sound, AudioOptions(num_speakers=number), Secrets(), silent)
        assert len({each.speaker for each in found}) == number


def test_the_same_sound_gives_the_same_answer(make: Make, conversation: np.ndarray) -> None:
    sound = sound_of(make(conversation[: 15 * RATE], frames=375))
    once, again = (embedded.diarize(sound, AudioOptions(), Secrets(), silent) for _ in range(2))
    assert once == again


@settings(max_examples=20)
@given(st.lists(st.integers(1, 30), min_size=2, max_size=10))
def test_seconds_of_speech_are_counted_up_to_any_time(lengths: list[int]) -> None:
    edges = np.cumsum(lengths[: len(lengths) // 2 * 2]).astype(float)
    speech = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    times = np.linspace(-5, 310, 64)
    counted = embedded._speech_before(speech, times)
    for at, seconds in zip(times, counted, strict=True):
        assert seconds == pytest.approx(sum(max(0.0, min(at, end) - start) for start, end in speech))
