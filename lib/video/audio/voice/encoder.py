"""Voice prints: resemblyzer's encoder (GE2E), with its weights and its front end, as a stream.

The package itself is not imported: it brings librosa, numba and webrtcvad along for what is a few lines here.
"""

from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lib.video.audio.sound import RATE
from lib.video.audio.voice.level import Waveform

Prints = np.ndarray[Any, np.dtype[np.float32]]
"""Rows of unit length."""

# resemblyzer's hparams.py: windows of 25 ms every 10 ms, 40 mel channels.
FFT, HOP, MELS = 400, 160, 40
HIDDEN, LAYERS, SIZE = 256, 3, 256
BATCH = 128


class Encoder:
    """The network: an LSTM whose last state is the print."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.lstm = torch.nn.LSTM(MELS, HIDDEN, LAYERS, batch_first=True)
        self.linear = torch.nn.Linear(HIDDEN, SIZE)
        state = torch.load(weights(), map_location="cpu", weights_only=True)["model_state"]
        for name in ("lstm", "linear"):
            part = {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}
            getattr(self, name).load_state_dict(part)
            getattr(self, name).to(device).eval()

    def prints(self, windows: Prints) -> Prints:
        """Return the prints (windows × 256) of mel windows (windows × frames × 40)."""
        with torch.inference_mode():
            _, (hidden, _) = self.lstm(torch.from_numpy(windows).to(self.device))
            raw = torch.relu(self.linear(hidden[-1]))
            # A print of silence alone may be all zeros; it stays so.
            unit = raw / raw.norm(dim=1, keepdim=True).clamp_min(1e-12)
            result: Prints = unit.cpu().numpy()
        return result


def windowed_prints(
    blocks: Iterable[Waveform], encoder: Encoder, widths: tuple[int, ...], hop: int, wanted: Callable[[int], bool]
) -> Iterator[tuple[list[int], tuple[Prints, ...]]]:
    """Yield prints of windows around successive centres, `hop` hundredths of a second apart, those that are wanted.

    Each item is the numbers of some centres (centre i is at i · hop / 100 seconds) and, for each of the `widths` (in
    hundredths of a second), their prints. Before the beginning and behind the end there is silence.
    """
    half = max(widths) // 2
    held: Prints = np.zeros((half, MELS), np.float32)
    first, centre = -half, 0  # the frame that held[0] is; the next centre's number
    numbers: list[int] = []
    windows: list[list[Prints]] = [[] for _ in widths]

    def encoded() -> tuple[list[int], tuple[Prints, ...]]:
        batch = numbers.copy(), tuple(encoder.prints(np.stack(each)) for each in windows)
        numbers.clear()
        for each in windows:
            each.clear()
        return batch

    for frames in mel_frames(blocks, trailing=half):
        held = np.concatenate([held, frames])
        while centre * hop + half <= first + len(held):
            if wanted(centre):
                numbers.append(centre)
                for width, each in zip(widths, windows, strict=True):
                    begin = centre * hop - width // 2 - first
                    each.append(held[begin : begin + width])
            centre += 1
            if len(numbers) == BATCH:
                yield encoded()
        keep = max(0, centre * hop - half - first)
        held, first = held[keep:], first + keep
    if numbers:
        yield encoded()


def mel_frames(blocks: Iterable[Waveform], trailing: int = 0) -> Iterator[Prints]:
    """Yield mel spectra (frames × 40), frame i centred at i / 100 seconds; then `trailing` silent ones."""
    window, filters = torch.hann_window(FFT), torch.from_numpy(mel_filters().T.copy())
    held: Waveform = np.zeros(FFT // 2, np.float32)
    for block in _and_silence(blocks):
        held = np.concatenate([held, block])
        count = max(0, (len(held) - FFT) // HOP + 1)
        if count:
            frames = torch.from_numpy(held).unfold(0, FFT, HOP)
            yield (torch.fft.rfft(frames * window).abs().square() @ filters).numpy()
            held = held[count * HOP :]
    if trailing:
        yield np.zeros((trailing, MELS), np.float32)


def _and_silence(blocks: Iterable[Waveform]) -> Iterator[Waveform]:
    yield from blocks
    yield np.zeros(FFT // 2, np.float32)


def mel_filters() -> Prints:
    """Return the triangular filters (40 × 201) of Slaney's mel scale, each of unit area, as librosa has them."""
    edges = _hertz(np.linspace(0.0, _mel(RATE / 2), MELS + 2))
    bins = np.linspace(0.0, RATE / 2, FFT // 2 + 1)
    widths = np.diff(edges)[:, None]
    above = edges[:, None] - bins[None]
    triangles = np.maximum(0.0, np.minimum(-above[:-2] / widths[:-1], above[2:] / widths[1:]))
    area = 2.0 / (edges[2:] - edges[:-2])
    filters: Prints = (triangles * area[:, None]).astype(np.float32)
    return filters


LINEAR_UNTIL, HERTZ_PER_MEL, LOG_STEP = 1000.0, 200.0 / 3, np.log(6.4) / 27
"""Slaney's scale: linear to 1 kHz, then 27 steps to each factor of 6.4 (Auditory Toolbox, 1998)."""


def _mel(hertz: float) -> float:
    if hertz < LINEAR_UNTIL:
        return hertz / HERTZ_PER_MEL
    return float(LINEAR_UNTIL / HERTZ_PER_MEL + np.log(hertz / LINEAR_UNTIL) / LOG_STEP)


def _hertz(mels: Any) -> Any:
    knee = LINEAR_UNTIL / HERTZ_PER_MEL
    return np.where(mels < knee, mels * HERTZ_PER_MEL, LINEAR_UNTIL * np.exp(LOG_STEP * (mels - knee)))


def weights() -> Path:
    """Return the encoder's file, found without importing the package."""
    spec = find_spec("resemblyzer")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("resemblyzer is missing")
    return Path(spec.submodule_search_locations[0]) / "pretrained.pt"
