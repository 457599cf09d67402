"""The self-test passes where all is well and names what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from undersong.core.messages import Check
from undersong.engine import selftest
from undersong.engine.hooks import Tap
from undersong.engine.load import LanguageModel
from undersong.engine.sae import Sae


def by_name(checks: tuple[Check, ...]) -> dict[str, Check]:
    """The checks by their names."""
    return {check.name: check for check in checks}


@torch.inference_mode()
def fitted(model: LanguageModel, sae: Sae) -> Sae:
    """A dictionary that explains the story well where it reads: two features for each of its main directions."""
    x = selftest.probe(model, sae).residuals[sae.layer]
    _, _, directions = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    half = directions[: sae.d_sae // 2]
    both = torch.cat((half, -half))
    nothing = torch.zeros(len(both))
    return replace(sae, encoder=both, bias=-(both @ x.mean(0)), threshold=nothing, decoder=both, decoder_bias=x.mean(0))


def test_a_model_with_its_own_dictionary_passes(model: LanguageModel, sae: Sae) -> None:
    good = fitted(model, sae)
    checks = selftest.run(model, good, selftest.probe(model, good))
    assert [check.name for check in checks] == ["zero", "hook", "variance", "cache"]
    assert all(check.passed for check in checks), checks


def test_a_foreign_dictionary_fails_by_its_variance_alone(model: LanguageModel, sae: Sae) -> None:
    checks = by_name(selftest.run(model, sae, selftest.probe(model, sae)))
    assert [name for name, check in checks.items() if not check.passed] == ["variance"]
    assert "another model or another block" in checks["variance"].sentence


def test_a_dictionary_hooked_one_block_off_fails(model: LanguageModel, sae: Sae) -> None:
    shifted = replace(fitted(model, sae), layer=sae.layer + 1)
    assert not by_name(selftest.run(model, shifted, selftest.probe(model, shifted)))["variance"].passed


def test_steering_that_leaks_or_never_acts_is_noticed(
    model: LanguageModel, sae: Sae, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = selftest.probe(model, sae)
    monkeypatch.setattr(selftest.Steering, "__call__", lambda _, x: x + 1e-3)
    assert not by_name(selftest.run(model, sae, story))["zero"].passed
    monkeypatch.setattr(selftest.Steering, "__call__", lambda _, x: x)
    assert not by_name(selftest.run(model, sae, story))["hook"].passed


def test_a_cache_that_forgets_is_noticed(model: LanguageModel, sae: Sae, monkeypatch: pytest.MonkeyPatch) -> None:
    story = selftest.probe(model, sae)
    monkeypatch.setattr("undersong.engine.cache.RowsLayer.get_seq_length", lambda _: 0)
    assert not by_name(selftest.run(model, sae, story))["cache"].passed


def test_the_unit_is_half_the_median_length_of_the_stream(model: LanguageModel, sae: Sae) -> None:
    story = selftest.probe(model, sae)
    lengths = sorted(row.norm().item() for row in story.residuals[sae.layer])
    assert story.unit(sae.layer) == pytest.approx(0.5 * lengths[(len(lengths) - 1) // 2], rel=1e-4)
    assert len(lengths) == len(story.ids) - 1, "BOS is left out"


@pytest.mark.parametrize("layer", [0, 3])
def test_the_first_and_last_block_have_one_neighbour(model: LanguageModel, sae: Sae, layer: int) -> None:
    edge = replace(sae, layer=layer)
    story = selftest.probe(model, edge)
    assert len(story.residuals) == 2
    assert len(selftest.run(model, edge, story)) == 4
    assert Tap().last is None
