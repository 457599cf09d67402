"""How many features steer cleanly: pushed on their own, does the text change their way and stay good prose?

Each feature is pushed at level 0.7 (0.7 × 0.5 × the median residual norm) over the same openings, with the same random
draws as the unsteered text beside it. Two things are read from what was written, by the unsteered model: the share of
tokens among the feature's twenty most promoted ones, and how strongly the feature shows. A feature steers cleanly if
one of the two rises by more than twice its standard error and at least to one and a half times what it was, while the
loss of the text rises by half a nat at most. A random direction of the same length is the control.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from undersong.engine.blocks import find
from undersong.engine.hooks import Tap, hooked
from undersong.engine.sae import Sae

LEVEL, UNIT = 0.7, 0.5
OPENING, LENGTH, TEMPERATURE = 16, 48, 0.8
OPENINGS_A_CORPUS = 6
TOP, MOST_LOSS = 20, 0.5
FEATURES_AT_ONCE = 16
SEED = 11


def write(model: PreTrainedModel, openings: Tensor, layer: int, push: Tensor, noise: Tensor) -> Tensor:
    """Continue openings (rows, OPENING) with ``push`` (rows, 1, d_model) added from the last opening token on.

    ``noise`` (LENGTH, rows, vocabulary) is Gumbel noise; returns (rows, LENGTH) token ids.
    """
    past = model(openings[:, :-1], use_cache=True).past_key_values
    ids, written = openings[:, -1:], []
    with hooked(find(model).blocks[layer], lambda x: x + push):
        for draw in noise:
            step = model(ids, past_key_values=past, use_cache=True)
            ids = (step.logits[:, -1] / TEMPERATURE + draw).argmax(-1, keepdim=True)
            written.append(ids)
    return torch.cat(written, dim=1)


def promoted(model: PreTrainedModel, directions: Tensor) -> Tensor:
    """Ids (n, TOP) of the tokens that directions (n, d_model) make likelier: logit lens, final norm folded."""
    anatomy = find(model)
    head = anatomy.unembedding
    lens = (directions * anatomy.norm.get_parameter("weight")) @ (head - head.mean(0)).T
    return lens.topk(TOP, dim=1).indices


def judge(model: PreTrainedModel, openings: Tensor, written: Tensor, sae: Sae, direction_rows: Tensor) -> list[Tensor]:
    """Per row, read by the unsteered model: loss in nats a token, and how strongly the row's feature shows."""
    whole, tap = torch.cat([openings, written], dim=1), Tap()
    losses, shows = [], []
    for ids, features in zip(whole.split(64), direction_rows.split(64), strict=True):
        with hooked(find(model).blocks[sae.layer], tap):
            logits = model(ids[:, :-1], use_cache=False).logits[:, OPENING - 1 :]
        each = functional.cross_entropy(logits.flatten(0, 1), ids[:, OPENING:].flatten(), reduction="none")
        losses.append(each.view(len(ids), -1).mean(1))
        assert tap.last is not None
        weight, bias, threshold = sae.encoder_rows(features)
        z = torch.einsum("rtd,rd->rt", tap.last[:, OPENING:], weight) + bias[:, None]
        shows.append((z * (z > threshold[:, None])).mean(1))
    return [torch.cat(losses), torch.cat(shows)]


def rises(steered: Tensor, plain: Tensor) -> Tensor:
    """Whether each feature's values (features, openings) rise clearly above the unsteered ones."""
    gain = steered - plain
    error = gain.std(1) / gain.shape[1] ** 0.5
    return (gain.mean(1) > 2 * error) & (steered.mean(1) >= 1.5 * plain.mean(1)) & (gain.mean(1) > 0)


def verdicts(model: PreTrainedModel, sae: Sae, openings: Tensor, features: Tensor, push: Tensor) -> dict[str, Tensor]:
    """Push each of ``features`` (n,) by its row of ``push`` (n, d_model) and judge; booleans (n,) and losses (n,)."""
    count, each = len(features), len(openings)
    generator = torch.Generator().manual_seed(SEED)
    uniform = torch.rand((LENGTH, each, model.config.vocab_size), generator=generator).clamp_min(1e-9)
    noise = -(-uniform.log()).log()
    plain = write(model, openings, sae.layer, torch.zeros(each, 1, sae.d_in), noise)
    repeated = openings.repeat(count, 1)
    rows = features.repeat_interleave(each)
    steered = write(model, repeated, sae.layer, push.repeat_interleave(each, 0)[:, None], noise.repeat(1, count, 1))
    words = promoted(model, push)[:, None, :, None]

    def lens_share(ids: Tensor) -> Tensor:
        return (ids.view(-1, each, 1, LENGTH) == words).any(2).float().mean(2)

    loss, shows = (t.view(count, each) for t in judge(model, repeated, steered, sae, rows))
    loss_0, shows_0 = (t.view(count, each) for t in judge(model, repeated, plain.repeat(count, 1), sae, rows))
    effect = rises(lens_share(steered), lens_share(plain.repeat(count, 1))) | rises(shows, shows_0)
    worse = (loss - loss_0).mean(1)
    return {"effect": effect, "fluent": worse <= MOST_LOSS, "worse": worse}


@torch.inference_mode()
def clean_share(model: PreTrainedModel, sae: Sae, rows: dict[str, Tensor], norm: float, count: int) -> dict[str, Any]:
    """The share of ``count`` features drawn at random that steer cleanly, and the same for random directions."""
    openings = torch.cat([part[:OPENINGS_A_CORPUS, :OPENING] for part in rows.values()])
    generator = torch.Generator().manual_seed(SEED)
    alive = torch.ones(sae.d_sae, dtype=torch.bool) if sae.density is None else sae.density > 3e-5
    candidates = alive.nonzero()[:, 0]
    chosen = candidates[torch.randperm(len(candidates), generator=generator)[:count]]
    found: dict[str, list[dict[str, Tensor]]] = {"features": [], "random": []}
    for features in chosen.split(FEATURES_AT_ONCE):
        random = functional.normalize(torch.randn((len(features), sae.d_in), generator=generator), dim=1)
        for name, directions in (("features", sae.decoder[features]), ("random", random)):
            found[name].append(verdicts(model, sae, openings, features, LEVEL * UNIT * norm * directions))
    report: dict[str, Any] = {"tried": len(chosen), "level": LEVEL, "texts_each": len(openings), "words": LENGTH}
    for name, parts in found.items():
        joined = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
        report[name] = {
            "clean": float((joined["effect"] & joined["fluent"]).float().mean()),
            "effect": float(joined["effect"].float().mean()),
            "fluent": float(joined["fluent"].float().mean()),
            "loss_rise_median": float(joined["worse"].median()),
        }
    return report
