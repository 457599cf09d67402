"""A hook on the residual stream after one block: scoped, removable, counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor, nn

from undersong.engine.blocks import hidden, with_hidden

Edit = Callable[[Tensor], Tensor]
"""Takes the residual stream (rows, tokens, d_model) and returns it, or another one of the same shape."""


@dataclass
class Firings:
    """How often a hook has fired."""

    count: int = 0


@contextmanager
def hooked(block: nn.Module, *edits: Edit) -> Iterator[Firings]:
    """Apply ``edits`` in order to the output of ``block`` until the context ends."""
    firings = Firings()

    def on_output(_module: nn.Module, _inputs: object, output: Tensor | tuple[Tensor, ...]) -> object:
        firings.count += 1
        x = hidden(output)
        for edit in edits:
            x = edit(x)
        return with_hidden(output, x)

    handle = block.register_forward_hook(on_output)
    try:
        yield firings
    finally:
        handle.remove()


class Tap:
    """An edit that changes nothing and keeps what went by."""

    def __init__(self) -> None:
        self.last: Tensor | None = None

    def __call__(self, x: Tensor) -> Tensor:
        self.last = x
        return x
