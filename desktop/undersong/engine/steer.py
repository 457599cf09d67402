"""Editing the residual stream: ``x ← x + Σ aᵢ(x)·dᵢ`` for every row of a batch, each with a mix of its own.

``dᵢ`` is a feature's unit decoder direction and ``aᵢ`` what its fader's operation makes of it. Constant amounts are
summed once, when a fader moves, into one vector a row; amounts that depend on the text are read from x as it was before
any edit. Edits are added in float32 and rounded once. Nothing is ever reconstructed through the dictionary, so what it
cannot express stays as it was; ablating this way equals zeroing the activation in the full dictionary with its error
term kept (Templeton et al. 2024).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from undersong.core.mixing import Fader, Op, audible, coefficient
from undersong.engine.sae import Sae

Amount = Callable[[Tensor, Tensor], Tensor]
"""From activations (k,) of features on one token and coefficients (k,) to how much of each direction is added (k,)."""

CONSTANT: frozenset[Op] = frozenset({"add"})
"""Operations whose amount is the coefficient itself, whatever the text."""
AMOUNTS: dict[Op, Amount] = {"ablate": lambda activations, _coefficients: -activations}
"""Operations whose amount depends on the text; a further operation is one more entry."""


@dataclass(frozen=True, eq=False)
class Reader:
    """Faders of one row and one operation that need to see the text."""

    amount: Amount
    features: list[int]
    coefficients: Tensor
    """(k,)"""
    directions: Tensor
    """(k, d_model)"""


class Steering:
    """An edit for ``hooked``: one mix a row, changed in place between forward passes.

    A row without audible faders passes untouched, bit for bit; if no row has any, the very same tensor comes back. Only
    the newest token of each row is edited.
    """

    def __init__(self, sae: Sae, rows: int) -> None:
        self.sae = sae
        self.shift = torch.zeros(rows, sae.d_in, device=sae.decoder.device)
        self.readers: list[list[Reader]] = [[] for _ in range(rows)]
        self.steered = torch.zeros(rows, 1, dtype=torch.bool, device=sae.decoder.device)
        self.silent = True

    def set(self, row: int, faders: Sequence[Fader], master: float = 1.0) -> None:
        """Let ``faders`` under ``master`` act on a row from the next forward pass on."""
        acting = audible(tuple(faders), master)
        self.shift[row].zero_()
        for fader in acting:
            if fader.op in CONSTANT:
                self.shift[row] += coefficient(fader, master) * self.sae.direction(fader.feature.index)
        self.readers[row] = [self.reader(op, acting, master) for op in AMOUNTS if any(f.op == op for f in acting)]
        self.steered[row] = bool(acting)
        self.silent = not self.steered.any()

    def reader(self, op: Op, faders: Sequence[Fader], master: float) -> Reader:
        """The faders with operation ``op``, ready to be applied."""
        chosen = [f for f in faders if f.op == op]
        features = [f.feature.index for f in chosen]
        amounts = self.shift.new_tensor([coefficient(f, master) for f in chosen])
        return Reader(AMOUNTS[op], features, amounts, torch.stack([self.sae.direction(i) for i in features]))

    def __call__(self, x: Tensor) -> Tensor:
        """The residual stream (rows, tokens, d_model) with the newest token of steered rows edited."""
        if self.silent:
            return x
        newest = x[:, -1]
        shift = self.shift
        if any(self.readers):
            shift = shift.clone()
            for row, readers in enumerate(self.readers):
                for reader in readers:
                    activations = self.sae.encode(newest[row], reader.features)
                    shift[row] += reader.amount(activations, reader.coefficients) @ reader.directions
        edited = torch.where(self.steered, (newest.float() + shift).to(x.dtype), newest)
        return torch.cat((x[:, :-1], edited[:, None]), dim=1)
