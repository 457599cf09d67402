"""What is checked each time a model is loaded: four things that, when wrong, degrade steering without failing.

Verification list of the steering notes: strength zero changes nothing, the hook fires where and as often as it should,
the dictionary explains what it reads (and less of what neighbouring blocks hold: a hook one block off still half
works), and decoding with a cache gives what decoding without one gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from undersong.core.messages import Check
from undersong.core.mixing import Fader, FeatureRef
from undersong.engine.cache import rows_cache
from undersong.engine.hooks import hooked
from undersong.engine.load import LanguageModel
from undersong.engine.prompt import encode
from undersong.engine.readings import residuals
from undersong.engine.sae import Sae
from undersong.engine.steer import Steering

STORY = (
    "Tom lived with his grandmother in a small house near the river. Every morning he walked to the bridge to look at "
    'the boats. One day it rained so hard that nobody was there except an old woman with a red umbrella. "Are you '
    'waiting for someone?" Tom asked. She smiled and shook her head. "I am only listening to the water," she said. '
    '"When I was a girl, my father rowed across it every night, and I could hear him singing long before I could see '
    'him." Tom sat down beside her and tried to listen too. At first he heard nothing but the rain. Then, slowly, he '
    "began to hear other things: the wind in the trees, a dog far away, the creak of a rope. When the rain stopped he "
    "ran home, and told his grandmother what he had heard. She put the bread on the table and was quiet for a while. "
    '"That," she said at last, "was my sister."'
)
"""The fixed text on which the dictionary is tried and the size of the residual stream is measured."""
MOST_UNEXPLAINED = 0.6
"""Fraction of variance unexplained from which the dictionary does not belong where it is hooked."""
SHORT = 16
"""Tokens of the story that the passes through the model are compared on."""


@dataclass(frozen=True, eq=False)
class Probe:
    """The story as the model reads it."""

    ids: list[int]
    """BOS first, if the model has one."""
    residuals: dict[int, Tensor]
    """Residual stream (tokens, d_model), BOS left out, after the dictionary's block and its neighbours."""

    def unit(self, layer: int) -> float:
        """Half the median length of the residual stream: what fader level 1.0 adds until zones are measured."""
        return 0.5 * float(self.residuals[layer].float().norm(dim=-1).median())


def probe(model: LanguageModel, sae: Sae) -> Probe:
    """Read the story once."""
    encoded = encode(model, STORY, model.context)
    layers = [n for n in (sae.layer - 1, sae.layer, sae.layer + 1) if 0 <= n < len(model.anatomy.blocks)]
    read = residuals(model, encoded.ids, layers)
    count = max(1, len(encoded.ids) - 1)  # without a BOS token the first token plays its part
    return Probe(encoded.ids, {layer: x[-count:] for layer, x in zip(layers, read, strict=True)})


def run(model: LanguageModel, sae: Sae, story: Probe) -> tuple[Check, ...]:
    """All checks, none of which raises."""
    return (*check_steering(model, sae, story.ids[:SHORT]), check_variance(sae, story), check_cache(model, story.ids))


@torch.inference_mode()
def check_steering(model: LanguageModel, sae: Sae, ids: list[int]) -> tuple[Check, Check]:
    """Zero equals base bit for bit, also beside a steered row; and the hook fires once per forward pass and acts."""
    rows = torch.tensor([ids, ids], device=model.device)
    block, steering = model.anatomy.blocks[sae.layer], Steering(sae, 2)
    plain = model.network(rows, use_cache=False).logits
    with hooked(block, steering) as firings:
        silent = model.network(rows, use_cache=False).logits
        strength = float(plain.abs().max()) + 10.0
        steering.set(1, (Fader(FeatureRef(sae.id, 0), level=1.0, unit=strength),))
        steered = model.network(rows, use_cache=False).logits
    same = torch.equal(plain, silent) and torch.equal(plain[0], steered[0])
    acted = not torch.equal(plain[1], steered[1])
    return (
        Check("zero", same, "With every fader at zero the text is the model's own, bit for bit.")
        if same
        else Check("zero", False, "With every fader at zero the model's odds change: steering leaks between texts."),
        Check("hook", True, "Steering acts once for every word, after the right block.")
        if firings.count == 2 and acted
        else Check("hook", False, f"Steering was reached {firings.count} times in 2 passes and changed nothing."),
    )


@torch.inference_mode()
def check_variance(sae: Sae, story: Probe) -> Check:
    """The dictionary explains enough of the residual stream, and more than at neighbouring blocks."""
    unexplained = {layer: unexplained_variance(sae, x) for layer, x in story.residuals.items()}
    here = unexplained.pop(sae.layer)
    beside = ", ".join(f"{explained(u)} at block {layer}" for layer, u in unexplained.items()) or "no block beside it"
    passed = here < MOST_UNEXPLAINED and all(here < u for u in unexplained.values())
    found = f"The dictionary explains {explained(here)} of what the model holds at block {sae.layer} ({beside})"
    ending = "." if passed else ": it may have been made for another model or another block."
    return Check("variance", passed, found + ending)


def unexplained_variance(sae: Sae, x: Tensor) -> float:
    """Σ‖x − x̂‖² / Σ‖x − mean‖² over residual vectors x (tokens, d_model)."""
    x = x.float()
    return float((x - sae.reconstruct(x)).square().sum() / (x - x.mean(0)).square().sum().clamp_min(1e-12))


def explained(unexplained: float) -> str:
    """A share for people; a dictionary that makes things worse explains nothing."""
    return f"{max(0.0, 1 - unexplained):.0%}"


@torch.inference_mode()
def check_cache(model: LanguageModel, ids: list[int]) -> Check:
    """Reading token by token with a cache gives the odds that reading at once gives, to rounding."""
    whole = torch.tensor([ids[:SHORT]], device=model.device)
    wanted = model.network(whole, use_cache=False).logits[0, -1].float()
    cache = rows_cache(2)
    half = whole.shape[1] // 2
    if half:
        model.network.base_model(whole[:, :half], past_key_values=cache, use_cache=True)
    got = wanted
    for place in range(half, whole.shape[1]):
        newest = whole[:, place : place + 1].expand(2, 1)
        got = model.network(newest, past_key_values=cache, use_cache=True).logits[1, -1].float()
    error = float((got - wanted).abs().max() / wanted.abs().max().clamp_min(1e-12))
    passed = error <= (1e-3 if model.dtype == torch.float32 else 5e-2)
    return Check("cache", passed, f"Writing word by word agrees with reading at once to {error:.1e}.")
