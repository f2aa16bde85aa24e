"""Where networks run."""

from lib.errors import UnavailableError
from lib.video.audio.options import AudioOptions


def torch_device(options: AudioOptions) -> str:
    """Return `cuda` or `cpu`, set the number of threads, and keep the GPU at full precision.

    Raises UnavailableError when a GPU is asked for and there is none.
    """
    import torch

    if options.threads:
        torch.set_num_threads(options.threads)
    available = options.device != "cpu" and torch.cuda.is_available()
    if options.device == "cuda" and not available:
        raise UnavailableError("There is no GPU that torch can use here: choose the device `auto` or `cpu`.")
    if available:
        # TF32 rounds the inputs of multiplications to ten bits, with which speech is lost.
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    return "cuda" if available else "cpu"
