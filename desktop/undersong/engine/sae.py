"""A sparse autoencoder in one canonical form, whatever family its file came from.

``z = x·encoderᵀ + bias``, ``a = z·[z > threshold]``, ``x̂ = a·decoder + decoder_bias``, everything float32. Input
scale, subtracted decoder bias and decoder norms are folded in when it is made, so that one unit of activation moves the
residual stream by a vector of length one. ReLU is the same rule with a threshold of zero.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from undersong.core.errors import RequestError, WrongSae


@dataclass(frozen=True, eq=False)
class Sae:
    """A dictionary of features read from, and written to, the residual stream after one block."""

    id: str
    """Where it comes from plus a digest of its weights: two dictionaries never share one."""
    layer: int
    """Index of the block whose output it reads; ``hook_resid_pre`` of block l is stored as l − 1."""
    encoder: Tensor
    """(d_sae, d_in) rows to project on."""
    bias: Tensor
    """(d_sae,) with the decoder bias already subtracted through the encoder."""
    threshold: Tensor
    """(d_sae,) never negative; an activation shows only above it."""
    decoder: Tensor
    """(d_sae, d_in) unit rows; a row of zeros stays zero."""
    decoder_bias: Tensor
    """(d_in,)"""
    density: Tensor | None = None
    """(d_sae,) share of tokens on which each feature fires, where the file says so."""
    model: str = ""
    """The language model it was made for, in its maker's words."""
    hook: str = "resid_post"
    """What it reads at ``layer``; the only place this version supports."""

    @property
    def d_in(self) -> int:
        """Width of the residual stream."""
        return self.decoder.shape[1]

    @property
    def d_sae(self) -> int:
        """How many features there are."""
        return self.decoder.shape[0]

    @property
    def dtype(self) -> torch.dtype:
        """Precision of its arithmetic."""
        return self.decoder.dtype

    def encode(self, x: Tensor, features: Sequence[int] | Tensor | None = None) -> Tensor:
        """Activations of ``features`` (all by default) on residual vectors x (…, d_in); shape (…, features)."""
        if features is None:
            weight, bias, threshold = self.encoder, self.bias, self.threshold
        else:
            weight, bias, threshold = self.encoder_rows(features)
        z = torch.nn.functional.linear(x.to(self.dtype), weight, bias)
        return torch.where(z > threshold, z, 0.0)

    def decode(self, activations: Tensor) -> Tensor:
        """Residual vectors (…, d_in) that activations (…, d_sae) stand for, decoder bias included."""
        return activations.to(self.dtype) @ self.decoder + self.decoder_bias

    def reconstruct(self, x: Tensor) -> Tensor:
        """What the dictionary makes of x (…, d_in); never write it back in place of x (the error term is lost)."""
        return self.decode(self.encode(x))

    def direction(self, feature: int) -> Tensor:
        """Unit decoder row (d_in,) of a feature: what steering adds to the residual stream."""
        return self.decoder[self.checked([feature])[0]]

    def encoder_rows(self, features: Sequence[int] | Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Weights (k, d_in), biases (k,) and thresholds (k,) that read ``features`` alone, as ``z·[z > threshold]``."""
        chosen = torch.as_tensor(features, dtype=torch.long).reshape(-1)
        self.checked(chosen.tolist())
        chosen = chosen.to(self.encoder.device)
        return self.encoder[chosen], self.bias[chosen], self.threshold[chosen]

    def checked(self, features: Sequence[int]) -> Sequence[int]:
        """The same feature numbers, or a RequestError naming one that does not exist."""
        for feature in features:
            if not 0 <= feature < self.d_sae:
                raise RequestError(
                    f"There is no quality number {feature}: this model has qualities 0 to {self.d_sae - 1}."
                )
        return features

    def require_fit(self, d_model: int, layers: int) -> None:
        """Raise WrongSae unless a model of this width and depth has the place this dictionary reads."""
        if self.d_in != d_model:
            raise WrongSae(
                f"The dictionary is {self.d_in} wide but the language model is {d_model} wide: they do not belong "
                "together. Choose the dictionary that was made for this model."
            )
        if not 0 <= self.layer < layers:
            raise WrongSae(
                f"The dictionary reads after block {self.layer}, but the language model has only {layers} blocks. "
                "Choose the dictionary that was made for this model."
            )

    def to(self, device: torch.device | str) -> Sae:
        """The same dictionary on another device."""
        names = ("encoder", "bias", "threshold", "decoder", "decoder_bias")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})


def fold(
    *,
    name: str,
    layer: int,
    w_enc: Tensor,
    b_enc: Tensor,
    w_dec: Tensor,
    b_dec: Tensor,
    threshold: Tensor | None = None,
    subtract_b_dec: bool = False,
    scale: float = 1.0,
    density: Tensor | None = None,
    model: str = "",
) -> Sae:
    """Bring weights w_enc (d_in, d_sae), w_dec (d_sae, d_in) of a ReLU or JumpReLU dictionary into the canonical form.

    ``scale`` is the factor its inputs were multiplied by in training; ``subtract_b_dec`` says that the encoder sees
    x − b_dec. Formulas: Lieberum et al. 2024 (JumpReLU), folding as in SAELens.
    """
    w_enc, b_enc, w_dec, b_dec = (t.detach().to(torch.float32) for t in (w_enc, b_enc, w_dec, b_dec))
    digest = hashlib.sha256(b_enc.cpu().contiguous().numpy().tobytes()).hexdigest()[:8]
    bias = b_enc - b_dec @ w_enc if subtract_b_dec else b_enc  # in scaled units, so before the scale is folded
    floor = torch.zeros_like(b_enc) if threshold is None else threshold.detach().to(torch.float32).expand_as(b_enc)
    norms = (w_dec / scale).norm(dim=1)
    norms = torch.where(norms > 0, norms, 1.0)
    return Sae(
        id=f"{name}-{digest}",
        layer=layer,
        encoder=(w_enc * scale * norms).T.contiguous(),
        bias=bias * norms,
        threshold=(floor * norms).clamp_min(0),
        decoder=(w_dec / scale / norms[:, None]).contiguous(),
        decoder_bias=b_dec / scale,
        density=density,
        model=model,
    )
