"""A label that keeps to one or two lines and says the rest in its tooltip."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent, QTextLayout
from PySide6.QtWidgets import QSizePolicy, QWidget

from undersong.ui import theme


def lines_height(font: QFont, lines: int) -> int:
    """Pixels that so many lines take."""
    return round(QFontMetricsF(font).lineSpacing() * lines) + 1


class ElidedLabel(QWidget):
    """Text clamped to ``lines`` lines, the last one shortened with an ellipsis."""

    def __init__(self, text: str = "", font: QFont | None = None, *, lines: int = 2, role: str = "ink") -> None:
        super().__init__()
        self._text, self._lines, self._role = "", lines, role
        self.setFont(font or theme.ui_font())
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.set_text(text)

    def text(self) -> str:
        """The whole text."""
        return self._text

    def set_text(self, text: str, role: str = "") -> None:
        """Show a text, in another text colour if one is given."""
        self._text, self._role = text, role or self._role
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        width = QFontMetricsF(self.font()).horizontalAdvance(self._text)
        return QSize(round(width), lines_height(self.font(), self._lines))

    def shown_lines(self) -> list[str]:
        """The lines as they are painted."""
        metrics, rest, shown = QFontMetricsF(self.font()), self._text, []
        while rest and len(shown) < self._lines - 1:
            layout = QTextLayout(rest, self.font())
            layout.beginLayout()
            line = layout.createLine()
            line.setLineWidth(self.width())
            layout.endLayout()
            shown.append(rest[: line.textLength()].rstrip())
            rest = rest[line.textLength() :]
        if rest:
            shown.append(metrics.elidedText(rest, Qt.TextElideMode.ElideRight, self.width()))
        return shown

    def paintEvent(self, event: QPaintEvent) -> None:
        shown = self.shown_lines()
        # a tooltip that repeats what can be read is in the way
        self.setToolTip(self._text if shown and shown[-1].endswith("…") else "")
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(theme.colour(self._role))
        metrics = QFontMetricsF(self.font())
        for i, line in enumerate(shown):
            painter.drawText(QPointF(0, metrics.ascent() + i * metrics.lineSpacing()), line)
