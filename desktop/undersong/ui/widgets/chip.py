"""Chips: filters that stay pressed, and the one that says which model is loaded and how it is."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QPushButton, QSizePolicy, QWidget

from undersong.ui import theme
from undersong.ui.widgets.build import MEDIUM, button


def filter_chip(text: str, tip: str, checked: bool = False) -> QPushButton:
    """A rounded button that stays pressed."""
    made = button(text, kind="chip", tip=tip)
    made.setCheckable(True)
    made.setChecked(checked)
    return made


class ModelChip(QAbstractButton):
    """Lamp and words: the model's name, what it is doing, and a thin bar while it is loading.

    The lamp's colour only repeats what the words say.
    """

    LEFT, GAP, LAMP = 12, 9, 4

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lamp = "ink3"
        self._progress: float | None = None
        self.setFont(theme.ui_font(12, MEDIUM, tabular=True))
        self.setFixedHeight(28)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def show_state(self, words: str, lamp: str, tip: str = "", progress: float | None = None) -> None:
        """Say ``words``; ``lamp`` is a colour role (ok, warn, err, accent, ink3), ``progress`` 0 … 1 draws the bar."""
        self._lamp, self._progress = lamp, progress
        self.setText(words)
        self.setToolTip(tip)
        self.setAccessibleName(self.tr("Model: {state}").format(state=words))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        words = QFontMetrics(self.font()).horizontalAdvance(self.text())
        return QSize(self.LEFT + 2 * self.LAMP + self.GAP + words + self.LEFT, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        focused = self.hasFocus()
        width = theme.theme().tokens.focus_width if focused else 1.0
        painter.setPen(QPen(theme.colour("accent" if focused else "line"), width))
        painter.setBrush(theme.colour("hover" if self.underMouse() else "page"))
        painter.drawRoundedRect(frame, 7, 7)
        painter.setPen(Qt.PenStyle.NoPen)
        if self._progress is not None:
            painter.setBrush(theme.colour("accent"))
            along = (frame.width() - 14) * min(1.0, max(0.0, self._progress))
            painter.drawRoundedRect(QRectF(frame.x() + 7, frame.bottom() - 3, along, 2), 1, 1)
        painter.setBrush(theme.colour(self._lamp))
        painter.drawEllipse(QPointF(self.LEFT + self.LAMP, self.height() / 2), self.LAMP, self.LAMP)
        painter.setPen(theme.colour("ink"))
        painter.setFont(self.font())
        words = self.rect().adjusted(self.LEFT + 2 * self.LAMP + self.GAP, 0, -4, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())
