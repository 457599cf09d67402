"""Dictionaries in SAELens' format: written by SAELens itself, read by ours, and every way of being broken."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from undersong.core.errors import ModelNotFound, Unsupported, WrongSae
from undersong.engine.sae_formats import load_sae

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its own imports are deprecated
    import sae_lens

D_IN, D_SAE = 16, 64


def write(folder: Path, kind: str, **settings: Any) -> sae_lens.SAE:
    """Save a random dictionary with SAELens and return it."""
    torch.manual_seed(5)
    config = {"standard": sae_lens.StandardSAEConfig, "jumprelu": sae_lens.JumpReLUSAEConfig}[kind]
    made = {"standard": sae_lens.StandardSAE, "jumprelu": sae_lens.JumpReLUSAE}[kind](
        config(d_in=D_IN, d_sae=D_SAE, **settings)
    )
    with torch.no_grad():
        for name, weight in made.named_parameters():
            weight.copy_(torch.rand_like(weight) if name == "threshold" else torch.randn_like(weight) * 0.5)
    made.cfg.metadata.hook_name = "blocks.2.hook_resid_post"
    made.cfg.metadata.model_name = "tiny"
    made.save_model(folder)
    return made


def change(folder: Path, **settings: Any) -> None:
    """Overwrite settings in ``cfg.json``; None removes one."""
    path = folder / "cfg.json"
    found = json.loads(path.read_text()) | settings
    path.write_text(json.dumps({k: v for k, v in found.items() if v is not None}))


@pytest.mark.parametrize("kind", ["standard", "jumprelu"])
@pytest.mark.parametrize("subtract", [True, False])
def test_same_numbers_as_sae_lens(tmp_path: Path, kind: str, subtract: bool) -> None:
    theirs = write(tmp_path, kind, apply_b_dec_to_input=subtract)
    ours = load_sae(tmp_path)
    x = torch.randn(200, D_IN)
    with torch.no_grad():
        norms = theirs.W_dec.norm(dim=1)
        assert torch.allclose(ours.encode(x), theirs.encode(x) * norms, atol=1e-5)
        assert torch.allclose(ours.reconstruct(x), theirs(x), atol=1e-5)
    assert (ours.layer, ours.hook, ours.d_in, ours.d_sae, ours.model) == (2, "resid_post", D_IN, D_SAE, "tiny")
    assert ours.density is None


def test_scaled_input_needs_its_factor(tmp_path: Path) -> None:
    theirs = write(tmp_path, "standard", normalize_activations="expected_average_only_in")
    with pytest.raises(Unsupported, match="do not say by how much"):
        load_sae(tmp_path)
    ours = load_sae(tmp_path, norm_factor=0.25)
    theirs.fold_activation_norm_scaling_factor(0.25)
    x = torch.randn(100, D_IN)
    with torch.no_grad():
        assert torch.allclose(ours.reconstruct(x), theirs(x), atol=1e-5)


def test_flat_settings_from_before_version_6(tmp_path: Path) -> None:
    theirs = write(tmp_path, "standard")
    old = {
        "d_in": D_IN,
        "d_sae": D_SAE,
        "hook_point": "blocks.3.hook_resid_pre",
        "model_name": "gpt2-small",
        "activation_fn_str": "relu",
        "device": "mps",
        "normalize_activations": False,
        "unknown": [1],
    }
    (tmp_path / "cfg.json").write_text(json.dumps(old))
    ours = load_sae(tmp_path / "sae_weights.safetensors", repo_id="someone/something")
    x = torch.randn(50, D_IN)
    assert ours.layer == 2
    assert ours.id.startswith("someone/something/blocks.3.hook_resid_pre-")
    with torch.no_grad():
        assert torch.allclose(ours.reconstruct(x), theirs(x), atol=1e-5)


def test_density_is_read_from_its_logarithm(tmp_path: Path) -> None:
    write(tmp_path, "jumprelu")
    save_file({"sparsity": torch.full((D_SAE,), -2.0)}, tmp_path / "sparsity.safetensors")
    density = load_sae(tmp_path).density
    assert density is not None
    assert torch.allclose(density, torch.full((D_SAE,), 0.01))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"architecture": "gated"}, "of the kind “gated”"),
        ({"activation_fn_str": "topk"}, "of the kind “topk”"),
        ({"activation_fn": "tanh"}, "uses “tanh”"),
        ({"normalize_activations": "layer_norm"}, "“layer_norm”, which this version cannot do"),
        ({"metadata": {"hook_name": "blocks.2.attn.hook_z"}}, "“blocks.2.attn.hook_z”"),
        ({"metadata": {}}, "an unnamed place"),
        ({"metadata": {"hook_name": "blocks.0.hook_resid_pre"}}, "reads the embedding"),
    ],
)
def test_kinds_that_cannot_be_used(tmp_path: Path, settings: dict[str, Any], sentence: str) -> None:
    write(tmp_path, "standard")
    change(tmp_path, **settings)
    with pytest.raises(Unsupported, match=sentence):
        load_sae(tmp_path)


def test_a_fine_tuned_scaling_factor_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "standard")
    tensors = load_file(tmp_path / "sae_weights.safetensors")
    save_file(tensors | {"scaling_factor": torch.ones(D_SAE)}, tmp_path / "sae_weights.safetensors")
    assert load_sae(tmp_path).d_sae == D_SAE
    save_file(tensors | {"scaling_factor": torch.full((D_SAE,), 2.0)}, tmp_path / "sae_weights.safetensors")
    with pytest.raises(Unsupported, match="fine-tuned"):
        load_sae(tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"no dictionary at .*nowhere"):
        load_sae(tmp_path / "nowhere")
    with pytest.raises(ModelNotFound, match="is empty"):
        load_sae(tmp_path)
    (tmp_path / "README.md").write_text("hello")
    with pytest.raises(Unsupported, match="no dictionary of a kind"):
        load_sae(tmp_path)


@pytest.mark.parametrize("name", ["cfg.json", "sae_weights.safetensors"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    write(tmp_path, "jumprelu")
    (tmp_path / name).unlink()
    with pytest.raises(ModelNotFound, match=f"{name} is missing"):
        load_sae(tmp_path)


@pytest.mark.parametrize("name", ["cfg.json", "sae_weights.safetensors"])
@pytest.mark.parametrize("keep", [0, 7, 0.6])
def test_a_truncated_file_is_named(tmp_path: Path, name: str, keep: float) -> None:
    write(tmp_path, "jumprelu")
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(keep if keep >= 1 else keep * len(whole))])
    with pytest.raises(ModelNotFound, match=f"{name} cannot be read: it is damaged"):
        load_sae(tmp_path)


def test_settings_that_are_no_object(tmp_path: Path) -> None:
    write(tmp_path, "jumprelu")
    (tmp_path / "cfg.json").write_text("[1, 2]")
    with pytest.raises(WrongSae, match="does not hold"):
        load_sae(tmp_path)


def test_weights_that_do_not_match_the_settings(tmp_path: Path) -> None:
    write(tmp_path, "jumprelu")
    change(tmp_path, d_in=D_IN + 1)
    with pytest.raises(WrongSae, match=r"“W_enc” .* \[16, 64\]; \[17, 64\] was expected"):
        load_sae(tmp_path)
    change(tmp_path, d_in="wide")
    with pytest.raises(WrongSae, match=r"“d_in” .* must be a positive whole number"):
        load_sae(tmp_path)


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    write(tmp_path, "standard")
    change(tmp_path, architecture="jumprelu")
    with pytest.raises(WrongSae, match="holds no “threshold”"):
        load_sae(tmp_path)
