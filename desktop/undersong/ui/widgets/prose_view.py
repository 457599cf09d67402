"""Prose on screen: text that streams in, with the heat of a quality painted under its words."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import (
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCursor,
    QTextLine,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QPushButton, QTextEdit, QToolTip, QWidget

from undersong.ui import theme
from undersong.ui.widgets.build import Margins, button
from undersong.ui.widgets.level_edit import percent
from undersong.ui.widgets.prose_heat import (
    TokenMap,
    paint_caret,
    paint_heat,
    paint_parting,
    paint_tick,
    seen_lines,
    text_height,
)

MEASURE = 68
"""Most characters in a line."""
SAMPLE = "The keeper had counted the steps so often that he no longer counted them."
"""Its mean width per character stands for all prose."""
FIXED = QTextBlockFormat.LineHeightTypes.FixedHeight.value


class ProseView(QTextEdit):
    """Read-only prose made of tokens.

    Owns where each token lies and how hot it is. Scrolled to its end it stays there while text arrives; scrolled up by
    the reader it does not move, and a pill leads back. Emits ``token_clicked`` with a token's number and
    ``following_changed`` when the reader leaves the end or comes back.
    """

    token_clicked = Signal(int)
    following_changed = Signal(bool)

    def __init__(
        self,
        name: str,
        px: int = 17,
        *,
        leading: float = 1.65,
        gap: int = 12,
        margins: Margins = (20, 16, 24, 14),
        tone: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """``leading`` is the line height in font sizes, ``gap`` the pixels after a paragraph."""
        super().__init__(parent)
        self._px, self._leading, self._gap, self._margins = px, leading, gap, margins
        self._tokens = TokenMap()
        self._pieces: list[str] = []
        self._channel = -1
        self._quality = ""
        self._has_caret = False
        self._parting = -1
        self._ticks: set[int] = set()
        self._following = True
        self.setAccessibleName(name)
        if tone:
            self.setProperty("tone", tone)
        self._make_read_only()
        self.document().setDocumentMargin(0)
        self._end = QTextCursor(self.document())
        self.newest = self._make_pill()
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(self._keep_following)
        bar.actionTriggered.connect(lambda _action: self._note_scroll(bar.sliderPosition()))
        self.set_size(px)

    def text(self) -> str:
        """Everything that was appended."""
        return "".join(self._pieces)

    def pieces(self) -> tuple[str, ...]:
        """The tokens' texts."""
        return tuple(self._pieces)

    def is_following(self) -> bool:
        """True while it stays at the newest words."""
        return self._following

    def set_size(self, px: int) -> None:
        """Set the font size in pixels."""
        self._px = px
        self.setFont(theme.prose_font(px))
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.setBlockFormat(self._paragraph())
        self._thin_blank_lines(self.document().begin())
        self._fit_measure()

    def clear_text(self) -> None:
        """Empty it and follow the end again."""
        self.clear()
        self._end = QTextCursor(self.document())
        self._end.setBlockFormat(self._paragraph())
        self._tokens = TokenMap()
        self._pieces = []
        self._parting = -1
        self._ticks.clear()
        self._fit_measure()
        self.follow()

    def append_pieces(self, pieces: Sequence[str], values: Sequence[float] | None = None) -> None:
        """Add tokens at the end, with their heat if it is known."""
        shown = [piece.replace("\r", "") for piece in pieces]
        if values is not None:
            # heat that was not known for earlier tokens counts as none
            self._tokens.values += [0.0] * (len(self._pieces) - len(self._tokens.values)) + list(values)
        self._pieces += shown
        self._tokens.add(shown)
        self._end.movePosition(QTextCursor.MoveOperation.End)
        first = self._end.block()
        self._end.beginEditBlock()
        self._end.insertText("".join(shown))
        self._end.endEditBlock()
        self._thin_blank_lines(first)
        self.viewport().update()

    def set_pieces(self, pieces: Sequence[str], values: Sequence[float] | None = None) -> None:
        """Show other tokens; when they only divide the same text differently, nothing moves."""
        shown = [piece.replace("\r", "") for piece in pieces]
        if "".join(shown) != self.text():
            parting, ticks = self._parting, set(self._ticks)
            self.clear_text()
            self._parting, self._ticks = parting, ticks
            self.append_pieces(shown, values)
            return
        self._pieces = shown
        self._tokens = TokenMap(values=list(values or ()))
        self._tokens.add(shown)
        self.viewport().update()

    def set_heat(self, values: Sequence[float] | None, channel: int = -1, quality: str = "") -> None:
        """Paint heat, a value 0 … 1 for each token, in a channel's colour (-1: of none); ``quality`` is its name."""
        self._tokens.values = list(values or ())
        self._channel, self._quality = channel, quality
        self.viewport().update()

    def set_caret(self, shown: bool) -> None:
        """Show or hide the bar after the newest word."""
        self._has_caret = shown
        # two bars side by side would look like a mistake
        self.setCursorWidth(0 if shown else 1)
        self.viewport().update()

    def set_parting(self, token: int) -> None:
        """Mark the token at which the texts part ways; -1 marks none."""
        self._parting = token
        self.viewport().update()

    def add_tick(self) -> None:
        """Mark in the margin that the mix changed at the newest word."""
        self._ticks.add(max(0, len(self._pieces) - 1))
        self.viewport().update()

    def follow(self) -> None:
        """Go to the newest words and stay there."""
        self._set_following(True)
        self._keep_following()

    def show_start(self) -> None:
        """Go to the first words and stay there."""
        self._following = False
        # Qt goes to the text cursor when a text is first shown
        self.moveCursor(QTextCursor.MoveOperation.Start)
        self.verticalScrollBar().setValue(0)

    def token_at(self, point: QPoint) -> int:
        """The token under a point of the viewport, or -1."""
        for seen in seen_lines(self, QRectF(point.x(), point.y(), 1, 1)):
            if seen.top <= point.y() <= seen.top + seen.line.height():
                left = seen.left + seen.line.x()
                if not left <= point.x() <= left + seen.line.naturalTextWidth():
                    return -1
                x = point.x() - seen.left
                place = seen.line.xToCursor(x, QTextLine.CursorPosition.CursorOnCharacter)
                return self._tokens.at(seen.block.position() + place)
        return -1

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        marks = {self._tokens.starts[token] for token in self._ticks if token < len(self._tokens.starts)}
        parting = self._tokens.starts[self._parting] if 0 <= self._parting < len(self._tokens.starts) else -1
        for seen in seen_lines(self, QRectF(event.rect())):
            if self._tokens.values:
                paint_heat(painter, seen, self._tokens, self._channel, self._px)
            if seen.start <= parting < seen.end:
                paint_parting(painter, seen, self._first_letter(parting), self._px)
            if marks and any(seen.start <= mark <= seen.end for mark in marks):
                paint_tick(painter, seen, self._px)
        if self._has_caret:
            self._end.movePosition(QTextCursor.MoveOperation.End)
            where = self.cursorRect(self._end)
            paint_caret(painter, where.left(), where.bottom() - text_height(self._px), self._px)
        painter.end()
        super().paintEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            token = self.token_at(event.pos())
            QToolTip.showText(event.globalPos(), self._tip(token), self)
            return True
        return super().viewportEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        self._note_scroll(self.verticalScrollBar().value())
        if event.button() == Qt.MouseButton.LeftButton and not self.textCursor().hasSelection():
            token = self.token_at(event.position().toPoint())
            if token >= 0:
                self.token_clicked.emit(token)

    def wheelEvent(self, event: QWheelEvent) -> None:
        super().wheelEvent(event)
        self._note_scroll(self.verticalScrollBar().value())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        self._note_scroll(self.verticalScrollBar().value())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_measure()
        self._keep_following()
        size = self.newest.sizeHint()
        self.newest.setGeometry(
            (self.width() - size.width()) // 2, self.height() - size.height() - 8, size.width(), size.height()
        )

    def _make_read_only(self) -> None:
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )

    def _make_pill(self) -> QPushButton:
        made = button(self.tr("Newest"), icon="arrow-down", kind="line", on_click=self.follow)
        made.setToolTip(self.tr("Back to the newest words"))
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        made.setParent(self)
        made.hide()
        return made

    def _tip(self, token: int) -> str:
        heat = self._tokens.heat(token) if token >= 0 else 0.0
        if not self._quality or heat <= 0:
            return ""
        word, share = self._pieces[token].strip(), percent(heat, signed=False)
        return self.tr("“{word}”: {quality}, {share}").format(word=word, quality=self._quality, share=share)

    def _first_letter(self, place: int) -> int:
        return place + 1 if self.document().characterAt(place) == " " else place

    def _note_scroll(self, value: int) -> None:
        self._set_following(value >= self.verticalScrollBar().maximum() - 2)

    def _set_following(self, following: bool) -> None:
        if following != self._following:
            self._following = following
            self.newest.setVisible(not following)
            self.following_changed.emit(following)

    def _keep_following(self) -> None:
        # the document is laid out lazily, so the end moves after the text came; only the reader lets go of it
        if self._following:
            bar = self.verticalScrollBar()
            bar.setValue(bar.maximum())

    def _paragraph(self) -> QTextBlockFormat:
        # proportional line height is far too loose on Literata
        made = QTextBlockFormat()
        made.setLineHeight(round(self._px * self._leading), FIXED)
        made.setBottomMargin(self._gap)
        return made

    def _thin_blank_lines(self, block: QTextBlock) -> None:
        """Let empty lines between paragraphs take no room: the gap after a paragraph is enough."""
        blank = QTextBlockFormat()
        blank.setLineHeight(1, FIXED)
        while block.isValid() and block.next().isValid():
            if block.length() == 1 and block.blockFormat().lineHeight() != 1:
                QTextCursor(block).setBlockFormat(blank)
            block = block.next()

    def _fit_measure(self) -> None:
        """Widen the right margin until no line has more than MEASURE characters."""
        left, top, right, bottom = self._margins
        widest = QFontMetricsF(self.font()).horizontalAdvance(SAMPLE) / len(SAMPLE) * MEASURE
        frame = self.document().rootFrame().frameFormat()
        frame.setLeftMargin(left)
        frame.setTopMargin(top)
        frame.setRightMargin(max(right, self.viewport().width() - left - widest))
        frame.setBottomMargin(bottom)
        if frame != self.document().rootFrame().frameFormat():
            self.document().rootFrame().setFrameFormat(frame)
