"""Where things are inside any decoder-only model of Hugging Face transformers: blocks, final norm, unembedding."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from undersong.core.errors import Unsupported


@dataclass(frozen=True, eq=False)
class Anatomy:
    """The parts of a model that reading and steering need."""

    blocks: nn.ModuleList
    """The transformer blocks, first to last."""
    norm: nn.Module
    """What is applied to the residual stream after the last block."""
    unembedding: Tensor
    """(vocabulary, d_model) rows that turn the normed residual stream into logits."""

    @property
    def d_model(self) -> int:
        """Width of the residual stream."""
        return self.unembedding.shape[1]


def find(network: nn.Module) -> Anatomy:
    """Find the parts of ``network``; raises Unsupported if it is not built like a decoder-only transformer.

    The blocks are the list of like modules that holds the most parameters: lists inside a block, such as experts,
    always hold fewer.
    """
    lists = [
        (name, module)
        for name, module in network.named_modules()
        if isinstance(module, nn.ModuleList) and len({type(m) for m in module}) == 1
    ]
    head = getattr(network, "get_output_embeddings", lambda: None)()
    if not lists or head is None:
        raise Unsupported(
            f"{type(network).__name__} is not built as a row of transformer blocks with words at the end; "
            "this version cannot steer it. Choose a text-generating (decoder-only) model."
        )
    name, blocks = max(lists, key=lambda found: sum(p.numel() for p in found[1].parameters()))
    parent = network.get_submodule(name.rpartition(".")[0])
    norms = [m for m in parent.children() if "norm" in type(m).__name__.lower()]
    return Anatomy(blocks, norms[-1] if norms else nn.Identity(), head.weight.detach())


def hidden(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    """The residual stream in a block's output, which is a tensor or a tuple that begins with it."""
    return output if isinstance(output, Tensor) else output[0]


def with_hidden(output: Tensor | tuple[Tensor, ...], x: Tensor) -> Tensor | tuple[Tensor, ...]:
    """A block's output with its residual stream replaced by ``x``; the same object if it already holds ``x``."""
    if x is hidden(output):
        return output
    return x if isinstance(output, Tensor) else (x, *output[1:])
