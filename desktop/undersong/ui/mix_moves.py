"""Everything a writer can do to the mix; each move is one undo step, and the moves of one drag are one together."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoStack

from undersong.core.messages import Loaded
from undersong.core.mixing import MOST_LEVEL, MOST_MASTER, Fader, FeatureRef, Mix, Op, settled
from undersong.core.project import SessionState
from undersong.ui.commands import ChangeMix, Desk

DEFAULT_LEVEL = 0.6
"""Where a fader stands when its quality is added: heard, not overdone."""
UNDO_STEPS = 500


class MixMoves(QObject):
    """The mixes of a session state, the focused channel, and the undo stack.

    Signals: ``mix_changed()``; ``focus_changed()`` when the focused channel or the shown feature changed;
    ``saving_due()`` when the state should be saved.
    """

    mix_changed = Signal()
    focus_changed = Signal()
    saving_due = Signal()

    def __init__(self, state: SessionState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.saved = state
        self.undo = QUndoStack(self)
        self.undo.setUndoLimit(UNDO_STEPS)
        # A stack that is being deleted clears itself and would call panels that still listen
        undo = self.undo
        self.destroyed.connect(lambda: undo.blockSignals(True))
        self.loaded: Loaded | None = None
        self._gestures = itertools.count(1)
        self._focused = 0 if state.mix.faders else -1
        self._inspected = -1

    @property
    def mix(self) -> Mix:
        """The mix on the desk."""
        return self.saved.mix

    @property
    def which(self) -> str:
        """``A`` or ``B``: which of the two mixes is on the desk."""
        return self.saved.which.upper()

    @property
    def focused(self) -> int:
        """Position of the focused channel, -1 if none."""
        return self._focused

    @property
    def shown_feature(self) -> int:
        """The feature whose heat is shown: the inspected one, or else the focused channel's; -1 for none."""
        if self._inspected >= 0:
            return self._inspected
        return self.mix.faders[self._focused].feature.index if self._focused >= 0 else -1

    @property
    def shown_colour(self) -> int:
        """Channel whose colour the heat has, -1 for a feature that is not in the mix."""
        return self.position_of(self.shown_feature)

    def position_of(self, feature: int) -> int:
        """Position of a feature in the mix, -1 if it is not there."""
        return next((i for i, fader in enumerate(self.mix.faders) if fader.feature.index == feature), -1)

    def new_gesture(self) -> int:
        """A number for the moves of one drag."""
        return next(self._gestures)

    def focus_channel(self, position: int) -> None:
        """Put the focus on a channel and show its heat."""
        position = position if 0 <= position < len(self.mix.faders) else -1
        if (position, -1) != (self._focused, self._inspected):
            self._focused, self._inspected = position, -1
            self.focus_changed.emit()

    def add_feature(self, feature: int, label: str, level: float = DEFAULT_LEVEL) -> int:
        """Put a feature at the end of the mix and focus it; one that is there already is only focused."""
        position = self.position_of(feature)
        if position < 0:
            sae, unit = (self.loaded.sae, self.loaded.unit) if self.loaded else ("", 1.0)
            fader = Fader(FeatureRef(sae, feature), _level(level), unit=unit, label=label)
            position = len(self.mix.faders)
            self._move(self.tr("Add “{0}”").format(label), replace(self.mix, faders=(*self.mix.faders, fader)))
        self.focus_channel(position)
        return position

    def set_level(self, position: int, level: float, gesture: int = 0) -> None:
        """Move a fader to a level, -2 … 2."""
        self._set(position, self.tr("Move “{0}”"), gesture, level=_level(level))

    def set_op(self, position: int, op: Op) -> None:
        """Choose what a fader does."""
        self._set(position, self.tr("Change “{0}”"), op=op)

    def set_muted(self, position: int, muted: bool) -> None:
        """Leave a channel out, or take it in again."""
        self._set(position, self.tr("Mute “{0}”") if muted else self.tr("Unmute “{0}”"), muted=muted)

    def set_soloed(self, position: int, soloed: bool) -> None:
        """Hear only this channel and others that are soloed."""
        self._set(position, self.tr("Solo “{0}”") if soloed else self.tr("Unsolo “{0}”"), soloed=soloed)

    def remove(self, position: int) -> None:
        """Take a channel out of the mix."""
        if not self._has(position):
            return
        faders = self.mix.faders
        text = self.tr("Remove “{0}”").format(faders[position].label)
        self._move(text, replace(self.mix, faders=faders[:position] + faders[position + 1 :]))

    def move(self, position: int, to: int) -> None:
        """Put a channel at another place."""
        if not (self._has(position) and self._has(to)):
            return
        faders = list(self.mix.faders)
        fader = faders.pop(position)
        faders.insert(to, fader)
        self._move(self.tr("Move “{0}” along").format(fader.label), replace(self.mix, faders=tuple(faders)))

    def set_master(self, level: float, gesture: int = 0) -> None:
        """Set the whole-mix level, 0 … 1.5."""
        level = round(min(MOST_MASTER, max(0.0, level)), 4)
        self._move(self.tr("Whole mix"), replace(self.mix, master=level), gesture)

    def zero_all(self) -> None:
        """Put every fader at zero."""
        self._move(self.tr("Zero all"), self._each(lambda fader: replace(fader, level=0.0)))

    def nudge_all(self, by: float) -> None:
        """Move every fader by the same amount."""
        self._move(self.tr("Nudge all"), self._each(lambda fader: replace(fader, level=_level(fader.level + by))))

    def rename_mix(self, name: str) -> None:
        """Call the mix something else."""
        if name.strip():
            self._move(self.tr("Rename the mix"), replace(self.mix, name=name.strip()))

    def rename_channel(self, position: int, label: str) -> None:
        """Call a channel something else; labels are machine guesses."""
        if label.strip():
            self._set(position, self.tr("Rename “{0}”"), label=label.strip())

    def clear_mix(self) -> None:
        """Begin an empty mix."""
        self._move(self.tr("New mix"), Mix())

    def swap_compare(self, which: str) -> None:
        """Put mix ``A`` or ``B`` on the desk; the other one begins as a copy of the first."""
        desk = self._desk()
        side = "a" if which.upper() == "A" else "b"
        if side == desk.which:
            return
        a = desk.b if side == "a" and not desk.a.faders else desk.a
        b = desk.a if side == "b" and not desk.b.faders else desk.b
        self.undo.push(
            ChangeMix(self.tr("Compare with {0}").format(side.upper()), desk, Desk(a, b, side), 0, self._show)
        )

    def _has(self, position: int) -> bool:
        return 0 <= position < len(self.mix.faders)

    def _set(self, position: int, text: str, gesture: int = 0, **changes: object) -> None:
        if self._has(position):
            text = text.format(self.mix.faders[position].label)
            self._move(text, self.mix.with_fader(position, **changes), gesture)

    def _each(self, change: Callable[[Fader], Fader]) -> Mix:
        return replace(self.mix, faders=tuple(map(change, self.mix.faders)))

    def _desk(self) -> Desk:
        return Desk(self.saved.mix_a, self.saved.mix_b, self.saved.which)

    def _move(self, text: str, mix: Mix, gesture: int = 0) -> None:
        before = self._desk()
        after = before.with_mix(mix)
        if after != before:
            self.undo.push(ChangeMix(text, before, after, gesture, self._show))

    def _show(self, desk: Desk) -> None:
        """Make ``desk`` the present one; the focus stays with its feature, or at its place if that has gone."""
        was = self.mix.faders[self._focused].feature if self._has(self._focused) else None
        a, b = (settled(m, self.loaded.sae, self.loaded.unit) if self.loaded else m for m in (desk.a, desk.b))
        self.saved.mix_a, self.saved.mix_b, self.saved.which = a, b, desk.which
        found = self.mix.index_of(was) if was is not None else -1
        self._focused = found if found >= 0 else min(max(self._focused, 0), len(self.mix.faders) - 1)
        self.mix_changed.emit()
        self.focus_changed.emit()
        self.saving_due.emit()


def _level(level: float) -> float:
    """A level within reach of a fader, free of rounding dust."""
    return round(min(MOST_LEVEL, max(-MOST_LEVEL, level)), 4)
