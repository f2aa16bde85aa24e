"""Whether half precision finds the same cuts here: checked once for a processor and the versions in use."""

import contextlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import torch

from lib.files import replacing
from lib.video.scenes.frames import HEIGHT, WIDTH, Window, windows
from lib.video.scenes.network import Network
from lib.video.scenes.segmentation import scenes_from

MARGIN = 0.02
"""A probability of half precision that is this close to the threshold is in doubt, and computed again in full.

On eight films bfloat16 was off by 0.004 at most; on the one in the package, one window in twenty is in doubt.
"""
TOLERANCE = MARGIN / 2
"""How far half precision may be off on the reference clip."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verdict:
    """What the check found."""

    same: bool
    """Whether the cuts are the same."""
    error: float
    """The largest difference of a probability."""

    @property
    def usable(self) -> bool:
        """Whether half precision, with doubtful windows computed again, gives the cuts of full precision."""
        return self.same and self.error <= TOLERANCE


def has_half_precision(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether the processor computes in `dtype` itself; where it has to emulate it, it is slower than float32."""
    if device.type == "cuda":
        return dtype is torch.float16 or torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return dtype is torch.bfloat16 and any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def check(exact: Network, half: Network, device: torch.device, engine_version: str) -> Verdict:
    """Compare both on a reference clip; the verdict is kept in Régie's home and looked up there the next time."""
    key = "; ".join((_processor(device), f"torch {torch.__version__}", engine_version, str(half.dtype)))
    file = _home() / "cache" / "half-precision.json"
    known = _read(file)
    try:
        return Verdict(same=bool(known[key]["same"]), error=float(known[key]["error"]))
    except (KeyError, TypeError, ValueError):
        verdict = compare(exact, half, device)
    logger.info("Half precision on %s: same cuts %s, largest error %.4f", key, verdict.same, verdict.error)
    # A home that cannot be written costs the check again, no more.
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as temporary:
            temporary.write_bytes(orjson.dumps(known | {key: verdict}, option=orjson.OPT_INDENT_2))
    return verdict


def compare(exact: Network, half: Network, device: torch.device) -> Verdict:
    """Compute the reference clip with both networks."""
    with torch.inference_mode():
        answers = []
        for window, counts in windows(reference_clip(), 100, 50, 25):
            frames = torch.from_numpy(window).to(device)
            answers.append(torch.stack([exact(frames), half(frames)])[:, 25 : 25 + counts].cpu())
    full, reduced = torch.cat(answers, 1).numpy()
    error = float(np.abs(full - reduced).max())
    same = scenes_from(full[:, 0], 0.5) == scenes_from(reduced[:, 0], 0.5)
    return Verdict(same=same, error=error if np.isfinite(error) else 1.0)


def reference_clip() -> Window:
    """Return 150 frames with hard cuts, a dissolve and a fade between moving patterns: the same on every machine."""
    random = np.random.default_rng(25)
    shots = [_shot(random, 35) for _ in range(5)]
    dissolve, fade = np.linspace(0, 1, 12)[:, None, None, None], np.linspace(1, 0, 10)[:, None, None, None]
    shots[1][-12:] = shots[1][-12:] * (1 - dissolve) + shots[2][:12] * dissolve
    shots[3][-10:] *= fade
    return np.concatenate([shots[0], shots[1], shots[2][12:], shots[3], shots[4][:22]]).astype(np.uint8)


def _shot(random: np.random.Generator, frames: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return waves of colour that move at one speed, with grain."""
    time, row, column = np.ogrid[:frames, :HEIGHT, :WIDTH]
    picture = np.zeros((frames, HEIGHT, WIDTH, 3))
    for channel in range(3):
        level, speed, phase = random.uniform(60, 190), random.uniform(-0.15, 0.15), random.uniform(0, 6.28)
        waves = np.sin(row * random.uniform(0.05, 0.6) + column * random.uniform(0.05, 0.6) + time * speed + phase)
        picture[..., channel] = level + 55 * waves
    return np.clip(picture + random.normal(0, 4, picture.shape), 0, 255)


def _processor(device: torch.device) -> str:
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return str(torch.cpu.get_capabilities().get("cpu_name") or "processor")


def _home() -> Path:
    return Path(os.environ.get("REGIE_HOME") or "~/.regie").expanduser()


def _read(file: Path) -> dict[str, Any]:
    try:
        known = orjson.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
