"""Level meters: how strongly a quality shows in the newest words."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from undersong.ui import theme
from undersong.ui.widgets.fader_paint import END

SEGMENTS = 22
FALL = 0.06
"""How far the peak mark sinks with each new level."""


class Meter(QWidget):
    """A ladder of segments beside a fader; the highest one lately stays lit for a while.

    It says nothing to a screen reader: a value that changes thirty times a second is noise there.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.channel = -1
        self.level = 0.0
        self.peak = 0.0
        self.setFixedWidth(6)

    def set_channel(self, channel: int) -> None:
        """Wear a channel's colour."""
        self.channel = channel
        self.update()

    def set_level(self, level: float) -> None:
        """Show a level, 0 … 1, and let the peak sink towards it."""
        self.level = min(1.0, max(0.0, level))
        self.peak = max(self.level, self.peak - FALL)
        self.update()

    def reset(self) -> None:
        """Put everything out."""
        self.level = self.peak = 0.0
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        step = (self.height() - 2 * END) / SEGMENTS
        peak = round(self.peak * SEGMENTS) - 1
        for i in range(SEGMENTS):
            part = (i + 1) / SEGMENTS
            lit = theme.channel_colour(self.channel)
            if i != peak:
                lit.setAlphaF(0.55 + 0.45 * part)
            is_lit = i == peak or part <= self.level + 0.5 / SEGMENTS
            painter.setBrush(lit if is_lit and self.peak > 0 else theme.colour("track"))
            y = self.height() - END - (i + 1) * step
            painter.drawRoundedRect(QRectF(0, y + 0.8, self.width(), step - 1.6), 1, 1)
