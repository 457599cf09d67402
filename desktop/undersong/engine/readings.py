"""How strongly features show: on the newest token of every row while streaming, or on every token of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from undersong.engine.hooks import Tap, hooked
from undersong.engine.load import LanguageModel
from undersong.engine.prompt import encode
from undersong.engine.sae import Sae


@dataclass(frozen=True, slots=True)
class TextReading:
    """What features do along a text."""

    pieces: list[str]
    """The text of each token."""
    values: list[list[float]]
    """[feature][token], raw activations."""
    start: int
    """Characters left out at the beginning because the text is longer than the model can hold."""


@torch.inference_mode()
def read_text(model: LanguageModel, sae: Sae, text: str, features: Sequence[int]) -> TextReading:
    """Activations of ``features`` along ``text``, or its end if it is too long; BOS is read but not reported."""
    sae.checked(features)
    encoded = encode(model, text, model.context)
    if not encoded.pieces:
        return TextReading([], [[] for _ in features], encoded.start)
    x = residuals(model, encoded.ids, (sae.layer,))[0][-len(encoded.pieces) :]
    return TextReading(encoded.pieces, activations(sae, x, features).T.tolist(), encoded.start)


@torch.inference_mode()
def residuals(model: LanguageModel, ids: Sequence[int], layers: Sequence[int]) -> list[Tensor]:
    """The residual stream (tokens, d_model) after each of ``layers`` on one text."""
    if not layers:
        model.network.base_model(torch.tensor([list(ids)], device=model.device), use_cache=False)
        return []
    tap = Tap()
    with hooked(model.anatomy.blocks[layers[0]], tap):
        rest = residuals(model, ids, layers[1:])
    assert tap.last is not None
    return [tap.last[0], *rest]


@torch.inference_mode()
def activations(sae: Sae, x: Tensor, features: Sequence[int]) -> Tensor:
    """Activations (…, features) on residual vectors x (…, d_model), finite whatever the model does."""
    return sae.encode(x, features).nan_to_num(0.0, posinf=1e30, neginf=0.0)
