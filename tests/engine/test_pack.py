"""Packed layers compute what plain ones do, and are only used where they can be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from transformers import PreTrainedModel

from tests.engine import tiny
from undersong.engine import pack

IDS = torch.arange(2, 26).reshape(2, 12)


@pytest.fixture
def packing_works() -> None:
    if not pack.works(torch.float32):
        pytest.skip("oneDNN's packed layers are not available on this processor")


@pytest.mark.usefixtures("packing_works")
@pytest.mark.parametrize("make", [tiny.llama, tiny.gpt2, tiny.gemma])
@torch.inference_mode()
def test_packed_equals_plain(make: Callable[[], PreTrainedModel]) -> None:
    network = make()
    plain = network(IDS).logits
    weights = [m.weight for m in network.modules() if hasattr(m, "weight") and not isinstance(m, nn.Embedding)]
    linear = sum(weight.ndim == 2 for weight in weights)
    assert pack.pack(network) == linear
    assert torch.allclose(network(IDS).logits, plain, rtol=1e-4, atol=1e-4)
    assert torch.allclose(network(IDS[:, :1]).logits, plain[:, :1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("plain_seconds", "packed_seconds", "chosen"), [(2.0, 1.0, True), (1.0, 1.0, False)])
@pytest.mark.usefixtures("packing_works")
def test_packed_only_where_it_is_clearly_quicker(
    monkeypatch: pytest.MonkeyPatch, plain_seconds: float, packed_seconds: float, chosen: bool
) -> None:
    def seconds(layer: nn.Module, _weight: torch.Tensor) -> float:
        return packed_seconds if isinstance(layer, pack.PackedLinear) else plain_seconds

    monkeypatch.setattr(pack, "seconds", seconds)
    network = tiny.llama()
    assert pack.pack_if_faster(network) is chosen
    assert any(isinstance(m, pack.PackedLinear) for m in network.modules()) is chosen


def test_plain_layers_stay_where_packing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("not on this processor")

    monkeypatch.setattr(pack, "PackedLinear", refuse)
    assert not pack.works(torch.float32)
    assert not pack.pack_if_faster(tiny.llama())


@torch.inference_mode()
def test_the_time_of_a_layer_is_measured() -> None:
    assert pack.seconds(nn.Linear(8, 8), torch.ones(8, 8)) > 0
