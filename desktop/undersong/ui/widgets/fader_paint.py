"""How a fader looks: track, ticks, zones, the part that is pushed, and the cap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPen

from undersong.ui import theme

if TYPE_CHECKING:
    from undersong.ui.widgets.fader import Fader

END = 11
"""Pixels between the ends of the way and the widget's edge, room for half a cap and its focus ring."""
ZONE_ROLES = {"faint": "line_strong", "safe": "ok", "strong": "accent", "risky": "warn", "breaks": "err"}


def paint_fader(painter: QPainter, fader: Fader) -> None:
    """Paint a fader in its own coordinates."""
    vertical = fader.orientation() == Qt.Orientation.Vertical
    if not vertical:
        # everything below is drawn upright; a horizontal fader is the same picture turned by a quarter
        painter.translate(fader.width(), 0)
        painter.rotate(90)
    length = fader.width() if not vertical else fader.height()
    middle = (fader.height() if not vertical else fader.width()) / 2
    ink = _ink(fader)
    at = _upright(fader, fader.level, length)
    origin = _upright(fader, 0.0, length)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("track"))
    painter.drawRoundedRect(QRectF(middle - 2, END, 4, length - 2 * END), 2, 2)
    if vertical:
        _paint_ticks(painter, fader, middle, length)
    else:
        painter.setBrush(theme.colour("ink3", 0.8))
        painter.drawRect(QRectF(middle - 7, _upright(fader, fader.rest, length) - 0.5, 14, 1))
    _paint_zones(painter, fader, middle, length)
    painter.setBrush(ink)
    painter.setOpacity(0.45 if fader.silent else 1.0)
    painter.drawRoundedRect(QRectF(middle - 2, min(at, origin), 4, abs(at - origin)), 2, 2)
    painter.setOpacity(1.0)
    _paint_cap(painter, fader, QRectF(middle - 15, at - 9, 30, 18) if vertical else _flat_cap(middle, at), ink)


def _flat_cap(middle: float, at: float) -> QRectF:
    return QRectF(middle - 10, at - 7, 20, 14)


def _upright(fader: Fader, level: float, length: int) -> float:
    return END + (1 - fader.fraction(level)) * (length - 2 * END)


def _ink(fader: Fader) -> QColor:
    if fader.silent:
        return theme.colour("ink3")
    return theme.channel_colour(fader.channel) if fader.channel >= 0 else theme.colour("ink2")


def _paint_ticks(painter: QPainter, fader: Fader, middle: float, length: int) -> None:
    low, high = fader.minimum(), fader.maximum()
    for value in range(low, high + 1, 25):
        if abs(value) > 100 and value % 50:
            continue
        level = value / 100
        marked = value in (low, high, 0) or abs(value) == 100
        painter.setBrush(theme.colour("ink3", 0.75 if marked else 0.32))
        width, y = (7 if marked else 4), _upright(fader, level, length)
        painter.drawRect(QRectF(middle - 20, y - 0.5, width, 1))
        painter.drawRect(QRectF(middle + 20 - width, y - 0.5, width, 1))


def _paint_zones(painter: QPainter, fader: Fader, middle: float, length: int) -> None:
    for zone in fader.zones:
        top, bottom = _upright(fader, zone.end, length), _upright(fader, zone.start, length)
        painter.setBrush(theme.colour(ZONE_ROLES[zone.kind], 0.6))
        painter.drawRoundedRect(QRectF(middle + 4.5, top + 0.5, 2, max(1.0, bottom - top - 1)), 1, 1)


def _paint_cap(painter: QPainter, fader: Fader, cap: QRectF, ink: QColor) -> None:
    for spread in (3, 2, 1):
        painter.setBrush(theme.colour("shadow", 0.55))
        painter.drawRoundedRect(cap.adjusted(-spread * 0.5, 1, spread * 0.5, spread + 0.5), 5, 5)
    top = theme.colour("cap")
    shade = QLinearGradient(cap.topLeft(), cap.bottomLeft())
    shade.setColorAt(0, top)
    shade.setColorAt(1, top.darker(107))
    focused = fader.hasFocus()
    width = theme.theme().tokens.focus_width if focused else 1.0
    painter.setPen(QPen(ink if focused else theme.colour("cap_line"), width))
    painter.setBrush(shade)
    painter.drawRoundedRect(cap, 4.5, 4.5)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_line_colour(ink))
    middle = cap.center()
    half = cap.width() / 2 - (6 if cap.width() > 24 else 4)
    painter.drawRoundedRect(QRectF(middle - QPointF(half, 1), middle + QPointF(half, 1)), 1, 1)
    if focused:
        halo = QColor(ink)
        halo.setAlphaF(0.28)
        painter.setPen(QPen(halo, 3))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(cap.adjusted(-3, -3, 3, 3), 7, 7)


def _line_colour(ink: QColor) -> QColor:
    # the cap is pale in both themes; the dark theme's pastel channels need darkening to be seen on it
    return ink.darker(165) if theme.is_dark() else ink
