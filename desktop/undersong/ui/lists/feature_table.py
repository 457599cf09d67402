"""The search list: fixed rows painted by hand, quick for any number of qualities."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPen, QPixmap, QPixmapCache
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from undersong.core.features import Hit
from undersong.ui import theme
from undersong.ui.lists.feature_model import CHANNEL_ROLE, HIT_ROLE, FeatureModel
from undersong.ui.lists.wording import how_common, match_percent
from undersong.ui.widgets.build import MEDIUM
from undersong.ui.widgets.sparkline import sparkline_pixmap

ROW = 54
SIDE = 20
SPARK = QSize(50, 24)
PLUS = 18
Index = QModelIndex | QPersistentModelIndex


class FeatureDelegate(QStyledItemDelegate):
    """Paints one quality: name, match, how common, where it showed; a dot when it is in the mix, a plus to add it."""

    add_requested = Signal(int)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        hit, channel = index.data(HIT_ROLE), index.data(CHANNEL_ROLE)
        row = QRectF(option.rect)  # type: ignore[attr-defined]
        state = option.state  # type: ignore[attr-defined]
        selected = bool(state & QStyle.StateFlag.State_Selected)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if selected or hovered:
            focused = selected and bool(state & QStyle.StateFlag.State_HasFocus)
            self._paint_ground(painter, row, selected, focused)
        text_left, text_right = row.left() + SIDE, row.right() - SIDE - SPARK.width() - 14
        self._paint_words(painter, row, text_left, text_right, hit, channel)
        if (selected or hovered) and channel < 0:
            at = self._plus_rect(row).topLeft()
            ratio = painter.device().devicePixelRatioF()
            ink = theme.colour("accent" if selected else "ink3")
            painter.drawPixmap(at, theme.pixmap("plus", ink, PLUS, ratio))
        else:
            self._paint_spark(painter, row, hit, channel)
        painter.restore()

    def editorEvent(self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index) -> bool:
        if event.type() == QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent):
            plus = self._plus_rect(QRectF(option.rect)).adjusted(-8, -8, 8, 8)  # type: ignore[attr-defined]
            if plus.contains(event.position()) and index.data(CHANNEL_ROLE) < 0:
                self.add_requested.emit(index.row())
                return True
        return super().editorEvent(event, model, option, index)

    def _paint_ground(self, painter: QPainter, row: QRectF, selected: bool, focused: bool) -> None:
        line = QPen(theme.colour("ink3" if focused else "line"), 1)
        painter.setPen(line if selected else Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("page" if selected else "hover"))
        painter.drawRoundedRect(row.adjusted(8.5, 1.5, -8.5, -1.5), 8, 8)

    def _paint_words(self, painter: QPainter, row: QRectF, left: float, right: float, hit: Hit, channel: int) -> None:
        indent = 0
        if channel >= 0:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.channel_colour(channel))
            painter.drawEllipse(QPointF(left + 3.5, row.top() + 19), 3.5, 3.5)
            indent = 14
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        font = theme.ui_font(13, MEDIUM)
        painter.setFont(font)
        painter.setPen(theme.colour("ink"))
        width = right - left - indent
        name = QFontMetricsF(font).elidedText(hit.label, Qt.TextElideMode.ElideRight, width)
        painter.drawText(QRectF(left + indent, row.top() + 9, width, 20), middle, name)
        font = theme.ui_font(11, tabular=True)
        painter.setFont(font)
        painter.setPen(theme.colour("ink3"))
        line = QFontMetricsF(font).elidedText(self._second_line(hit), Qt.TextElideMode.ElideRight, right - left + 8)
        painter.drawText(QRectF(left, row.top() + 29, right - left + 8, 16), middle, line)

    def _second_line(self, hit: Hit) -> str:
        parts = [match_percent(hit.match)] if hit.match > 0 else []
        parts.append(how_common(hit.density))
        if not hit.clear:
            parts[-1] = self.tr("name is a guess")
        return "  ·  ".join(parts)

    def _paint_spark(self, painter: QPainter, row: QRectF, hit: Hit, channel: int) -> None:
        if not hit.spark:
            return
        ratio = painter.device().devicePixelRatioF()
        ink = theme.channel_colour(channel) if channel >= 0 else theme.colour("ink3")
        key = f"spark {hash(hit.spark)} {ink.name()} {ratio}"
        drawn = QPixmap()
        if not QPixmapCache.find(key, drawn):
            drawn = sparkline_pixmap(SPARK, hit.spark, ink, ratio)
            QPixmapCache.insert(key, drawn)
        painter.drawPixmap(QPointF(row.right() - SIDE - SPARK.width(), row.top() + 15), drawn)

    def _plus_rect(self, row: QRectF) -> QRectF:
        return QRectF(row.right() - SIDE - PLUS, row.top() + (ROW - PLUS) / 2, PLUS, PLUS)


class FeatureTable(QTableView):
    """Lists qualities; Enter, a double click or the plus asks to add one, typing asks to go on searching.

    Signals: ``feature_chosen(feature)`` when another row is current, ``add_requested(feature)``, and
    ``typed(text)`` with what was typed while the list had the focus (empty for Backspace and Up from the first row).
    """

    feature_chosen = Signal(int)
    add_requested = Signal(int)
    typed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.features = FeatureModel()
        self.features.setParent(self)
        self.setModel(self.features)
        delegate = FeatureDelegate(self)
        delegate.add_requested.connect(self._ask_to_add)
        self.setItemDelegate(delegate)
        self.horizontalHeader().hide()
        self.horizontalHeader().setStretchLastSection(True)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW)
        self.setShowGrid(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Matching qualities"))
        self.doubleClicked.connect(lambda index: self._ask_to_add(index.row()))
        self._is_resetting = False
        self.selectionModel().currentRowChanged.connect(self._on_current)

    def show_hits(self, hits: tuple[Hit, ...]) -> None:
        """Show other qualities; the selected one stays selected if it is still there."""
        chosen = self.features.hit(self.currentIndex().row())
        self._is_resetting = True
        self.features.set_hits(hits)
        self.select_feature(chosen.feature if chosen else -1)
        self._is_resetting = False
        if self.features.row_of(chosen.feature if chosen else -1) < 0:
            self.scrollToTop()

    def select_feature(self, feature: int) -> None:
        """Select a quality without saying so; nothing when it is not in the list."""
        was, self._is_resetting = self._is_resetting, True
        row = self.features.row_of(feature)
        if row >= 0:
            self.setCurrentIndex(self.features.index(row, 0))
        else:
            self.clearSelection()
            self.setCurrentIndex(QModelIndex())
        self._is_resetting = was

    def enter(self) -> None:
        """Take the focus, with the first row chosen if none is."""
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        if not self.currentIndex().isValid() and self.features.rowCount():
            self.setCurrentIndex(self.features.index(0, 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, text = event.key(), event.text()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._ask_to_add(self.currentIndex().row())
        elif key == Qt.Key.Key_Backspace or (key == Qt.Key.Key_Up and self.currentIndex().row() <= 0):
            self.typed.emit("")
        elif text and text.isprintable() and not event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier:
            self.typed.emit(text)
        else:
            super().keyPressEvent(event)

    def _on_current(self, index: QModelIndex) -> None:
        hit = self.features.hit(index.row())
        if hit is not None and not self._is_resetting:
            self.feature_chosen.emit(hit.feature)

    def _ask_to_add(self, row: int) -> None:
        hit = self.features.hit(row)
        if hit is not None:
            self.add_requested.emit(hit.feature)
