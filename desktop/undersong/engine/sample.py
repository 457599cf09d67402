"""Drawing the next token of every row with the same chance.

A token is drawn as the greatest sum of log-probability and Gumbel noise (Gumbel 1954; Maddison et al. 2014). The noise
depends on seed, position and token alone, so rows with equal odds draw equal tokens, and texts part only where
steering made the odds differ.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import FloatTensor, LongTensor, Tensor
from transformers import (
    LogitsProcessor,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from undersong.core.sampling import Sampling

LIKELY = 64
"""How many of the likeliest tokens are looked at before the whole vocabulary is sorted for top-p."""


class Sampler:
    """Draws tokens as a ``Sampling`` says, in transformers' order: penalty, temperature, top-k, top-p, min-p."""

    def __init__(self, sampling: Sampling) -> None:
        self.sampling = sampling
        self.penalties: list[LogitsProcessor] = []
        if sampling.repetition_penalty != 1:
            self.penalties.append(RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty))
        self.warpers: list[LogitsProcessor] = []
        if sampling.temperature == 0:
            return
        if sampling.temperature != 1:
            self.warpers.append(TemperatureLogitsWarper(sampling.temperature))
        if sampling.top_k:
            self.warpers.append(TopKLogitsWarper(sampling.top_k))
        if sampling.top_p < 1:
            self.warpers.append(QuickTopP(sampling.top_p))
        if sampling.min_p > 0:
            self.warpers.append(MinPLogitsWarper(sampling.min_p))

    def draw(self, logits: Tensor, ids: Tensor, position: int) -> Tensor:
        """The next token of each row (rows,) from logits (rows, vocabulary) after ids (rows, tokens so far).

        ``position`` is the place of the new token, counted from the beginning of what the model reads.
        """
        scores = logits.float()
        for change in (*self.penalties, *self.warpers):
            scores = change(cast("LongTensor", ids), cast("FloatTensor", scores))
        if self.sampling.temperature == 0:
            return scores.argmax(-1)
        return (scores + gumbel(self.sampling.seed, position, scores.shape[-1]).to(scores.device)).argmax(-1)


class QuickTopP(TopPLogitsWarper):
    """Top-p that keeps the same tokens without sorting the whole vocabulary when a few likely ones reach p."""

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:  # type: ignore[override]
        likely, places = scores.topk(min(LIKELY, scores.shape[-1]))
        odds = (likely - scores.logsumexp(-1, keepdim=True)).exp()
        before = odds.cumsum(-1) - odds
        if (before[:, -1] < self.top_p).any():
            return super().__call__(input_ids, scores)  # type: ignore[arg-type]
        kept = likely.masked_fill(before >= self.top_p, self.filter_value)
        return torch.full_like(scores, self.filter_value).scatter_(-1, places, kept)


def gumbel(seed: int, position: int, size: int) -> Tensor:
    """Gumbel noise for every token of the vocabulary at one position, made on the CPU, the same on every machine."""
    chance = torch.Generator().manual_seed(seed * 1_000_003 + position)
    return torch.rand(size, generator=chance).log_().neg_().log_().neg_()
