"""A tiny bar chart of how strongly a quality shows along a passage."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap


def paint_sparkline(painter: QPainter, where: QRectF, values: Sequence[float], ink: QColor) -> None:
    """Paint values 0 … 1 as bars standing on the bottom of ``where``."""
    painter.setPen(Qt.PenStyle.NoPen)
    step = where.width() / max(1, len(values))
    for i, value in enumerate(values):
        bar = QColor(ink)
        bar.setAlphaF(0.28 if value < 0.1 else 0.45 + 0.5 * min(1.0, value))
        height = max(1.5, min(1.0, value) * where.height())
        painter.setBrush(bar)
        painter.drawRoundedRect(
            QRectF(where.x() + i * step, where.bottom() - height, max(1.0, step - 1), height), 0.8, 0.8
        )


def sparkline_pixmap(size: QSize, values: Sequence[float], ink: QColor, ratio: float) -> QPixmap:
    """The same as a pixmap, for lists that paint hundreds of them."""
    made = QPixmap(size * ratio)
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    paint_sparkline(painter, QRectF(0, 0, size.width(), size.height()), values, ink)
    painter.end()
    return made
