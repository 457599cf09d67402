"""The fader: a slider that is dragged, typed at and heard like one on a mixing desk."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QElapsedTimer, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSlider, QWidget

from undersong.ui.widgets.fader_paint import END, paint_fader
from undersong.ui.widgets.level_edit import LevelEdit, percent

BURST_MS = 800
"""Key presses or wheel turns closer than this are one gesture, so one step of undo."""
NORMAL = 0.72
"""Share of the way from zero to an end that levels up to 100 % take."""
FINE = 0.1
"""How far the cap follows the mouse while Alt is held."""
_own_gestures = itertools.count(1_000_000)


class Zone(NamedTuple):
    """A stretch of a fader's way with a measured effect."""

    start: float
    """Level at which it begins."""
    end: float
    kind: str
    """``faint``, ``safe``, ``strong``, ``risky`` or ``breaks``."""


class Fader(QSlider):
    """A level from ``low`` to ``high`` (1.0 is 100 %), with its own painting and keys.

    Emits ``level_changed(level, gesture)``: all values of one drag, one burst of keys or one typed number carry the
    same gesture number, so that they can be undone together. ``set_level`` emits nothing. Underneath it counts whole
    per cent, which is what a screen reader says.
    """

    level_changed = Signal(float, int)

    def __init__(
        self,
        orientation: Qt.Orientation = Qt.Orientation.Vertical,
        *,
        low: float = -2.0,
        high: float = 2.0,
        rest: float = 0.0,
        new_gesture: Callable[[], int] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(orientation, parent)
        self.rest = rest
        """Where 0 and a double click put it."""
        self.channel = -1
        """Which channel's colour it wears; -1 is neutral."""
        self.silent = False
        """Painted as one that does not act now."""
        self.zones: tuple[Zone, ...] = ()
        self.typing_place: QWidget | None = None
        """What a typed number covers; the fader's own cap if None."""
        self._new_gesture = new_gesture or (lambda: next(_own_gestures))
        self._gesture = 0
        self._giving = 0
        self._silently = False
        self._locked = False
        self._since_key = QElapsedTimer()
        self._grip: tuple[float, float] | None = None  # mouse position along the way, exact fraction
        self.setRange(round(low * 100), round(high * 100))
        self.setSingleStep(5)
        self.setPageStep(25)
        self.setValue(round(rest * 100))
        self.valueChanged.connect(self._report)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        if orientation == Qt.Orientation.Vertical:
            self.setMinimumHeight(96)
            self.setFixedWidth(58)
        else:
            self.setFixedHeight(26)
            self.setMinimumWidth(120)

    @property
    def level(self) -> float:
        """Where it stands; 1.0 is 100 %."""
        return self.value() / 100

    def set_level(self, level: float) -> None:
        """Put it somewhere without saying so; a drag that is under way goes on from where the mouse is."""
        if self._grip is None:
            self._silently = True
            self.setValue(round(level * 100))
            self._silently = False

    def set_look(self, channel: int, silent: bool) -> None:
        """Choose the channel colour, and whether it looks as if it acts."""
        self.channel, self.silent = channel, silent
        self.update()

    def set_locked(self, locked: bool) -> None:
        """Let it show its level only; it keeps the focus, for the keys of what it stands in."""
        self._locked = locked
        self.update()

    def set_zones(self, zones: Sequence[Zone]) -> None:
        """Show measured zones along the track; none by default."""
        self.zones = tuple(zones)
        self.update()

    def fraction(self, level: float) -> float:
        """Where a level lies along the way, 0 … 1; of a two-sided fader, overdrive beyond 100 % has less room."""
        low, high = self.minimum() / 100, self.maximum() / 100
        if low != -high or high <= 1:
            return (level - low) / (high - low)
        size = abs(level)
        out = size * NORMAL if size <= 1 else NORMAL + (size - 1) / (high - 1) * (1 - NORMAL)
        return 0.5 + (out if level > 0 else -out) / 2

    def level_at(self, fraction: float) -> float:
        """The level at a place along the way, the reverse of ``fraction``."""
        low, high = self.minimum() / 100, self.maximum() / 100
        if low != -high or high <= 1:
            return low + fraction * (high - low)
        out = abs(fraction - 0.5) * 2
        size = out / NORMAL if out <= NORMAL else 1 + (out - NORMAL) / (1 - NORMAL) * (high - 1)
        return size if fraction > 0.5 else -size

    def point(self, level: float) -> float:
        """Pixel along the way of a level."""
        length = self._length()
        along = self.fraction(level) * length
        return END + (length - along if self._is_vertical() else along)

    def begin_typing(self, first: str = "") -> None:
        """Open the little field for a typed level, with ``first`` in it or else the level, selected."""
        if self.typing_place is not None:
            over, place = self.typing_place, None
        else:
            along = round(self.point(self.level))
            middle = QPoint(self.width() // 2, along) if self._is_vertical() else QPoint(along, self.height() // 2)
            over, place = self, QRect(middle - QPoint(27, 12), middle + QPoint(27, 12))
        edit = LevelEdit(over, self, first or percent(self.level), self.tr("Level in per cent"), place)
        edit.level_typed.connect(self._take_typed)
        if not first:
            edit.selectAll()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_fader(painter, self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._locked:
            event.ignore()
            return
        self._grip = (self._along(event), self.fraction(self.level))
        self._gesture = self._new_gesture()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is None:
            return
        at, exact = self._grip
        now = self._along(event)
        fine = FINE if event.modifiers() & (Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier) else 1
        exact += (now - at) / self._length() * fine
        self._grip = (now, exact)
        self._give(round(self.level_at(min(1.0, max(0.0, exact))) * 100), self._gesture)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grip = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if not self._locked:
            self._give(round(self.rest * 100), self._new_gesture())

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta().y()
        # a wheel meant for scrolling must not move a fader that happens to lie under it
        if not self.hasFocus() or turned == 0 or self._locked:
            event.ignore()
            return
        self._give(self.value() + (self.singleStep() if turned > 0 else -self.singleStep()), self._burst())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        text = event.text()
        if self._locked:
            event.ignore()
            return
        if text and text in "123456789+-" and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.begin_typing(text)
            return
        target = None if event.modifiers() & ~_PLAIN else self._target(event)
        if target is None:
            event.ignore()
            return
        self._give(target, self._burst())

    def _target(self, event: QKeyEvent) -> int | None:
        """The value a key leads to, or None if the key is not the fader's."""
        key = event.key()
        step = self.pageStep() if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else self.singleStep()
        up, down = Qt.Key.Key_Up, Qt.Key.Key_Down
        if not self._is_vertical():
            up, down = Qt.Key.Key_Right, Qt.Key.Key_Left
        targets = {
            up: self.value() + step,
            down: self.value() - step,
            Qt.Key.Key_PageUp: self.value() + self.pageStep(),
            Qt.Key.Key_PageDown: self.value() - self.pageStep(),
            Qt.Key.Key_Home: self.maximum(),
            Qt.Key.Key_End: self.minimum(),
            Qt.Key.Key_0: round(self.rest * 100),
        }
        return targets.get(Qt.Key(key))

    def _take_typed(self, level: float) -> None:
        self._give(round(level * 100), self._new_gesture())

    def _burst(self) -> int:
        """The gesture of a key press or wheel turn: the last one's if that was a moment ago."""
        if not self._since_key.isValid() or self._since_key.elapsed() > BURST_MS:
            self._gesture = self._new_gesture()
        self._since_key.start()
        return self._gesture

    def _give(self, value: int, gesture: int) -> None:
        self._giving = gesture
        self.setValue(value)
        self._giving = 0

    def _report(self, value: int) -> None:
        # a screen reader sets the value without any of our events; that is a gesture of its own
        if not self._silently:
            self.level_changed.emit(value / 100, self._giving or self._new_gesture())

    def _along(self, event: QMouseEvent) -> float:
        at = event.globalPosition()
        return -at.y() if self._is_vertical() else at.x()

    def _length(self) -> int:
        return (self.height() if self._is_vertical() else self.width()) - 2 * END

    def _is_vertical(self) -> bool:
        return self.orientation() == Qt.Orientation.Vertical


_PLAIN = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
