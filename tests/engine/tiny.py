"""Language models so small that they are made in a moment, and dictionaries and libraries to go with them.

Their weights are random; everything about them but their prose is as in real ones.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from undersong.core.features import Example, FeatureCard
from undersong.core.messages import Pane
from undersong.core.mixing import Fader, FeatureRef
from undersong.core.sampling import Sampling
from undersong.engine import load, sae_formats
from undersong.engine.library import Entry, write_library
from undersong.engine.load import LanguageModel
from undersong.engine.sae import Sae

WIDTH, BLOCKS, LAYER, FEATURES, CONTEXT, VOCABULARY = 32, 4, 2, 48, 160, 320
TEXT = (
    "Once upon a time a small boat went down to the sea — and the old man sang. “Where are you going?” asked the "
    "girl. Nobody knew. The wind was cold, the café was closed, and 3 gulls sat on the roof. 🌊 "
)
PROMPT = "The old man went down to the sea"


@dataclass(frozen=True)
class Folders:
    """What a Load request names."""

    model: Path
    sae: Path
    library: Path

    def fields(self) -> dict[str, str]:
        """The fields of the request."""
        return {"model": str(self.model), "sae": str(self.sae), "library": str(self.library)}


def make(folder: Path, context: int = CONTEXT) -> Folders:
    """A tiny Llama with tokenizer, dictionary and library."""
    folders = Folders(folder / "language_model", folder / "sae", folder / "library.sqlite")
    save_tokenizer(folders.model)
    llama(max_position_embeddings=context).save_pretrained(folders.model)
    save_sae(folders.sae)
    example = Example((" the", " sea"), (0.0, 1.0))
    cards = [
        FeatureCard(i, f"made-up quality {i}", True, 0.9, 0.01, 5.0, ("sea", "boat"), ("dry",), (), (example,))
        for i in range(20)
    ]
    entries = [Entry(card, (0.5,) * 22, ("sea",), (3.0, 2.0)) for card in cards]
    write_library(folders.library, {"model": "tiny", "sae": "tiny", "d_sae": FEATURES, "tokens": 10}, entries)
    return folders


def save_tokenizer(folder: Path) -> None:
    """A byte-level tokenizer that knows a few words; every other character is several tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    tokenizer.decoder = decoders.ByteLevel()  # type: ignore[assignment]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<|begin|>", "<|endoftext|>"],
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT.encode("ascii", "ignore").decode()] * 4, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|begin|>", eos_token="<|endoftext|>")
    fast.save_pretrained(folder)


def llama(**changes: Any) -> PreTrainedModel:
    """A random Llama with large weights, so that its odds are not all alike; it hardly ever ends a text."""
    config = LlamaConfig(
        **{
            "vocab_size": VOCABULARY, "hidden_size": WIDTH, "intermediate_size": 64, "num_hidden_layers": BLOCKS,
            "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": CONTEXT,
            "tie_word_embeddings": True, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1,
            "initializer_range": 0.2,
        }
        | changes
    )  # fmt: skip
    torch.manual_seed(11)
    network = LlamaForCausalLM(config).eval()
    network.model.embed_tokens.weight.detach()[1] = 0.0
    return network


def gpt2() -> PreTrainedModel:
    """A random GPT-2: its linear layers are of another kind and its blocks stand elsewhere."""
    torch.manual_seed(12)
    config = GPT2Config(
        vocab_size=VOCABULARY, n_embd=WIDTH, n_layer=BLOCKS, n_head=4, n_positions=CONTEXT,
        bos_token_id=0, eos_token_id=1, initializer_range=0.2,
    )  # fmt: skip
    return GPT2LMHeadModel(config).eval()


def gemma() -> PreTrainedModel:
    """A random Gemma 2: norms that keep weight − 1, capped logits, blocks that look back only eight tokens."""
    torch.manual_seed(13)
    config = Gemma2Config(
        vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=64, num_hidden_layers=BLOCKS, num_attention_heads=4,
        num_key_value_heads=2, head_dim=8, max_position_embeddings=CONTEXT, sliding_window=8,
        bos_token_id=0, eos_token_id=1, pad_token_id=1, initializer_range=0.2,
    )  # fmt: skip
    return Gemma2ForCausalLM(config).eval()


def save_sae(folder: Path, width: int = WIDTH, features: int = FEATURES, hook: str | None = None) -> None:
    """A random JumpReLU dictionary in SAELens' form."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(14)
    directions = torch.nn.functional.normalize(torch.randn(features, width), dim=1)
    weights = {
        "W_enc": directions.T.contiguous(), "W_dec": directions, "b_enc": torch.full((features,), -0.05),
        "b_dec": torch.randn(width) * 0.1, "threshold": torch.full((features,), 0.3),
    }  # fmt: skip
    save_file(weights, folder / "sae_weights.safetensors")
    settings = {
        "architecture": "jumprelu", "d_in": width, "d_sae": features, "dtype": "float32", "device": "cpu",
        "apply_b_dec_to_input": False, "normalize_activations": "none", "reshape_activations": "none",
        "metadata": {"model_name": "tiny", "hook_name": hook or f"blocks.{LAYER}.hook_resid_post"},
    }  # fmt: skip
    (folder / "cfg.json").write_text(json.dumps(settings))


def language_model(folders: Folders, network: PreTrainedModel | None = None) -> LanguageModel:
    """The model in a folder, or another network with its tokenizer."""
    tokenizer = load.load_tokenizer(folders.model)
    if network is None:
        network = load.load_network(folders.model, torch.device("cpu"))
    return load.assemble(folders.model, tokenizer, network)


def dictionary(folders: Folders) -> Sae:
    """The dictionary in a folder."""
    return sae_formats.load_sae(folders.sae)


def fader(sae: Sae, feature: int, level: float = 1.0, **changes: Any) -> Fader:
    """A fader whose full level is strong for a tiny model."""
    return replace(Fader(FeatureRef(sae.id, feature), level, unit=20.0), **changes)


def two_panes(*faders: Fader) -> tuple[Pane, Pane]:
    """The base and one mix."""
    return Pane("base"), Pane("mix", faders)


def sampling(**changes: Any) -> Sampling:
    """Few words, drawn from all tokens, ending wherever the model does."""
    return replace(Sampling(temperature=1.0, top_p=1.0, words=12, seed=5, least=0.0), **changes)
