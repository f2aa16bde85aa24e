"""Where networks run."""

from collections.abc import Iterator
from contextlib import contextmanager

from lib.errors import UnavailableError
from lib.video.audio.options import AudioOptions


def torch_device(options: AudioOptions) -> str:
    """Return `cuda` or `cpu`, and keep the GPU at full precision.

    Raises UnavailableError when a GPU is asked for and there is none.
    """
    import torch

    available = options.device != "cpu" and torch.cuda.is_available()
    if options.device == "cuda" and not available:
        raise UnavailableError("There is no GPU that torch can use here: choose the device `auto` or `cpu`.")
    if available:
        # TF32 rounds the inputs of multiplications to ten bits, with which speech is lost.
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    return "cuda" if available else "cpu"


@contextmanager
def torch_threads(number: int) -> Iterator[None]:
    """Let torch use so many threads within the block; 0 leaves it as it is."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
