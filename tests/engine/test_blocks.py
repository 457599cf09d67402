"""Finding the blocks of several families, and hooks on them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from transformers import PreTrainedModel

from tests.engine import tiny
from undersong.core.errors import Unsupported
from undersong.engine.blocks import find
from undersong.engine.cache import rows_cache
from undersong.engine.fuse import fuse
from undersong.engine.hooks import Tap, hooked
from undersong.engine.load import LanguageModel

IDS = torch.arange(2, 26).reshape(2, 12)
FAMILIES = [tiny.llama, tiny.gpt2, tiny.gemma]


@pytest.mark.parametrize("make", FAMILIES)
@torch.inference_mode()
def test_blocks_norm_and_unembedding_make_the_logits(make: Callable[[], PreTrainedModel]) -> None:
    network = make()
    anatomy, tap = find(network), Tap()
    assert (len(anatomy.blocks), anatomy.d_model) == (tiny.BLOCKS, tiny.WIDTH)
    with hooked(anatomy.blocks[-1], tap):
        logits = network(IDS).logits
    assert tap.last is not None
    ours = anatomy.norm(tap.last) @ anatomy.unembedding.T
    cap = getattr(network.config, "final_logit_softcapping", None)
    assert torch.allclose(cap * torch.tanh(ours / cap) if cap else ours, logits, atol=1e-4)


def test_what_is_no_decoder_is_refused() -> None:
    with pytest.raises(Unsupported, match="Choose a text-generating"):
        find(nn.Sequential(nn.Linear(3, 3)))


@torch.inference_mode()
def test_a_hook_counts_its_firings_and_goes_away(model: LanguageModel) -> None:
    block = model.anatomy.blocks[1]
    plain = model.network(IDS).logits
    with hooked(block, lambda x: x + 1.0) as firings:
        edited = model.network(IDS).logits
        model.network(IDS)
    assert firings.count == 2
    assert not torch.equal(edited, plain)
    assert torch.equal(model.network(IDS).logits, plain)
    assert not block._forward_hooks


def test_a_hook_goes_away_after_an_error(model: LanguageModel) -> None:
    block = model.anatomy.blocks[0]
    with pytest.raises(ZeroDivisionError), hooked(block):
        _ = 1 / 0
    assert not block._forward_hooks


@pytest.mark.parametrize(("make", "parts"), [(tiny.llama, 9 + 4), (tiny.gpt2, 0), (tiny.gemma, 17)])
@torch.inference_mode()
def test_fused_parts_change_nothing(make: Callable[[], PreTrainedModel], parts: int) -> None:
    network = make()
    for name, parameter in network.named_parameters():
        if "norm" in name:
            parameter.copy_(torch.rand_like(parameter))
    plain = network(IDS).logits
    assert fuse(network) == parts
    assert torch.allclose(network(IDS).logits, plain, rtol=1e-4, atol=1e-4)
    cache = rows_cache(2)
    network(IDS[:, :7], past_key_values=cache, use_cache=True)
    for place in range(7, IDS.shape[1]):
        logits = network(IDS[:, place : place + 1], past_key_values=cache, use_cache=True).logits
        assert torch.allclose(logits[:, 0], plain[:, place], rtol=1e-3, atol=1e-3)


def test_a_part_that_computes_something_else_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tiny.llama()
    norm = type(network.model.norm)
    plain = norm.forward
    monkeypatch.setattr(norm, "forward", lambda self, x: 3 * plain(self, x))
    assert fuse(network) == 4, "attention layers only"
