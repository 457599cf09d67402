"""What every family's reader is given, and the two ways of reading a file that fail with a sentence."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from undersong.core.errors import ModelNotFound, WrongSae


@dataclass(frozen=True, slots=True)
class Source:
    """A dictionary's folder and what is known of it besides its files."""

    folder: Path
    """Where its files lie."""
    repo_id: str | None = None
    """Hugging Face repository it came from."""
    norm_factor: float | None = None
    """Factor its inputs were multiplied by, where the files do not say."""


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelNotFound(f"The dictionary is incomplete: {path.name} is missing from {path.parent}.") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelNotFound(f"{path} cannot be read: it is damaged or was only partly copied.", str(error)) from error
    if not isinstance(found, dict):
        raise WrongSae(f"{path} cannot be read: it does not hold a dictionary's settings.")
    return found


def read_tensors(path: Path, shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Tensors of a safetensors file, each of ``shapes`` present with just that shape."""
    try:
        tensors = load_file(path)
    except FileNotFoundError as error:
        raise ModelNotFound(f"The dictionary is incomplete: {path.name} is missing from {path.parent}.") from error
    except (SafetensorError, ValueError) as error:
        raise ModelNotFound(f"{path} cannot be read: it is damaged or was only partly copied.", str(error)) from error
    for name, shape in shapes.items():
        if name not in tensors:
            raise WrongSae(f"{path} holds no “{name}”, which this kind of dictionary needs.")
        if tuple(tensors[name].shape) != shape:
            raise WrongSae(f"“{name}” in {path} has the shape {list(tensors[name].shape)}; {list(shape)} was expected.")
    return tensors
