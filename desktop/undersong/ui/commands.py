"""Undo steps: every move on the mix is one, and the moves of one drag are one together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtGui import QUndoCommand

from undersong.core.mixing import Mix

MIX_MOVE = 1
"""Tells Qt which commands may merge."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Both mixes and which of them is on the desk; what a move on the mix changes."""

    a: Mix
    b: Mix
    which: Literal["a", "b"]

    @property
    def mix(self) -> Mix:
        """The mix on the desk."""
        return self.a if self.which == "a" else self.b

    def with_mix(self, mix: Mix) -> Desk:
        """This desk with another mix on it."""
        return Desk(mix, self.b, "a") if self.which == "a" else Desk(self.a, mix, "b")


class ChangeMix(QUndoCommand):
    """One move on the mix; remembers the desk before and after it."""

    def __init__(self, text: str, before: Desk, after: Desk, gesture: int, show: Callable[[Desk], None]) -> None:
        """``gesture`` other than 0 lets later moves of the same gesture merge into this one."""
        super().__init__(text)
        self.gesture = gesture
        self.after = after
        self._before = before
        self._show = show

    def id(self) -> int:
        return MIX_MOVE

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, ChangeMix) or not self.gesture or other.gesture != self.gesture:
            return False
        self.after = other.after
        self.setObsolete(self.after == self._before)
        return True

    def redo(self) -> None:
        self._show(self.after)

    def undo(self) -> None:
        self._show(self._before)
