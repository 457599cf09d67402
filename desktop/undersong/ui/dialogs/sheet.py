"""What every dialog has: a title in prose type, a body, and a button that closes it."""

from __future__ import annotations

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QBoxLayout, QDialog, QLayout, QVBoxLayout, QWidget

from undersong.ui import theme
from undersong.ui.widgets.build import button, label, row


class Sheet(QDialog):
    """A dialog; ``body`` takes its contents, ``foot`` buttons to the left of Close. Esc closes it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = label("", theme.prose_font(22, QFont.Weight.Medium))
        self.body = QVBoxLayout()
        self.body.setSpacing(10)
        self.foot: QBoxLayout = row(gap=8)
        self.close_button = button(self.tr("Close"), kind="line", on_click=self.accept)
        self.close_button.setDefault(True)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(26, 22, 26, 20)
        outer.setSpacing(14)
        outer.addWidget(self._title)
        outer.addLayout(self.body, 1)
        outer.addLayout(row(self.foot, None, self.close_button))

    def set_title(self, title: str) -> None:
        """Say what the dialog is."""
        self.setWindowTitle(title)
        self._title.setText(title)

    def add(self, item: QWidget | QLayout) -> None:
        """Put something below what is there."""
        if isinstance(item, QLayout):
            self.body.addLayout(item)
        else:
            self.body.addWidget(item)
