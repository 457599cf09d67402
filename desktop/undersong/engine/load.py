"""Opening a language model's folder, with a sentence for everything that can be wrong with it.

Only safetensors weights are read and no code from the folder is run. Nothing is fetched from the network.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from undersong.core.errors import ModelNotFound, Unsupported
from undersong.engine.blocks import Anatomy, find


@dataclass(frozen=True, eq=False)
class LanguageModel:
    """A language model ready to write."""

    name: str
    """The folder's name, or its parent's where the folder only says ``language_model``."""
    network: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    anatomy: Anatomy
    context: int
    """Most tokens it can hold, BOS included."""
    bos: int | None
    """Id every text begins with, if the tokenizer has one."""
    ends: frozenset[int]
    """Ids after which a text is over."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.anatomy.unembedding.device

    @property
    def dtype(self) -> torch.dtype:
        """Precision of its weights."""
        return self.anatomy.unembedding.dtype


def choose_device(wish: str) -> torch.device:
    """The device for ``auto``, ``cpu`` or ``cuda``; raises Unsupported if there is no such GPU."""
    if wish not in ("auto", "cpu", "cuda"):
        raise Unsupported(f"There is no device “{wish}”. Choose auto, cpu or cuda.")
    if wish == "cuda" and not torch.cuda.is_available():
        raise Unsupported("No NVIDIA GPU that PyTorch can use was found. Choose the processor (cpu) instead.")
    return torch.device("cuda" if wish != "cpu" and torch.cuda.is_available() else "cpu")


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer in a model folder; raises ModelNotFound or Unsupported with a sentence."""
    require_folder(folder)
    require_config(folder)
    if not any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer.model", "vocab.json")):
        raise ModelNotFound(f"The file tokenizer.json is missing in {folder}. Copy the model's folder again, whole.")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # the library raises whatever its parser in Rust raises, down to plain Exception
        raise ModelNotFound(
            f"The tokenizer in {folder} cannot be read: tokenizer.json is damaged or incomplete. Copy it again.",
            str(error),
        ) from error
    if not tokenizer.is_fast:
        raise Unsupported(f"The tokenizer in {folder} has no tokenizer.json, which this version needs.")
    return tokenizer


def load_network(folder: Path, device: torch.device) -> PreTrainedModel:
    """The network in a model folder: float32 on the processor, bfloat16 on a GPU; raises ModelNotFound, Unsupported."""
    dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
    try:
        loaded = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
    except (ValueError, KeyError, ImportError, AttributeError) as error:
        raise Unsupported(
            f"The model in {folder} is of a kind this version cannot open. Choose a text-generating model in "
            "Hugging Face form.",
            str(error),
        ) from error
    except Exception as error:  # safetensors raises its own class, which does not derive from OSError
        if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
            raise
        raise ModelNotFound(
            f"The weights in {folder} cannot be read: model.safetensors is damaged or was copied only in part. "
            "Copy it again.",
            str(error),
        ) from error
    network, report = cast("tuple[PreTrainedModel, dict[str, Any]]", loaded)
    if missing := sorted(report["missing_keys"]):
        raise ModelNotFound(
            f"The weights in {folder} are incomplete: {len(missing)} tensors are missing, the first is {missing[0]}. "
            "Copy model.safetensors again."
        )
    network.to(device=device)  # type: ignore[call-arg]
    return network.eval().requires_grad_(False)


def assemble(folder: Path, tokenizer: PreTrainedTokenizerBase, network: PreTrainedModel) -> LanguageModel:
    """A language model from its loaded parts."""
    config = network.config.get_text_config()
    context = getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None) or 2048
    ends: set[int] = set()
    for wish in (tokenizer.eos_token_id, getattr(network.generation_config, "eos_token_id", None)):
        ends.update([wish] if isinstance(wish, int) else cast("list[int]", wish or []))
    bos = cast("int | None", tokenizer.bos_token_id)
    name = folder.resolve().parent.name if folder.name == "language_model" else folder.resolve().name
    return LanguageModel(name, network, tokenizer, find(network), context, bos, frozenset(ends))


def require_folder(folder: Path) -> None:
    """Raise ModelNotFound unless ``folder`` is there."""
    if not folder.is_dir():
        raise ModelNotFound(f"There is no model folder {folder}. Choose the folder that holds config.json.")


def require_config(folder: Path) -> None:
    """Raise ModelNotFound unless config.json is there and readable."""
    file = folder / "config.json"
    if not file.is_file():
        raise ModelNotFound(f"The file config.json is missing in {folder}. Copy the model's folder again, whole.")
    try:
        config = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise ModelNotFound(f"The file {file} is damaged or incomplete. Copy it again.", str(error)) from error
    if not isinstance(config, dict) or "model_type" not in config:
        raise ModelNotFound(f"The file {file} does not say which kind of model this is. Copy it again.")


def parameters(folder: Path) -> int:
    """How many numbers the weights hold; raises ModelNotFound unless all are there, in safetensors form and whole."""
    require_folder(folder)
    index = folder / "model.safetensors.index.json"
    names = {"model.safetensors"}
    if index.is_file():
        try:
            names = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
        except (ValueError, KeyError, AttributeError) as error:
            raise ModelNotFound(f"The file {index} is damaged. Copy it again.", str(error)) from error
    return sum(parameters_in(folder / name) for name in names)


def parameters_in(file: Path) -> int:
    """How many numbers a safetensors file holds; raises ModelNotFound unless it is as long as its header says."""
    if not file.is_file():
        raise ModelNotFound(
            f"The file {file.name} is missing in {file.parent}. Copy the model's folder again, whole; weights in other "
            "forms (.bin, .gguf) are not read."
        )
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        try:
            header = json.loads(stream.read(length)) if 0 < length < size else {}
            tensors = [entry for name, entry in header.items() if name != "__metadata__"]
            end = 8 + length + max((t["data_offsets"][1] for t in tensors), default=size)
            count = sum(math.prod(t["shape"]) for t in tensors)
        except (ValueError, KeyError, TypeError, AttributeError):
            end, count = 0, 0
    if end != size:
        raise ModelNotFound(
            f"The file {file.name} in {file.parent} is damaged or was copied only in part. Copy it again.",
            f"{size} bytes; its header asks for {end or 'something unreadable'}",
        )
    return count
