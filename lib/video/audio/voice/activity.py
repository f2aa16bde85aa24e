"""When somebody speaks: silero-vad's network as a stream, and its probabilities made into stretches."""

from array import array
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from lib.progress import Progress
from lib.video.audio.sound import RATE, Samples
from lib.video.audio.voice.level import Waveform, levelled

CHUNK, CONTEXT = 512, 64
"""Samples that the network takes at a time, and how many of those before it sees again (both from silero-vad)."""

# Chosen on the three annotated excerpts together (benchmarks/audio.py), not for one of them.
ON, OFF = 0.3, 0.1
"""Probability at which speech begins, and below which it ends."""
FILL, PAD = 0.5, 0.1
"""Seconds: pauses that are spoken through, and what is added at both ends for soft beginnings and ends."""


def speech_stretches(blocks: Iterable[Samples], progress: Progress) -> list[tuple[float, float]]:
    """Return when anybody speaks, in seconds, from blocks of a second."""
    network, probabilities, samples = _Network(), array("f"), 0
    for number, block in enumerate(levelled(blocks), 1):
        probabilities.extend(network.feed(block))
        samples += len(block)
        progress(number, number, "listening for speech")
    probabilities.extend(network.finish())
    return stretches(probabilities, samples / RATE)


def stretches(probabilities: Sequence[float], duration: float) -> list[tuple[float, float]]:
    """Return the stretches of speech (seconds) in the probabilities of successive chunks."""
    found: list[tuple[float, float]] = []
    begin: int | None = None
    for chunk, probability in enumerate([*probabilities, 0.0]):
        if begin is None and probability >= ON:
            begin = chunk
        elif begin is not None and probability < OFF:
            start, end = max(0.0, begin * CHUNK / RATE - PAD), min(duration, chunk * CHUNK / RATE + PAD)
            if found and start - found[-1][1] <= FILL:
                found[-1] = (found[-1][0], end)
            elif end > start:
                found.append((start, end))
            begin = None
    return found


class _Network:
    """The network with its memory of what it heard before."""

    def __init__(self) -> None:
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.inter_op_num_threads = settings.intra_op_num_threads = 1  # chunks are too small to be shared
        settings.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            str(weights()), sess_options=settings, providers=["CPUExecutionProvider"]
        )
        self.state: Any = np.zeros((2, 1, 128), np.float32)
        self.held: Waveform = np.zeros(CONTEXT, np.float32)
        self.rate = np.array(RATE, np.int64)

    def feed(self, block: Waveform) -> list[float]:
        """Return the probabilities of the chunks that are whole now."""
        self.held = np.concatenate([self.held, block])
        probabilities, at = [], 0
        while at + CONTEXT + CHUNK <= len(self.held):
            seen = self.held[None, at : at + CONTEXT + CHUNK]
            output, self.state = self.session.run(None, {"input": seen, "state": self.state, "sr": self.rate})
            probabilities.append(float(output[0, 0]))
            at += CHUNK
        self.held = self.held[at:]
        return probabilities

    def finish(self) -> list[float]:
        """Return the probability of the last chunk, which silence makes whole."""
        left = len(self.held) - CONTEXT
        return self.feed(np.zeros(CHUNK - left, np.float32)) if left else []


def weights() -> Path:
    """Return the network's file, found without importing the package (which asks for torchaudio)."""
    spec = find_spec("silero_vad")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("silero-vad is missing")
    return Path(spec.submodule_search_locations[0]) / "data" / "silero_vad.onnx"
