"""The line at the top: menus, the story's title and whether it is saved, the model and how it is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QMenuBar,
    QSizePolicy,
    QWidget,
)

from undersong.ui import theme
from undersong.ui.actions import Actions
from undersong.ui.session import EngineState, Session
from undersong.ui.widgets.build import icon_button, label, row
from undersong.ui.widgets.chip import ModelChip

HEIGHT = 48
WIDEST_TITLE = 380


class TitleEdit(QLineEdit):
    """The story's title, as wide as its words; Enter or leaving it sets it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setProperty("kind", "bare")
        self.setFont(theme.prose_font(15, QFont.Weight.Medium))
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setAccessibleName(self.tr("Title of the story"))
        self.setToolTip(self.tr("Title of the story"))
        self.setMaxLength(200)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.textChanged.connect(lambda _text: self._fit())
        self.returnPressed.connect(self.clearFocus)
        self.editingFinished.connect(self._on_finished)
        session.title_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        self.setText(self._session.title)

    def _on_finished(self) -> None:
        self._session.set_title(self.text())
        self._show()

    def _fit(self) -> None:
        words = QFontMetrics(self.font()).horizontalAdvance(self.text() or "Untitled")
        self.setFixedWidth(min(WIDEST_TITLE, words + 30))


class Header(QFrame):
    """Menus, title, model chip and the buttons that concern everything."""

    def __init__(self, session: Session, actions: Actions, window: QWidget) -> None:
        super().__init__()
        self._session = session
        self.setProperty("surface", "panel")
        self.setFixedHeight(HEIGHT)
        self.title = TitleEdit(session)
        self.saved = label("", theme.ui_font(12), "ink3")
        self.chip = ModelChip()
        self.chip.clicked.connect(actions["engine"].trigger)
        self._lay_out(actions, window)
        session.state_changed.connect(self._show_model)
        session.progress_changed.connect(lambda _progress: self._show_model())
        session.saved_changed.connect(self._show_saved)
        session.theme_changed.connect(self._show_theme)
        self._show_model()
        self._show_saved()
        self._show_theme()

    def _lay_out(self, actions: Actions, window: QWidget) -> None:
        bar = QMenuBar()
        bar.setNativeMenuBar(False)
        bar.setFixedHeight(30)
        bar.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        actions.fill(bar, window)
        palette, sidebar = actions["palette"], actions["sidebar"]
        self.sidebar = icon_button(
            "panel-left", self.tr("Search panel"), tip=sidebar.toolTip(), on_click=sidebar.trigger
        )
        self.commands = icon_button("command", self.tr("Commands"), tip=palette.toolTip(), on_click=palette.trigger)
        self.theme = icon_button("moon", self.tr("Switch between light and dark"), on_click=self._switch_theme)
        left = (self.sidebar, bar, None, self.title, self.saved, None)
        self.setLayout(row(*left, self.chip, 4, self.commands, self.theme, gap=4, margins=(8, 0, 12, 0)))

    def offer_sidebar(self, offered: bool) -> None:
        """Show the button for the search panel where the panel is not always there."""
        self.sidebar.setVisible(offered)

    def _switch_theme(self) -> None:
        self._session.set_settings(theme="light" if theme.is_dark() else "dark")

    def _show_theme(self) -> None:
        self.theme.setIcon(theme.icon("sun" if theme.is_dark() else "moon"))

    def _show_saved(self) -> None:
        autosave = self._session.autosave
        self.saved.setText(
            self.tr("Not saved") if autosave.problem else self.tr("Saving…") if autosave.pending else self.tr("Saved")
        )
        self.saved.setToolTip(autosave.problem)
        self.saved.setProperty("tone", "err" if autosave.problem else "ink3")

    def _show_model(self) -> None:
        words, lamp, tip, progress = model_words(self._session)
        self.chip.show_state(words, lamp, tip, progress)


def model_name(session: Session) -> str:
    """What the window calls the loaded or chosen model."""
    if session.uses_starter:
        return session.tr("Undersong starter")
    return session.loaded.model if session.loaded is not None else session.model.model.rstrip("/\\").rsplit("/", 1)[-1]


def model_words(session: Session) -> tuple[str, str, str, float | None]:
    """The chip's words, lamp, tooltip and progress."""
    name, loaded, progress = model_name(session), session.loaded, session.progress
    if session.state is EngineState.STARTING:
        return session.tr("Starting"), "accent", session.tr("The engine is starting"), 0.0
    if session.state is EngineState.LOADING:
        share = progress.fraction if progress else 0.0
        tip = progress.stage if progress else session.tr("Loading the model")
        return session.tr("Loading {0}%").format(round(100 * share)), "accent", tip, share
    if session.state is EngineState.STOPPED:
        return session.tr("{0}  ·  stopped").format(name), "err", session.tr("The engine is not running"), None
    if session.state is EngineState.NO_MODEL or loaded is None:
        return session.tr("No model"), "ink3", session.tr("Nothing is loaded to write with"), None
    failed = [check for check in loaded.checks if not check.passed]
    words = session.tr("{0}  ·  layer {1}  ·  {2}").format(name, loaded.layer, f"{loaded.d_sae:,}")
    tip = failed[0].sentence if failed else session.tr("Every part of the self-test passed")
    return words, "warn" if failed else "ok", tip, None
