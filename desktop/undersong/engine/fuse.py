"""Exchanging parts of a network for quicker ones that compute the same in fewer steps.

On the processor a small model spends much of its time between its matrix products, so operations saved there count.
Each exchange is tried on numbers before it is made: a part whose fused form does not give the same stays as it is.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers.cache_utils import Cache

PLAIN_ATTENTION = {"LlamaAttention", "MistralAttention", "Qwen2Attention"}
"""Attention layers that are written alike and do nothing beside the plain computation."""


class FusedNorm(nn.Module):
    """Root-mean-square norm (arXiv:1910.07467) in one operation."""

    def __init__(self, weight: Tensor, epsilon: float) -> None:
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(weight, requires_grad=False), epsilon

    def forward(self, x: Tensor) -> Tensor:
        """x (…, d) scaled to length √d, times the weight."""
        return nn.functional.rms_norm(x, self.weight.shape, self.weight, self.epsilon)


class FusedAttention(nn.Module):
    """Causal attention with rotary positions (arXiv:2104.09864), its input products and rotations joined."""

    def __init__(self, attention: Any) -> None:
        super().__init__()
        self.inputs = side_by_side(attention.q_proj, attention.k_proj, attention.v_proj)
        self.output = attention.o_proj
        self.layer_idx, self.head_dim, self.scaling = attention.layer_idx, attention.head_dim, attention.scaling
        self.heads = attention.q_proj.out_features // self.head_dim
        self.groups = attention.k_proj.out_features // self.head_dim

    def forward(
        self,
        hidden_states: Tensor,
        position_embeddings: tuple[Tensor, Tensor],
        attention_mask: Tensor | None = None,
        past_key_values: Cache | None = None,
        **_: object,
    ) -> tuple[Tensor, None]:
        """As the attention of transformers: hidden states (rows, tokens, d) to the same shape."""
        rows, tokens = hidden_states.shape[:2]
        heads = self.inputs(hidden_states).view(rows, tokens, -1, self.head_dim).transpose(1, 2)
        turned, values = heads.split((self.heads + self.groups, self.groups), dim=1)
        cos, sin = (part.unsqueeze(1) for part in position_embeddings)
        first, second = turned.chunk(2, dim=-1)
        turned = turned * cos + torch.cat((-second, first), dim=-1) * sin
        queries, keys = turned.split((self.heads, self.groups), dim=1)
        if past_key_values is not None:
            keys, values = past_key_values.update(keys, values, self.layer_idx)
        mixed = nn.functional.scaled_dot_product_attention(
            queries,
            keys,
            values,
            attn_mask=attention_mask,
            is_causal=attention_mask is None and tokens > 1,
            scale=self.scaling,
            enable_gqa=self.groups != self.heads,
        )
        return self.output(mixed.transpose(1, 2).reshape(rows, tokens, -1)), None


def side_by_side(*layers: nn.Linear) -> nn.Linear:
    """One linear layer that gives what ``layers`` give, one after the other in its last dimension."""
    biased = layers[0].bias is not None
    sizes = sum(layer.out_features for layer in layers)
    joined = nn.Linear(layers[0].in_features, sizes, bias=biased, device="meta")
    joined.weight = nn.Parameter(torch.cat([layer.weight.detach() for layer in layers]), requires_grad=False)
    if biased:
        joined.bias = nn.Parameter(torch.cat([layer.bias.detach() for layer in layers]), requires_grad=False)
    return joined


@torch.inference_mode()
def fuse(network: nn.Module) -> int:
    """Exchange what can be exchanged in a float32 network; returns how many parts were.

    Families write the same part in several ways (Gemma's norms keep weight − 1), so each candidate is tried rather than
    trusted.
    """
    count = 0
    for parent in list(network.modules()):
        for name, part in list(parent.named_children()):
            if (fused := fused_part(part)) is not None:
                setattr(parent, name, fused)
                count += 1
    return count


def fused_part(part: Any) -> nn.Module | None:
    """What may stand in for a part; None if there is nothing that gives the same."""
    weights = [*part.parameters()]
    if not weights or any(weight.dtype != torch.float32 for weight in weights):
        return None
    kind = type(part).__name__
    if kind.endswith("RMSNorm"):
        return fused_norm(part)
    if kind in PLAIN_ATTENTION and part.config._attn_implementation == "sdpa":
        return fused_attention(part)
    return None


def fused_norm(norm: nn.Module) -> FusedNorm | None:
    """A root-mean-square norm in one operation."""
    weight, epsilon = getattr(norm, "weight", None), getattr(norm, "variance_epsilon", getattr(norm, "eps", None))
    if not isinstance(weight, Tensor) or not isinstance(epsilon, float):
        return None
    x = sample_input(2, weight.numel(), weight)
    candidates = (FusedNorm(weight.detach() + shift, epsilon) for shift in (0, 1))
    return next((fused for fused in candidates if same(norm(x), fused(x))), None)


def fused_attention(attention: Any) -> FusedAttention | None:
    """Plain rotary attention with two products and one rotation less."""
    fused, weight = FusedAttention(attention), attention.q_proj.weight
    x = sample_input(5, weight.shape[1], weight)[None]
    angles = sample_input(5, fused.head_dim // 2, weight).repeat(1, 2)[None]
    places = (angles.cos(), angles.sin())
    wanted = attention(x, position_embeddings=places, attention_mask=None)[0]
    return fused if same(wanted, fused(x, places)[0]) else None


def sample_input(rows: int, width: int, like: Tensor) -> Tensor:
    """Numbers of ordinary size to try a part on, (rows, width)."""
    return torch.linspace(-2, 3, rows * width, device=like.device).reshape(rows, width).sin() * 2


def same(wanted: Tensor, got: Tensor) -> bool:
    """Whether two results agree to rounding."""
    return torch.allclose(wanted, got, rtol=1e-4, atol=1e-5 * float(wanted.abs().max()))
