"""One output pane: whose text it is, the text with its heat, and what there is to say about it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QStackedLayout, QVBoxLayout, QWidget

from undersong.ui import theme
from undersong.ui.widgets.build import SEMIBOLD, icon_button, label, row, rule
from undersong.ui.widgets.elided_label import ElidedLabel
from undersong.ui.widgets.prose_view import ProseView


class PaneCard(QFrame):
    """A card with head, prose and foot; it shows what it is told and knows no session."""

    def __init__(
        self,
        title: str,
        empty: str,
        px: int,
        on_keep: Callable[[], object],
        tone: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self.title = label(title, theme.ui_font(13, SEMIBOLD))
        self.aside = ElidedLabel("", theme.ui_font(12), lines=1, role="ink3")
        self.view = ProseView(title, px, tone=tone)
        self.empty = label(empty, theme.ui_font(13), "ink3", wrap=True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.empty.setContentsMargins(20, 18, 20, 0)
        self.copy = icon_button("copy", self.tr("Copy this text"), on_click=self.copy_text)
        self.keep = icon_button("bookmark", self.tr("Keep this take"), on_click=on_keep)
        self.keep.setCheckable(True)
        self.keep.setIcon(theme.icon("bookmark", "ink2", "accent"))
        self.words = label("", theme.ui_font(12, tabular=True), "ink3")
        self.parting = label("", theme.ui_font(12, tabular=True), "ink3")
        self.speed = label("", theme.ui_font(12, tabular=True), "ink3")
        self.extra = row(gap=0)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        head = row(self.title, self.aside, self.extra, self.copy, self.keep, gap=8, margins=(20, 7, 10, 6))
        head.setStretchFactor(self.aside, 1)
        outer.addLayout(head)
        outer.addWidget(rule())
        self._sheet = QStackedLayout()
        self._sheet.addWidget(self.empty)
        self._sheet.addWidget(self.view)
        outer.addLayout(self._sheet, 1)
        outer.addLayout(row(self.words, None, self.parting, self.speed, gap=16, margins=(20, 8, 20, 9)))

    def show_empty(self, empty: bool) -> None:
        """Show what will appear here instead of a text."""
        self._sheet.setCurrentWidget(self.empty if empty else self.view)

    def copy_text(self) -> None:
        """Put the text on the clipboard."""
        QGuiApplication.clipboard().setText(self.view.text().strip())

    def say_foot(self, words: str, parting: str, speed: str) -> None:
        """Fill the line below the text."""
        self.words.setText(words)
        self.parting.setText(parting)
        self.speed.setText(speed)
