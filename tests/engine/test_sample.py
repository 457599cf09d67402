"""Drawing: the same chance for every row, and odds shaped as transformers shapes them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from tests.engine.tiny import sampling
from undersong.engine.sample import LIKELY, QuickTopP, Sampler, gumbel

IDS = torch.tensor([[1, 2, 3], [1, 2, 4]])


def odds(rows: int = 2, size: int = 500, sharpness: float = 3.0) -> torch.Tensor:
    """Random logits."""
    return torch.randn(rows, size, generator=torch.Generator().manual_seed(2)) * sharpness


def test_no_temperature_takes_the_likeliest() -> None:
    logits = odds()
    drawn = Sampler(sampling(temperature=0.0, top_p=0.5, top_k=3)).draw(logits, IDS, 7)
    assert drawn.tolist() == logits.argmax(-1).tolist()


def test_equal_odds_draw_equal_tokens_and_the_seed_and_place_decide() -> None:
    logits = odds(rows=1).expand(2, -1)
    draws = {
        (seed, place): Sampler(sampling(seed=seed)).draw(logits, IDS, place).tolist()
        for seed in (1, 2)
        for place in range(20)
    }
    assert all(first == second for first, second in draws.values())
    assert draws[1, 3] == Sampler(sampling(seed=1)).draw(logits, IDS, 3).tolist()
    assert len({draw[0] for draw in draws.values()}) > 5


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0, -1.0]])
    sampler, count = Sampler(sampling()), 4000
    drawn = torch.tensor([int(sampler.draw(logits, IDS[:1], place)) for place in range(count)])
    shares = torch.bincount(drawn, minlength=4) / count
    assert torch.allclose(shares, logits.softmax(-1)[0], atol=0.03)


def test_noise_is_finite_below_and_belongs_to_the_token() -> None:
    assert torch.equal(gumbel(3, 9, 100), gumbel(3, 9, 400)[:100])
    assert not torch.equal(gumbel(3, 9, 100), gumbel(3, 10, 100))
    assert not gumbel(3, 9, 100_000).isnan().any()


@pytest.mark.parametrize("sharpness", [0.1, 1.0, 8.0])
@pytest.mark.parametrize("p", [0.05, 0.5, 0.95])
def test_quick_top_p_keeps_what_transformers_keeps(p: float, sharpness: float) -> None:
    logits = odds(rows=3, size=4 * LIKELY, sharpness=sharpness)
    assert torch.equal(QuickTopP(p)(IDS, logits), TopPLogitsWarper(p)(IDS, logits))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "settings",
    [{"top_k": 5}, {"top_p": 0.4}, {"min_p": 0.2}, {"repetition_penalty": 1.7}, {"temperature": 0.3, "top_k": 40}],
)
def test_settings_shape_the_odds_as_in_transformers(settings: dict[str, Any]) -> None:
    chosen, logits = sampling(**settings), odds()
    theirs = LogitsProcessorList([RepetitionPenaltyLogitsProcessor(chosen.repetition_penalty)])
    theirs.append(TemperatureLogitsWarper(chosen.temperature))
    theirs += [TopKLogitsWarper(chosen.top_k)] if chosen.top_k else []
    theirs += [TopPLogitsWarper(chosen.top_p), MinPLogitsWarper(chosen.min_p)]
    wanted = theirs(IDS, logits)  # type: ignore[arg-type]
    for place in range(20):
        drawn = Sampler(chosen).draw(logits, IDS, place)
        assert drawn.tolist() == (wanted + gumbel(chosen.seed, place, 500)).argmax(-1).tolist()
