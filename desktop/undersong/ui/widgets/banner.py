"""Sentences laid into the window: a banner that stays until it is dealt with, and a notice that goes by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QFrame, QLabel, QPlainTextEdit, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from undersong.ui import theme
from undersong.ui.widgets.build import SEMIBOLD, button, column, label, row, set_property

NOTICE_MS = 6000
LOOKS = {"error": ("triangle-alert", "err"), "warning": ("triangle-alert", "warn"), "soft": ("info", "accent")}
"""Icon and its colour of each kind of banner."""


class IconLabel(QLabel):
    """An icon on its own, in the colour its role has now."""

    def __init__(self, name: str, role: str, size: int) -> None:
        super().__init__()
        self._name, self._role, self._size = name, role, size
        self.setFixedSize(size, size)
        theme.theme().changed.connect(self._draw)
        self._draw()

    def set_icon(self, name: str, role: str) -> None:
        """Show another icon."""
        self._name, self._role = name, role
        self._draw()

    def _draw(self) -> None:
        self.setPixmap(theme.pixmap(self._name, theme.colour(self._role), self._size, self.devicePixelRatioF()))


class Banner(QFrame):
    """What happened, what is safe, and what to do next; details are folded away.

    Actions are added with ``add_action``; the last one added with ``kind="primary"`` is the one to take.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = IconLabel("triangle-alert", "err", 20)
        self.title = label("", theme.ui_font(14, SEMIBOLD), wrap=True)
        self.sentence = label("", theme.ui_font(13), "ink2", wrap=True)
        self._details = QPlainTextEdit()
        self._details.setReadOnly(True)
        self._details.setAccessibleName(self.tr("Details"))
        self._details.setFont(theme.ui_font(12))
        self._details.setFixedHeight(120)
        self._details.hide()
        self._actions = row(gap=10)
        self._offered: list[QPushButton] = []
        self._more = button(self.tr("Details"), tip=self.tr("Show what the engine said"), on_click=self._toggle_details)
        words = column(self.title, self.sentence, gap=3)
        top = row(self._icon, words, self._more, self._actions, gap=12)
        top.setStretchFactor(words, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(18, 12, 14, 12)
        outer.setSpacing(8)
        outer.addLayout(top)
        outer.addWidget(self._details)
        self.hide()

    def say(
        self, title: str, sentence: str = "", details: str = "", kind: Literal["error", "warning", "soft"] = "error"
    ) -> None:
        """Show the banner, without any actions."""
        while self._offered:
            self._offered.pop().deleteLater()
        self._icon.set_icon(*LOOKS[kind])
        set_property(self, "surface", kind)
        self.title.setText(title)
        self.sentence.setText(sentence)
        self.sentence.setVisible(bool(sentence))
        self._details.setPlainText(details)
        self._details.hide()
        self._more.setVisible(bool(details))
        self.setAccessibleName(title)
        self.show()
        announce(self, f"{title} {sentence}".strip())

    def add_action(
        self, text: str, on_click: Callable[[], object], *, icon: str = "", kind: str = "line", tip: str = ""
    ) -> QPushButton:
        """Add a button at the right end."""
        made = button(text, icon=icon, kind=kind, tip=tip, on_click=on_click)
        self._actions.addWidget(made)
        self._offered.append(made)
        return made

    def _toggle_details(self) -> None:
        self._details.setVisible(not self._details.isVisible())


class Toast(QFrame):
    """One sentence near the bottom of its parent, gone after a few seconds; it never takes the focus."""

    def __init__(self, parent: QWidget, above: int = 16) -> None:
        super().__init__(parent)
        self.setProperty("surface", "toast")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._above = above
        self._latest = ""
        self._words = label("", theme.ui_font(13))
        self._words.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._around = parent
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 9, 14, 9)
        layout.addWidget(self._words)
        self._clock = QTimer(self, singleShot=True, interval=NOTICE_MS)
        self._clock.timeout.connect(self.hide)
        parent.installEventFilter(self)
        self.hide()

    def say(self, sentence: str) -> None:
        """Show a sentence, after the one before if that is still there to be read."""
        before = self._latest if self.isVisible() and self._latest != sentence else ""
        self._latest = sentence
        self._words.setWordWrap(False)
        self._words.setText(f"{before} {sentence}".lstrip())
        self._place()
        self.show()
        self.raise_()
        self._clock.start()
        announce(self, sentence)

    def text(self) -> str:
        """What it says now."""
        return self._words.text()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def _place(self) -> None:
        around = self._around
        widest = max(200, around.width() - 48)
        if self._words.sizeHint().width() + 28 > widest:
            self._words.setWordWrap(True)
            self.setFixedWidth(widest)
        else:
            self.setMinimumWidth(0)
            self.setMaximumWidth(widest)
        self.adjustSize()
        self.move((around.width() - self.width()) // 2, around.height() - self.height() - self._above)


def announce(widget: QWidget, sentence: str) -> None:
    """Let a screen reader say a sentence once."""
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, sentence))
