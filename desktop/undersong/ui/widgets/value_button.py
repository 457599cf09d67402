"""The number under a fader; a click on it is for typing another one."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from undersong.ui import theme
from undersong.ui.widgets.build import SEMIBOLD


class ValueButton(QAbstractButton):
    """A level in words. It never takes the focus, because digits typed at the fader do the same."""

    def __init__(self) -> None:
        super().__init__()
        self._role = "ink"
        self.setFixedHeight(22)
        self.setMinimumWidth(70)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.IBeamCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def say(self, words: str, *, quiet: bool = False, small: bool = False) -> None:
        """Show words or a number; ``quiet`` greys them."""
        self._role = "ink3" if quiet else "ink"
        self.setFont(theme.ui_font(12 if small else 14, SEMIBOLD, tabular=True))
        self.setText(words)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(70, 22)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("hover"))
            painter.drawRoundedRect(QRectF(self.rect()), 6, 6)
        painter.setPen(theme.colour(self._role))
        painter.setFont(self.font())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())
