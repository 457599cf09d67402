"""What the window shows before anything was written: that nothing leaves this computer, and what to write with."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from undersong.ui import theme
from undersong.ui.session import EngineState, Session
from undersong.ui.widgets.build import SEMIBOLD, button, column, label, row, surface

WIDTH = 720


class FirstRun(QWidget):
    """A calm page with the bundled starter on it. Emits ``begin_requested`` and ``folder_requested``."""

    begin_requested = Signal()
    folder_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "desk")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._session = session
        self._about = label("", theme.ui_font(13), "ink2", wrap=True)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        self._bar.setAccessibleName(self.tr("Loading the model"))
        self.begin = button(
            self.tr("Start writing"), icon="feather", kind="primary", on_click=self.begin_requested.emit
        )
        self.folder = button(
            self.tr("Open a model folder…"), icon="folder-open", kind="line", on_click=self.folder_requested.emit
        )
        self._lay_out()
        session.state_changed.connect(self._show)
        session.progress_changed.connect(lambda _progress: self._show())
        self._show()

    def _lay_out(self) -> None:
        title = label(self.tr("Choose a model to write with"), theme.prose_font(29, QFont.Weight.Medium))
        private = label(
            self.tr("Everything runs on this computer. Your text never leaves it."), theme.ui_font(14), "ink2"
        )
        steps = label(
            self.tr("Search a quality, push its fader, and read what the model writes with it and without it."),
            theme.ui_font(12),
            "ink3",
        )
        body = QWidget()
        body.setMaximumWidth(WIDTH)
        body.setLayout(column(title, private, 16, self._starter_card(), self._own_card(), 2, steps, gap=12))
        outer = QVBoxLayout(self)
        outer.addStretch(4)
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(body, 100)
        across.addStretch(1)
        outer.addLayout(across)
        outer.addStretch(5)

    def _starter_card(self) -> QFrame:
        card = surface("soft")
        name = label(self.tr("Undersong starter"), theme.ui_font(16, SEMIBOLD))
        words = column(name, self._about, 4, self._bar, gap=4)
        line = row(words, self.begin, gap=24, margins=(22, 16, 18, 16))
        line.setStretchFactor(words, 1)
        card.setLayout(line)
        return card

    def _own_card(self) -> QFrame:
        card = surface("card")
        name = label(self.tr("A model of your own"), theme.ui_font(16, SEMIBOLD))
        about = label(
            self.tr("A folder in Hugging Face form, and a dictionary that was trained on it."),
            theme.ui_font(13),
            "ink2",
            wrap=True,
        )
        words = column(name, about, gap=4)
        line = row(words, self.folder, gap=24, margins=(22, 16, 18, 16))
        line.setStretchFactor(words, 1)
        card.setLayout(line)
        return card

    def _show(self) -> None:
        session = self._session
        busy = session.state in (EngineState.STARTING, EngineState.LOADING)
        where = self.tr("small and quick, on this computer")
        if session.loaded is not None and session.state is EngineState.READY:
            where = self.tr("{0} qualities  ·  ready, on this computer").format(f"{session.loaded.features:,}")
        elif busy and session.progress is not None:
            where = self.tr("{0}…").format(session.progress.stage)
        self._about.setText(where)
        self._bar.setVisible(busy)
        self._bar.setValue(round(1000 * session.progress.fraction) if session.progress else 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter begins, without a ring around the button that most writers want anyway."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.begin_requested.emit()
        else:
            super().keyPressEvent(event)
