"""Keys and values of all rows in buffers made once, so that no step copies what came before."""

from __future__ import annotations

from functools import partial

from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin

GROWTH = 256
"""Buffers grow by at least this many tokens, so that a short text does not pay for a long context."""


def rows_cache(rows: int) -> Cache:
    """An empty cache for ``rows`` texts in step; a forward pass over a single row fills all of them alike."""
    return Cache(layer_class_to_replicate=partial(RowsLayer, rows))  # type: ignore[arg-type]


class RowsLayer(CacheLayerMixin):
    """One block's keys and values, (rows, heads, room, head size) of which the first ``length`` tokens are in use.

    Every block attends over the whole text here; where a model looks back only so far, its attention mask says so.
    """

    is_sliding = False

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.rows = rows
        self.length = 0

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Make the buffers when the first keys show their shape."""
        self.keys = key_states.new_empty(self.rows, key_states.shape[1], 0, key_states.shape[3])
        self.values = value_states.new_empty(self.rows, value_states.shape[1], 0, value_states.shape[3])
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *_: object, **__: object) -> tuple[Tensor, Tensor]:
        """Append the keys and values of new tokens; returns all so far, for as many rows as were given."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start, self.length = self.length, self.length + key_states.shape[2]
        self.keys = self.extended(self.keys, key_states, start)
        self.values = self.extended(self.values, value_states, start)
        given = len(key_states)
        return self.keys[:given, :, : self.length], self.values[:given, :, : self.length]

    def extended(self, buffer: Tensor | None, states: Tensor, start: int) -> Tensor:
        """The buffer, or a larger one with the same content, with new states written in from ``start`` on."""
        assert buffer is not None
        if self.length > buffer.shape[2]:
            larger = buffer.new_empty(*buffer.shape[:2], max(self.length, start + GROWTH), buffer.shape[3])
            larger[:, :, :start] = buffer[:, :, :start]
            buffer = larger
        buffer[:, :, start : self.length] = states
        return buffer

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Length and offset of what the mask must cover."""
        return self.length + query_length, 0

    def get_seq_length(self) -> int:
        """Tokens held."""
        return self.length

    def get_max_length(self) -> int:
        """No limit of its own."""
        return -1
