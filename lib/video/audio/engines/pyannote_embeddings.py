"""pyannote's embeddings with the network run once a window, not once for each speaker that a window may hold.

The pipeline cuts the sound into windows that overlap by nine tenths, allows for three speakers in each, and runs the
whole embedding network for every one of them, also for those who are silent. Only its last step, the pooling over time,
depends on the speaker. Here the network runs once for each window in which anybody speaks, and the pooling for each
speaker; the numbers are the same (tested).
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np


def embed_once(pipeline: Any) -> bool:
    """Let a pipeline compute its embeddings in this way if its embedding network allows it; return whether it does."""
    network = getattr(getattr(pipeline, "_embedding", None), "model_", None)
    if not all(hasattr(network, name) for name in ("forward_frames", "forward_embedding")):
        return False

    def get_embeddings(
        file: Any, binary_segmentations: Any, exclude_overlap: bool = False, hook: Callable[..., None] | None = None
    ) -> Any:
        return _embeddings(pipeline, network, file, binary_segmentations, exclude_overlap, hook)

    pipeline.get_embeddings = get_embeddings
    return True


def _embeddings(
    pipeline: Any, network: Any, file: Any, segmentations: Any, exclude_overlap: bool, hook: Callable[..., None] | None
) -> Any:
    """Return the embeddings (windows × speakers × dimension)."""
    import torch

    masks = _masks(pipeline, segmentations, exclude_overlap)
    spoken = np.flatnonzero(masks.any(axis=(1, 2)))
    batch = pipeline.embedding_batch_size
    total = math.ceil(len(spoken) / batch)
    result = np.empty((*masks.shape[::2], pipeline._embedding.dimension), np.float32)
    device = pipeline._embedding.device
    if hook is not None:
        hook("embeddings", None, total=total, completed=0)
    with torch.inference_mode():
        for number in range(total):
            windows = spoken[number * batch : (number + 1) * batch]
            waveforms = torch.stack(
                [pipeline._audio.crop(file, segmentations.sliding_window[int(at)], mode="pad")[0] for at in windows]
            )
            frames = network.forward_frames(waveforms.to(device))
            weights = torch.from_numpy(masks[windows].transpose(0, 2, 1).copy()).to(device)
            result[windows] = network.forward_embedding(frames, weights=weights).cpu().numpy()
            if number == 0:
                # What the network says of nobody is the same for every window: the pooling of nothing.
                nobody = torch.zeros_like(weights[:1])
                silent = network.forward_embedding(frames[:1], weights=nobody)[0].cpu().numpy()
            if hook is not None:
                hook("embeddings", result[windows], total=total, completed=number + 1)
    if total:
        result[~masks.any(axis=(1, 2))] = silent
    return result


def _masks(pipeline: Any, segmentations: Any, exclude_overlap: bool) -> Any:
    """Return which frames count for each speaker (windows × frames × speakers), as pyannote's own method has them."""
    masks = np.nan_to_num(segmentations.data, nan=0.0).astype(np.float32)
    if not exclude_overlap:
        return masks
    alone = masks * (np.nansum(segmentations.data, axis=2, keepdims=True) < 2)
    samples = segmentations.sliding_window.duration * pipeline._embedding.sample_rate
    fewest = math.ceil(masks.shape[1] * pipeline._embedding.min_num_samples / samples)
    enough = alone.sum(axis=1, keepdims=True) > fewest
    return np.where(enough, alone, masks)
