"""The one dialog for what nobody foresaw: it comes after everything was saved."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from undersong.ui import theme
from undersong.ui.dialogs.engine_sheet import versions
from undersong.ui.dialogs.sheet import Sheet
from undersong.ui.widgets.build import button, label


class ProblemSheet(Sheet):
    """Says that something failed inside, that the writing is safe, and what to report."""

    def __init__(self, trace: str, saved: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.set_title(self.tr("Something in Undersong failed"))
        self.resize(640, 420)
        safe = self.tr("Your session was saved; you can go on writing, or close the window and start again.")
        lost = self.tr("Your session could not be saved. Copy your texts before you close the window.")
        self.add(label(safe if saved else lost, wrap=True))
        self.report = QPlainTextEdit(f"{versions()}\n\n{trace}")
        self.report.setReadOnly(True)
        self.report.setFont(theme.ui_font(12))
        self.report.setTabChangesFocus(True)
        self.report.setAccessibleName(self.tr("What to report"))
        self.add(self.report)
        self.foot.addWidget(button(self.tr("Copy this report"), icon="copy", kind="line", on_click=self._copy))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.report.toPlainText())
