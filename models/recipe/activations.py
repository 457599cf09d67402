"""Residual vectors for the sparse autoencoder: windows of the corpus, run through the first blocks of the model.

A window is BOS and 255 tokens of the stream, as the model sees text in use. Its first position and every BOS and EOS in
it are left out: their vectors are attention sinks, many times longer than any word's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, LlamaModel

from models.recipe.corpus import SUB_CORPORA
from models.recipe.tokenizer import REPEATS

WINDOW = 256
HARVEST_ROWS = 16


def load_blocks(folder: Path, layer: int, device: torch.device | str = "cpu") -> LlamaModel:
    """The model up to and including block ``layer``, in bf16; its output is the residual stream there."""
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16, attn_implementation="sdpa")
    blocks = nn.Module.to(network, device).eval().get_submodule("model")
    assert isinstance(blocks, LlamaModel)
    if not 0 <= layer < len(blocks.layers):
        raise SystemExit(f"The model in {folder} has blocks 0 to {len(blocks.layers) - 1}; there is no block {layer}.")
    blocks.layers = blocks.layers[: layer + 1]
    blocks.register_module("norm", nn.Identity())
    return blocks


def windows(stream: np.ndarray, bos: int, rng: np.random.Generator, length: int = WINDOW) -> Iterator[np.ndarray]:
    """Rows ``BOS + tokens`` of one stream (length,) without end: every pass is cut at another offset and shuffled."""
    while True:
        shifted = stream[rng.integers(0, min(length, len(stream))) :]
        count = max(1, len(shifted) // (length - 1))
        body = np.resize(shifted, (count, length - 1)).astype(np.int64)
        for row in rng.permutation(count):
            yield np.concatenate([[bos], body[row]])


def mixed_windows(work: Path, bos: int, seed: int, part: str = "train") -> Iterator[Tensor]:
    """Batches (HARVEST_ROWS, WINDOW) of all sub-corpora without end.

    Each is seen in proportion to the square root of its tokens in an epoch: between that share and an even one, so that
    the small registers get features of their own.
    """
    rng = np.random.default_rng(seed)
    streams = {name: np.load(work / f"{name}.{part}.npy") for name in SUB_CORPORA}
    shares = np.sqrt([len(streams[name]) * REPEATS[name] for name in SUB_CORPORA])
    sources = [windows(stream, bos, rng) for stream in streams.values()]
    while True:
        chosen = rng.choice(len(sources), HARVEST_ROWS, p=shares / shares.sum())
        yield torch.from_numpy(np.stack([next(sources[index]) for index in chosen]))


def is_text(ids: Tensor, special: Tensor) -> Tensor:
    """Which positions of rows (rows, length) count: not the first, and no BOS or EOS."""
    keep = ~torch.isin(ids, special)
    keep[:, 0] = False
    return keep


@torch.inference_mode()
def residuals(blocks: LlamaModel, batches: Iterator[Tensor], special: Tensor) -> Iterator[Tensor]:
    """Residual vectors (n, d_model) of each batch's text positions."""
    for ids in batches:
        found = blocks(ids.to(blocks.device), use_cache=False).last_hidden_state
        yield found[is_text(ids, special).to(found.device)]


class ShuffleBuffer:
    """Mixes vectors of thousands of windows, so that a batch holds few neighbours; owns ``size`` vectors."""

    def __init__(self, source: Iterator[Tensor], size: int) -> None:
        self.source = source
        self.rest = next(source)
        self.rows = torch.empty(size, self.rest.shape[1], dtype=self.rest.dtype, device=self.rest.device)
        self.fill(torch.arange(size))

    def fill(self, places: Tensor) -> None:
        """Put new vectors in ``places``."""
        done = 0
        while done < len(places):
            if not len(self.rest):
                self.rest = next(self.source)
            take = min(len(self.rest), len(places) - done)
            self.rows[places[done : done + take]] = self.rest[:take]
            self.rest = self.rest[take:]
            done += take

    def batches(self, batch: int) -> Iterator[Tensor]:
        """Random batches (batch, d_model) without end; half the buffer is replaced whenever half is used."""
        while True:
            order = torch.randperm(len(self.rows))
            used = order[: max(batch, len(order) // 2)]
            for places in used.split(batch):
                if len(places) == batch:
                    yield self.rows[places]
            self.fill(used)
