"""Speech brought to the level at which networks hear best, as a stream."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from lib.video.audio.sound import Samples

Waveform = np.ndarray[Any, np.dtype[np.float32]]

TARGET = -20.0
"""dB of full scale (RMS). Far microphones are at -40, where the encoder, which takes no logarithm, is blind."""
MOST = 24.0
"""dB by which sound is amplified at most, so that the noise of an empty room does not become speech."""
AROUND = 15
"""Blocks before and behind that the level is measured over: long enough not to pump, short enough for another place."""


def levelled(blocks: Iterable[Samples]) -> Iterator[Waveform]:
    """Yield each block as floats (full scale is 1), amplified to the target where it is quieter; never attenuated.

    The gain is that of the block's surroundings and glides from block to block. Looks `AROUND` blocks ahead.
    """
    waiting: deque[Samples] = deque()
    powers: deque[tuple[float, int]] = deque(maxlen=2 * AROUND + 1)
    gain: float | None = None
    for block in blocks:
        waiting.append(block)
        powers.append((float(np.sum(np.square(block, dtype=np.float64))) / 32768**2, len(block)))
        if len(waiting) > AROUND:
            gain, before = _gain(powers), gain
            yield _amplified(waiting.popleft(), gain if before is None else before, gain)
    while waiting:
        if len(powers) > AROUND + len(waiting):
            powers.popleft()
        gain, before = _gain(powers), gain
        yield _amplified(waiting.popleft(), gain if before is None else before, gain)


def _gain(powers: Iterable[tuple[float, int]]) -> float:
    """Return the factor for sound of so much energy in so many samples."""
    energy, samples = map(sum, zip(*powers, strict=True))
    level = 10 * np.log10(energy / max(1, samples) + 1e-12)
    return float(10 ** (np.clip(TARGET - level, 0.0, MOST) / 20))


def _amplified(block: Samples, begin: float, end: float) -> Waveform:
    gains = np.linspace(begin, end, len(block), endpoint=False, dtype=np.float32) / 32768
    amplified: Waveform = np.clip(block * gains, -1.0, 1.0)
    return amplified
