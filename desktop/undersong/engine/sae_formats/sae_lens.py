"""SAELens' own format: ``cfg.json``, ``sae_weights.safetensors`` and perhaps ``sparsity.safetensors``.

Both the settings of version 6 and later, with what concerns the model under ``metadata``, and the flat ones before it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from torch import Tensor

from undersong.core.errors import Unsupported, WrongSae
from undersong.engine.sae import Sae, fold
from undersong.engine.sae_formats.source import Source, read_json, read_tensors

SETTINGS, WEIGHTS, SPARSITY = "cfg.json", "sae_weights.safetensors", "sparsity.safetensors"
HOOK = re.compile(r"blocks\.(\d+)\.hook_resid_(pre|post)")


def recognises(folder: Path) -> bool:
    """Whether the folder holds a file only this family writes."""
    return (folder / WEIGHTS).exists() or (folder / SETTINGS).exists()


def read(source: Source) -> Sae:
    """Read a standard or JumpReLU dictionary on the residual stream."""
    path = source.folder / SETTINGS
    settings = read_json(path)
    refuse_unsupported(settings, path)
    hook = hook_name(settings)
    d_in, d_sae = whole_number(settings, "d_in", path), whole_number(settings, "d_sae", path)
    shapes = {"W_enc": (d_in, d_sae), "b_enc": (d_sae,), "W_dec": (d_sae, d_in), "b_dec": (d_in,)}
    jumps = architecture(settings) == "jumprelu"
    if jumps:
        shapes["threshold"] = (d_sae,)
    tensors = read_tensors(source.folder / WEIGHTS, shapes)
    scaling = tensors.get("scaling_factor")
    if scaling is not None and not bool((scaling == 1).all()):
        raise Unsupported(f"The dictionary in {source.folder} was fine-tuned in a way this version cannot use.")
    model = str(metadata(settings, "model_name") or "")
    return fold(
        name=f"{source.repo_id or model or source.folder.name}/{hook}",
        layer=layer_of(hook, path),
        w_enc=tensors["W_enc"],
        b_enc=tensors["b_enc"],
        w_dec=tensors["W_dec"],
        b_dec=tensors["b_dec"],
        threshold=tensors["threshold"] if jumps else None,
        subtract_b_dec=bool(settings.get("apply_b_dec_to_input", True)),
        scale=input_scale(settings, source),
        density=read_density(source.folder / SPARSITY, d_sae),
        model=model,
    )


def metadata(settings: dict[str, Any], *names: str) -> object:
    """The first of ``names`` that is set, under ``metadata`` or, as before version 6, at the top."""
    places = (settings.get("metadata") or {}, settings)
    return next((place[name] for place in places for name in names if place.get(name) is not None), None)


def architecture(settings: dict[str, Any]) -> str:
    """Kind of dictionary; older files call a top-k one “standard” and name the activation function instead."""
    activation = settings.get("activation_fn_str") or settings.get("activation_fn") or "relu"
    return "topk" if activation == "topk" else str(settings.get("architecture") or "standard")


def hook_name(settings: dict[str, Any]) -> str:
    """TransformerLens name of the place it reads."""
    return str(metadata(settings, "hook_name", "hook_point") or "")


def layer_of(hook: str, path: Path) -> int:
    """Index of the block after which the hook lies."""
    match = HOOK.fullmatch(hook)
    if match is None:
        raise Unsupported(
            f"The dictionary described in {path} reads “{hook or 'an unnamed place'}”; this version reads only the "
            "residual stream before or after a block."
        )
    layer = int(match[1]) - (match[2] == "pre")
    if layer < 0:
        raise Unsupported(f"The dictionary described in {path} reads the embedding; this version needs a later place.")
    return layer


def normalisation(settings: dict[str, Any]) -> str:
    """Name of the input normalisation; older files have true, false or nothing."""
    found = settings.get("normalize_activations")
    return "expected_average_only_in" if found is True else str(found or "none")


def refuse_unsupported(settings: dict[str, Any], path: Path) -> None:
    """Raise Unsupported for kinds of dictionary this version cannot compute."""
    kind, normalised = architecture(settings), normalisation(settings)
    if kind not in ("standard", "jumprelu"):
        raise Unsupported(
            f"The dictionary described in {path} is of the kind “{kind}”; "
            "this version reads “standard” and “jumprelu” ones."
        )
    if normalised not in ("none", "expected_average_only_in"):
        raise Unsupported(
            f"The dictionary described in {path} normalises its input by “{normalised}”, which this version cannot do."
        )
    activation = settings.get("activation_fn_str") or settings.get("activation_fn") or "relu"
    if activation != "relu" and kind == "standard":
        raise Unsupported(f"The dictionary described in {path} uses “{activation}”; this version knows only relu.")


def input_scale(settings: dict[str, Any], source: Source) -> float:
    """Factor the inputs were multiplied by in training."""
    if normalisation(settings) == "none":
        return 1.0
    if source.norm_factor is None:
        raise Unsupported(
            f"The dictionary in {source.folder} was trained on rescaled input and its files do not say by how much. "
            "Give the factor its makers publish."
        )
    return source.norm_factor


def whole_number(settings: dict[str, Any], name: str, path: Path) -> int:
    """A positive whole number in the settings."""
    found = settings.get(name)
    if not isinstance(found, int) or found < 1:
        raise WrongSae(f"“{name}” in {path} must be a positive whole number; it is {found!r}.")
    return found


def read_density(path: Path, d_sae: int) -> Tensor | None:
    """Share of tokens on which each feature fires; the file holds its base-10 logarithm and may be missing."""
    if not path.exists():
        return None
    return 10.0 ** read_tensors(path, {"sparsity": (d_sae,)})["sparsity"].float()
