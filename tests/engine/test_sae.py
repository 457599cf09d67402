"""The canonical dictionary computes what SAELens computes, and one row at a time the same."""

from __future__ import annotations

import pytest
import torch

from undersong.core.errors import RequestError, WrongSae
from undersong.engine.sae import Sae, fold

D_IN, D_SAE = 12, 40


@pytest.fixture
def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    return {
        "w_enc": torch.randn(D_IN, D_SAE),
        "b_enc": torch.randn(D_SAE) * 0.3,
        "w_dec": torch.randn(D_SAE, D_IN),
        "b_dec": torch.randn(D_IN),
    }


@pytest.fixture
def sae(weights: dict[str, torch.Tensor]) -> Sae:
    return fold(name="made/blocks.1.hook_resid_post", layer=1, threshold=torch.rand(D_SAE) * 2, **weights)


def test_decoder_rows_are_units_and_activations_are_lengths(weights: dict[str, torch.Tensor], sae: Sae) -> None:
    x = torch.randn(50, D_IN)
    plain = torch.relu(x @ weights["w_enc"] + weights["b_enc"])
    relu = fold(name="relu", layer=0, **weights)
    assert torch.allclose(sae.decoder.norm(dim=1), torch.ones(D_SAE), atol=1e-6)
    assert torch.allclose(relu.encode(x), plain * weights["w_dec"].norm(dim=1), atol=1e-5)
    assert torch.allclose(relu.reconstruct(x), plain @ weights["w_dec"] + weights["b_dec"], atol=1e-4)


def test_scale_and_subtracted_bias_fold_away(weights: dict[str, torch.Tensor]) -> None:
    x, scale = torch.randn(50, D_IN), 0.37
    inner = torch.relu((x * scale - weights["b_dec"]) @ weights["w_enc"] + weights["b_enc"])
    wanted = (inner @ weights["w_dec"] + weights["b_dec"]) / scale
    folded = fold(name="scaled", layer=0, subtract_b_dec=True, scale=scale, **weights)
    assert torch.allclose(folded.reconstruct(x), wanted, atol=1e-4)


def test_nothing_shows_at_or_below_the_threshold(weights: dict[str, torch.Tensor]) -> None:
    sae = fold(name="high", layer=0, threshold=torch.tensor(1e9), **weights)
    assert sae.encode(torch.randn(20, D_IN)).count_nonzero() == 0


def test_a_negative_threshold_is_relu(weights: dict[str, torch.Tensor]) -> None:
    low = fold(name="low", layer=0, threshold=torch.full((D_SAE,), -5.0), **weights)
    assert (low.encode(torch.randn(50, D_IN)) >= 0).all()


def test_single_rows_equal_the_whole(sae: Sae) -> None:
    x, chosen = torch.randn(3, 7, D_IN), [31, 0, 31]
    weight, bias, threshold = sae.encoder_rows(chosen)
    z = x @ weight.T + bias
    whole = sae.encode(x)[..., chosen]
    assert torch.allclose(z * (z > threshold), whole, atol=1e-5)
    assert torch.allclose(sae.encode(x, chosen), whole, atol=1e-5)
    assert sae.encode(x, []).shape == (3, 7, 0)


def test_changing_one_activation_moves_along_its_direction(sae: Sae) -> None:
    x = torch.randn(9, D_IN)
    before = sae.encode(x)
    after = before.clone()
    after[:, 5] += 3
    assert torch.allclose(sae.decode(after) - sae.decode(before), 3 * sae.direction(5).expand(9, -1), atol=1e-5)


def test_half_precision_input_is_computed_in_float32(sae: Sae) -> None:
    x = torch.randn(4, D_IN, dtype=torch.bfloat16)
    assert sae.encode(x).dtype == torch.float32
    assert torch.equal(sae.encode(x), sae.encode(x.float()))


def test_a_dead_row_of_zeros_stays_zero(weights: dict[str, torch.Tensor]) -> None:
    weights["w_dec"][7] = 0
    sae = fold(name="dead", layer=0, **weights)
    assert sae.direction(7).count_nonzero() == 0
    assert sae.reconstruct(torch.randn(4, D_IN)).isfinite().all()


def test_other_weights_have_another_id(weights: dict[str, torch.Tensor], sae: Sae) -> None:
    weights["b_enc"] = weights["b_enc"] + 0.1
    assert sae.id != fold(name="made/blocks.1.hook_resid_post", layer=1, **weights).id
    assert sae.id.startswith("made/blocks.1.hook_resid_post-")


@pytest.mark.parametrize("feature", [-1, D_SAE, 10**9])
def test_a_feature_that_is_not_there(sae: Sae, feature: int) -> None:
    with pytest.raises(RequestError, match=f"no quality number {feature}: .* 0 to {D_SAE - 1}"):
        sae.direction(feature)
    with pytest.raises(RequestError):
        sae.encode(torch.zeros(1, D_IN), [0, feature])


def test_fit_to_a_model(sae: Sae) -> None:
    sae.require_fit(D_IN, 2)
    with pytest.raises(WrongSae, match="12 wide but the language model is 384 wide"):
        sae.require_fit(384, 2)
    with pytest.raises(WrongSae, match="only 1 blocks"):
        sae.require_fit(D_IN, 1)
