"""The rows of the command palette, and how they look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from undersong.ui import theme
from undersong.ui.widgets.build import MEDIUM, SEMIBOLD

Index = QModelIndex | QPersistentModelIndex
ROW, SECTION = 36, 30
PLAIN, CHOSEN = 14, 12


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the palette; without anything to do it is the title of a section."""

    words: str
    """What it says."""
    aside: str = ""
    """Small print after the words."""
    keys: str = ""
    """Its shortcut, at the right end."""
    icon: str = ""
    """Its icon."""
    run: Callable[[], object] | None = None
    """What choosing it does."""


class PaletteRows(QAbstractListModel):
    """The rows that fit what was typed."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Row] = []

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self._rows = list(rows)
        self.endResetModel()

    def at(self, number: int) -> Row | None:
        """A row by its number."""
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own signature
        return 0 if parent.isValid() else len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        row = self.at(index.row())
        if row is None or row.run is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.at(index.row())
        if row is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return row.words
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(part for part in (row.words, row.aside, row.keys) if part)
        if role == Qt.ItemDataRole.UserRole:
            return row
        return None


class PaletteLook(QStyledItemDelegate):
    """Paints a row: icon, words, small print, and the shortcut at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        row: Row = index.data(Qt.ItemDataRole.UserRole)
        return QSize(200, ROW if row.run is not None else SECTION)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: Row = index.data(Qt.ItemDataRole.UserRole)
        area = QRectF(option.rect)  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if row.run is None:
            painter.setFont(theme.ui_font(11, SEMIBOLD))
            painter.setPen(theme.colour("ink3"))
            painter.drawText(area.adjusted(PLAIN, 6, 0, 0), Qt.AlignmentFlag.AlignVCenter, row.words)
            painter.restore()
            return
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)  # type: ignore[attr-defined]
        if chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("hover"))
            painter.drawRoundedRect(area.adjusted(0, 1, 0, -1), 8, 8)
        ink = theme.colour("accent" if chosen else "ink3")
        painter.drawPixmap(round(area.left() + 12), round(area.center().y() - 8), theme.pixmap(row.icon, ink, 16))
        self._paint_words(painter, area.adjusted(42, 0, -14, 0), row)
        painter.restore()

    def _paint_words(self, painter: QPainter, area: QRectF, row: Row) -> None:
        small = theme.ui_font(12, tabular=True)
        painter.setFont(small)
        painter.setPen(theme.colour("ink3"))
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, row.keys)
        keys = QFontMetricsF(small).horizontalAdvance(row.keys)
        font = theme.ui_font(14, MEDIUM)
        room = area.width() - keys - 20
        words = QFontMetricsF(font).elidedText(row.words, Qt.TextElideMode.ElideRight, room)
        painter.setFont(font)
        painter.setPen(theme.colour("ink"))
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, words)
        left = QFontMetricsF(font).horizontalAdvance(words) + 9
        if row.aside and left < room:
            painter.setFont(small)
            painter.setPen(theme.colour("ink3"))
            aside = QFontMetricsF(small).elidedText(row.aside, Qt.TextElideMode.ElideRight, room - left)
            painter.drawText(area.adjusted(left, 1, 0, 0), Qt.AlignmentFlag.AlignVCenter, aside)
