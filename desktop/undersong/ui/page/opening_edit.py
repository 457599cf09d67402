"""The field for the writer's opening: plain text that grows from two lines to four and then scrolls."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QSize, Signal
from PySide6.QtGui import QResizeEvent, QTextBlockFormat, QTextCursor
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextEdit

from undersong.ui import theme

MOST_LINES = 4
LEADING = 1.6
MOST_BYTES = 2_000_000
"""A dropped file larger than this is no opening."""
KINDS = (".txt", ".md", ".markdown", ".text")


class OpeningEdit(QTextEdit):
    """Plain text in prose type.

    Signals: ``text_edited(str)`` when the writer changed it; ``notice_arrived(str)`` when something cannot be taken in.
    """

    text_edited = Signal(str)
    notice_arrived = Signal(str)

    def __init__(self, px: int = 17) -> None:
        super().__init__()
        self._px = px
        self._setting = False
        self._fewest = 2
        self.setAcceptRichText(False)
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(self.tr("Your opening"))
        self.setPlaceholderText(self.tr("Write a sentence or two. The model goes on from there."))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(0)
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self._fit())
        self.textChanged.connect(self._on_text)
        self.set_size(px)

    def set_size(self, px: int) -> None:
        """Set the font size in pixels."""
        self._px = px
        self.setFont(theme.prose_font(px))
        self._space_lines()
        self._fit()

    def set_fewest_lines(self, lines: int) -> None:
        """Take the height of so many lines at least; with one it does not grow beyond two."""
        if lines != self._fewest:
            self._fewest = lines
            self._fit()

    def show_text(self, text: str) -> None:
        """Show a text that came from elsewhere; the cursor stays when the text is the same."""
        if text == self.toPlainText():
            return
        self._setting = True
        self.setPlainText(text)
        self._space_lines()
        self.document().clearUndoRedoStacks()
        self.moveCursor(QTextCursor.MoveOperation.End)
        self._setting = False

    def replace_text(self, text: str) -> None:
        """Make ``text`` the opening as if it had been typed: it can be undone."""
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(text)

    def load_file(self, path: Path) -> None:
        """Make a text file the opening; a sentence says why not."""
        try:
            if path.suffix.lower() not in KINDS:
                raise ValueError(self.tr("it is not a text file (.txt or .md)"))
            if path.stat().st_size > MOST_BYTES:
                raise ValueError(self.tr("it is larger than two megabytes"))
            text = path.read_text("utf-8-sig")
        except UnicodeDecodeError:
            self._refuse(path, self.tr("it is not UTF-8 text"))
        except OSError as error:
            self._refuse(path, error.strerror or str(error))
        except ValueError as error:
            self._refuse(path, str(error))
        else:
            self.replace_text(text.strip())

    def sizeHint(self) -> QSize:
        return QSize(200, self._line() * self._fewest)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasUrls() or source.hasText()

    def insertFromMimeData(self, source: QMimeData) -> None:
        files = [Path(url.toLocalFile()) for url in source.urls() if url.isLocalFile()]
        if files:
            self.load_file(files[0])
        elif source.hasText():
            self.insertPlainText(source.text())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _refuse(self, path: Path, why: str) -> None:
        self.notice_arrived.emit(self.tr("“{0}” cannot be the opening: {1}.").format(path.name, why))

    def _on_text(self) -> None:
        if not self._setting:
            self.text_edited.emit(self.toPlainText())

    def _most(self) -> int:
        return MOST_LINES if self._fewest > 1 else 2

    def _line(self) -> int:
        return round(self._px * LEADING)

    def _space_lines(self) -> None:
        spacing = QTextBlockFormat()
        spacing.setLineHeight(self._line(), QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.mergeBlockFormat(spacing)

    def _fit(self) -> None:
        """Take the height of the text, between two lines and four."""
        wanted = round(self.document().size().height())
        height = min(max(wanted, self._fewest * self._line()), self._most() * self._line()) + 2
        if height != self.height() or height != self.minimumHeight():
            self.setFixedHeight(height)
