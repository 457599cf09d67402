"""Where every feature of the dictionary fires on a stretch of the corpus, kept as a sorted sparse table.

Densities, passages, example words and the label tests are all read off this one table, so the corpus is run once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import LlamaModel

from models.recipe.activations import HARVEST_ROWS, WINDOW, is_text
from models.recipe.corpus import SUB_CORPORA
from undersong.engine.sae import Sae

CELL = 32
"""Tokens in a passage; rows are cut into cells of this length when firings are thinned."""


@dataclass(frozen=True)
class Firings:
    """Every activation above its threshold, sorted by feature and then by position."""

    rows: np.ndarray
    """(rows, WINDOW) token ids."""
    start: np.ndarray
    """(d_sae + 1,) where each feature's firings begin in the two arrays below."""
    position: np.ndarray
    """Flat index into ``rows``."""
    value: np.ndarray
    """Activation, float16."""
    tokens: int
    """Text positions read: no BOS, no EOS, no first position."""

    @property
    def density(self) -> np.ndarray:
        """(d_sae,) share of tokens on which each feature fires."""
        return np.diff(self.start) / max(1, self.tokens)

    def of(self, feature: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions and activations of one feature."""
        part = slice(self.start[feature], self.start[feature + 1])
        return self.position[part], self.value[part].astype(np.float32)

    def along(self, feature: int, begin: int, end: int) -> np.ndarray:
        """Activations of a feature on the positions ``begin`` … ``end``; shape (end - begin,)."""
        positions, values = self.of(feature)
        found = slice(*np.searchsorted(positions, [begin, end]))
        dense = np.zeros(end - begin, np.float32)
        dense[positions[found] - begin] = values[found]
        return dense

    def peaks(self, feature: int) -> tuple[np.ndarray, np.ndarray]:
        """The strongest firing of each cell in which a feature fires, strongest first: positions and activations."""
        positions, values = self.of(feature)
        order = np.lexsort((-values, positions // CELL))
        cells = positions[order] // CELL
        first = np.ones(len(cells), bool)
        first[1:] = cells[1:] != cells[:-1]
        best = order[first]
        best = best[np.argsort(-values[best], kind="stable")]
        return positions[best], values[best]


@torch.inference_mode()
def collect(blocks: LlamaModel, sae: Sae, batches: Iterator[Tensor], special: Tensor, most: int) -> Firings:
    """Run batches of rows (n, WINDOW) through the blocks and the dictionary until ``most`` tokens are read."""
    rows, parts, read, base = [], [], 0, 0
    for ids in batches:
        keep = is_text(ids, special)
        where = keep.flatten().nonzero()[:, 0].numpy() + base
        found = blocks(ids.to(blocks.device), use_cache=False).last_hidden_state
        activations = sae.encode(found[keep.to(found.device)])
        token, feature = activations.nonzero(as_tuple=True)
        values = activations[token, feature].half().cpu().numpy()
        narrow = np.min_scalar_type(sae.d_sae)
        parts.append((feature.cpu().numpy().astype(narrow), where[token.cpu().numpy()].astype(np.int32), values))
        rows.append(ids.numpy().astype(np.int32))
        read, base = read + len(where), base + ids.numel()
        if len(rows) % 64 == 0:
            print(f"{read:,} of {most:,} tokens", flush=True)
        if read >= most:
            break
    features, positions, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(features, kind="stable")
    start = np.searchsorted(features[order], np.arange(sae.d_sae + 1))
    return Firings(np.concatenate(rows), start, positions[order], values[order], read)


def held_out_rows(work: Path, bos: int) -> Iterator[Tensor]:
    """Batches (≤ HARVEST_ROWS, WINDOW) of all held-out text, once, each row beginning with BOS."""
    for name in SUB_CORPORA:
        stream = np.load(work / f"{name}.held_out.npy")
        count = max(1, len(stream) // (WINDOW - 1))
        body = np.resize(stream, (count, WINDOW - 1)).astype(np.int64)
        rows = np.concatenate([np.full((count, 1), bos), body], axis=1)
        yield from torch.from_numpy(rows).split(HARVEST_ROWS)
