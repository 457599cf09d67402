"""The little field in which a level is typed, laid over whatever shows the level."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from undersong.ui import theme
from undersong.ui.widgets.build import SEMIBOLD

MINUS = "−"


def percent(level: float, signed: bool = True) -> str:
    """A level as the window shows it: 0.7 is ``+70%``; zero has no sign."""
    whole = round(level * 100)
    sign = MINUS if whole < 0 else "+" if signed and whole > 0 else ""
    return f"{sign}{abs(whole)}%"


def parse_percent(text: str) -> float | None:
    """The level in what somebody typed (``70``, ``+70 %``, ``−12,5``), or None."""
    plain = text.strip().removesuffix("%").strip().replace(MINUS, "-").replace(",", ".")
    try:
        value = float(plain)
    except ValueError:
        return None
    return value / 100 if abs(value) < 1e6 else None


class LevelEdit(QLineEdit):
    """Takes one typed level: Enter gives it, Esc or leaving the field drops it; then the field is gone."""

    level_typed = Signal(float)

    def __init__(self, over: QWidget, back_to: QWidget, text: str, name: str, place: QRect | None = None) -> None:
        super().__init__(text, over.window())
        self.setProperty("kind", "level")
        self.setAccessibleName(name)
        self.setToolTip(self.tr("Per cent; Enter sets it, Esc leaves it"))
        self.setFont(theme.ui_font(13, SEMIBOLD, tabular=True))
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setMaxLength(8)
        self._back_to = back_to
        where = place or over.rect()
        self.setGeometry(QRect(over.mapTo(over.window(), where.topLeft()), where.size()))
        self.show()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._leave()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            level = parse_percent(self.text())
            if level is None:
                self.selectAll()
                return
            self._leave()
            self.level_typed.emit(level)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.hide()
            self.deleteLater()

    def _leave(self) -> None:
        # giving the focus away hides and deletes the field
        self._back_to.setFocus(Qt.FocusReason.OtherFocusReason)
