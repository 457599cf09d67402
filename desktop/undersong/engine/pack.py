"""Linear layers in oneDNN's own weight order, where that makes a few rows in step quicker.

Stock float32 kernels make two rows cost as much as two single rows on some processors; with weights reordered once at
load two rows cost little more than one. On other processors the stock kernels are as good, so ``pack_if_faster``
measures first. Results agree with plain layers to rounding.
"""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

ROWS = 2
"""How many rows the weight order is chosen for; it serves other numbers as well."""
GAIN = 1.3
"""How much quicker packed layers must be to be worth their memory."""


class PackedLinear(nn.Module):
    """Stands in for a linear layer, for inference only."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.packed = torch.ops.mkldnn._reorder_linear_weight(weight.detach(), ROWS)
        self.bias = bias

    def forward(self, x: Tensor) -> Tensor:
        """x (…, in) to (…, out)."""
        return torch.ops.mkldnn._linear_pointwise(x, self.packed, self.bias, "none", [], "")


def pack_if_faster(network: nn.Module) -> bool:
    """Pack the linear layers of ``network`` if that works here and is worth it; says whether it was done."""
    layers = [m for m in network.modules() if isinstance(m, (nn.Linear, Conv1D)) and m.weight.device.type == "cpu"]
    if not layers or not works(layers[0].weight.dtype):
        return False
    largest = plain_weight(max(layers, key=lambda layer: layer.weight.numel()))
    packed, plain = PackedLinear(largest, None), nn.Linear(*largest.T.shape, bias=False)
    plain.weight = nn.Parameter(largest, requires_grad=False)
    if seconds(plain, largest) < GAIN * seconds(packed, largest):
        return False
    return pack(network) > 0


def pack(network: nn.Module) -> int:
    """Replace every linear layer by a packed one; returns how many there were."""
    count = 0
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, (nn.Linear, Conv1D)):
                bias = None if layer.bias is None else layer.bias.detach()
                setattr(parent, name, PackedLinear(plain_weight(layer), bias))
                count += 1
    return count


def works(dtype: torch.dtype) -> bool:
    """Whether packing is possible on this processor in this precision, and gives the right answer."""
    weight = torch.linspace(-1, 1, 32 * 64, dtype=dtype).reshape(32, 64)
    x = torch.linspace(-1, 1, 2 * 64, dtype=dtype).reshape(2, 64)
    try:
        with torch.inference_mode():
            return torch.allclose(PackedLinear(weight, None)(x), x @ weight.T, rtol=1e-2, atol=1e-3)
    except (RuntimeError, AttributeError):
        return False


def plain_weight(layer: nn.Linear | Conv1D) -> Tensor:
    """The layer's weight as (out, in); GPT-2 keeps it the other way round."""
    weight = layer.weight.detach()
    return weight.T.contiguous() if isinstance(layer, Conv1D) else weight


@torch.inference_mode()
def seconds(layer: nn.Module, weight: Tensor, rounds: int = 7) -> float:
    """Least time one layer takes for ``ROWS`` rows; the least, because other programs only ever add to it."""
    x = weight.new_ones(ROWS, 1, weight.shape[1])
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        layer(x)
        times.append(time.perf_counter() - start)
    return min(times)
