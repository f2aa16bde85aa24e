"""The embedded engine: voice activity, voice prints and clustering, with weights from packages; no key, no network.

silero-vad says when somebody speaks; resemblyzer's encoder turns windows of speech into voice prints; spectral
clustering finds how many voices there are. Where there are several, short windows are compared with each voice and the
most likely sequence of speakers is taken. One speaker at a time: of several at once, the one who is clearest.
"""

import math
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from lib.progress import Progress
from lib.video.audio.options import AudioOptions, Secrets
from lib.video.audio.segments import Segment
from lib.video.audio.sound import Sound

if TYPE_CHECKING:
    from lib.video.audio.voice.encoder import Encoder, Prints

Stretches = list[tuple[float, float]]

ALGORITHM = 1
"""Counted up when the same sound gives another result."""
PACKAGES = ("silero-vad", "resemblyzer")
IMPORTED = ("onnxruntime", "torch", "sklearn", "silero_vad", "resemblyzer")

LONG_WINDOW, LONG_HOP = 160, 25
"""Hundredths of a second: the window that the encoder was trained with, four times a second."""
SHORT_WINDOWS, SHORT_HOP = (100, 60), 10
"""Their mean score tells turns apart that the long window blurs; a tenth of a second is as exact as references are."""
COVERAGE = 0.6
"""A long window is clustered when so much of it is speech."""
SWITCH = 0.1
"""What it costs, in cosine similarity, to change the speaker."""


def version(options: AudioOptions) -> str:
    """Return the algorithm's number and the versions of the packages with the weights."""
    return f"{ALGORITHM} ({', '.join(f'{name} {package_version(name)}' for name in PACKAGES)})"


def unavailable(options: AudioOptions, secrets: Secrets) -> str | None:
    """Say which packages are missing."""
    missing = [name for name in IMPORTED if find_spec(name) is None]
    for name in PACKAGES:
        try:
            package_version(name)
        except PackageNotFoundError:
            missing.append(name)
    return f"{', '.join(missing)} missing: install the environment `audio` (`regie sync audio`)" if missing else None


def diarize(sound: Sound, options: AudioOptions, secrets: Secrets, progress: Progress) -> list[Segment]:
    """Find who speaks when, reading the sound two or three times; memory is a few kilobytes for a second of speech."""
    from lib.video.audio.engines.device import torch_device, torch_threads
    from lib.video.audio.voice.activity import speech_stretches
    from lib.video.audio.voice.clustering import centroids, cluster
    from lib.video.audio.voice.encoder import Encoder

    seconds = math.ceil(sound.duration)

    def step(done: int) -> Progress:
        return lambda at, total, item="": progress(done * seconds + at, 3 * seconds, item)

    speech = speech_stretches(sound.blocks(), step(0))
    if not speech:
        return []
    encoder = Encoder(torch_device(options))
    # The steps of an LSTM are too small to be shared: on a busy machine, threads wait for one another for long.
    with torch_threads(options.threads or 1):
        voices = _long_prints(sound, speech, encoder, step(1))
        labels = cluster(voices, LONG_HOP / 100, options.num_speakers, options.min_speakers, options.max_speakers)
        if len(labels) == 0 or labels.max() == 0:
            progress(3 * seconds, 3 * seconds)
            return [Segment(start, end, "0") for start, end in speech]
        scores = _short_scores(sound, speech, encoder, centroids(voices, labels), step(2))
    return [turn for stretch in speech for turn in _turns(stretch, scores)]


def _long_prints(sound: Sound, speech: Stretches, encoder: "Encoder", progress: Progress) -> "Prints":
    """Return the prints of the long windows that are mostly speech, in their order."""
    from lib.video.audio.voice.encoder import windowed_prints
    from lib.video.audio.voice.level import levelled

    count = math.ceil(sound.duration * 100 / LONG_HOP) + 1
    centres = np.arange(count) * LONG_HOP / 100
    before = _speech_before(speech, centres - LONG_WINDOW / 200), _speech_before(speech, centres + LONG_WINDOW / 200)
    wanted = (before[1] - before[0]) / (LONG_WINDOW / 100) >= COVERAGE
    found = []
    for numbers, (prints,) in windowed_prints(
        levelled(sound.blocks()), encoder, (LONG_WINDOW,), LONG_HOP, lambda centre: centre < count and wanted[centre]
    ):
        found.append(prints)
        progress(int(centres[numbers[-1]]), 0, "telling voices apart")
    return np.concatenate(found) if found else np.zeros((0, 1), np.float32)


def _short_scores(
    sound: Sound, speech: Stretches, encoder: "Encoder", voices: "Prints", progress: Progress
) -> "Prints":
    """Return how like each voice (columns) the sound is every tenth of a second (rows); 0 where nobody speaks."""
    from lib.video.audio.voice.encoder import windowed_prints
    from lib.video.audio.voice.level import levelled

    count = math.ceil(sound.duration * 100 / SHORT_HOP) + 1
    wanted = np.zeros(count, bool)
    for start, end in speech:
        wanted[_centre(start) : _centre(end) + 1] = True
    scores = np.zeros((count, len(voices)), np.float32)
    for numbers, prints in windowed_prints(
        levelled(sound.blocks()), encoder, SHORT_WINDOWS, SHORT_HOP, lambda centre: centre < count and wanted[centre]
    ):
        scores[numbers] = np.mean([each @ voices.T for each in prints], axis=0)
        progress(numbers[-1] * SHORT_HOP // 100, 0, "finding turns")
    return scores


def _turns(stretch: tuple[float, float], scores: "Prints") -> list[Segment]:
    """Return who speaks when in one stretch of speech: the sequence with the highest score, changes being paid for."""
    start, end = stretch
    first = _centre(start)
    path = best_path(scores[first : _centre(end) + 1], SWITCH)
    changes = [at for at in range(1, len(path)) if path[at] != path[at - 1]]
    edges = [start, *((first + at - 0.5) * SHORT_HOP / 100 for at in changes), end]
    speakers = [path[0], *(path[at] for at in changes)]
    return [
        Segment(begin, until, str(speaker))
        for begin, until, speaker in zip(edges, edges[1:], speakers, strict=False)
        if until > begin
    ]


def best_path(scores: "Prints", switch: float) -> list[int]:
    """Return the column taken in each row for the highest sum, when every change of column costs `switch` (Viterbi)."""
    total = scores[0].astype(np.float64)
    came = np.zeros(scores.shape, np.intp)
    stay = np.arange(scores.shape[1])
    for row in range(1, len(scores)):
        best = int(total.argmax())
        came[row] = np.where(total >= total[best] - switch, stay, best)
        total = np.maximum(total, total[best] - switch) + scores[row]
    path = [int(total.argmax())]
    for row in range(len(scores) - 1, 0, -1):
        path.append(int(came[row, path[-1]]))
    return path[::-1]


def _centre(seconds: float) -> int:
    return round(seconds * 100 / SHORT_HOP)


def _speech_before(speech: Stretches, times: Any) -> Any:
    """Return the seconds of speech before each time."""
    edges = np.array([edge for stretch in speech for edge in stretch])
    spoken = np.concatenate([[0.0], np.cumsum(np.diff(edges) * (np.arange(len(edges) - 1) % 2 == 0))])
    return np.interp(times, edges, spoken)
