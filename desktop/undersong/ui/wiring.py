"""Who hears whom: every connection between the window's parts, in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog

from undersong.core.settings import Settings
from undersong.ui import theme
from undersong.ui.actions import CHANNEL_KEYS
from undersong.ui.dialogs.about_sheet import AboutSheet
from undersong.ui.dialogs.choose_model import ask_for_model
from undersong.ui.dialogs.engine_sheet import EngineSheet
from undersong.ui.dialogs.settings_sheet import LEAST_SIZE, MOST_SIZE, SettingsSheet
from undersong.ui.dialogs.shortcuts_sheet import ShortcutsSheet
from undersong.ui.session import EngineState, Failure

if TYPE_CHECKING:
    from undersong.ui.window import Window

NUDGE = 0.05
"""How far one nudge moves every fader: five per cent."""


class Wiring(QObject):
    """Connects actions, panels and session of one window, and keeps the actions' state true."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._session = window.session
        self._actions = window.actions_
        self._saving_failed = ""
        self._connect_actions()
        self._connect_parts()
        self._refresh()
        self._check_theme()

    def _connect_parts(self) -> None:
        window, session = self._window, self._session
        session.failure_changed.connect(self._show_failure)
        session.notice_arrived.connect(window.toast.say)
        session.saved_changed.connect(self._show_saving)
        session.title_changed.connect(window.show_title)
        session.settings_changed.connect(self._on_settings)
        theme.theme().changed.connect(session.theme_changed)
        window.mixer.search_requested.connect(window.find_quality)
        window.first_run.begin_requested.connect(window.begin)
        window.first_run.folder_requested.connect(self._open_model)
        for changed in (session.state_changed, session.mix_changed, session.takes_changed, session.heat_changed):
            changed.connect(self._refresh)
        session.undo.indexChanged.connect(lambda _index: self._refresh())

    def _connect_actions(self) -> None:
        window, session = self._window, self._session
        on: dict[str, Callable[[], object]] = {
            "open_text": self._open_text,
            "open_model": self._open_model,
            "use_starter": session.load_starter,
            "restart_engine": session.retry_engine,
            "settings": lambda: self._open(SettingsSheet(session, window)),
            "quit": window.close,
            "undo": session.undo.undo,
            "redo": session.undo.redo,
            "copy_mix": window.panes.mix.copy_text,
            "copy_base": window.panes.base.copy_text,
            "find": window.find_quality,
            "palette": window.palette_.open,
            "sidebar": lambda: window.show_sidebar(not window.sidebar_shown),
            "mixer": lambda: window.show_mixer(window.mixer.isHidden()),
            "plain": lambda: window.panes.show_plain(not window.panes.plain_shown),
            "heat": session.toggle_heat,
            "link_panes": lambda: session.set_link_panes(not session.link_panes),
            "next_region": lambda: window.step_region(1),
            "previous_region": lambda: window.step_region(-1),
            "full_screen": self._full_screen,
            "shortcuts": lambda: self._open(ShortcutsSheet(self._actions, window)),
            "engine": lambda: self._open(EngineSheet(session, window)),
            "about": lambda: self._open(AboutSheet(window)),
        }
        on |= self._mix_actions() | self._look_actions()
        for name, act in on.items():
            self._actions[name].triggered.connect(lambda _checked=False, act=act: (act(), self._refresh()))

    def _mix_actions(self) -> dict[str, Callable[[], object]]:
        session = self._session
        on: dict[str, Callable[[], object]] = {
            "generate": session.generate,
            "stop": session.stop,
            "resume": session.resume,
            "another": session.another_take,
            "keep": session.keep_take,
            "previous_take": lambda: session.show_take(-1),
            "next_take": lambda: session.show_take(1),
            "add_quality": session.add_from_card,
            "compare": lambda: session.swap_compare("B" if session.which == "A" else "A"),
            "nudge_up": lambda: session.nudge_all(NUDGE),
            "nudge_down": lambda: session.nudge_all(-NUDGE),
            "zero_all": session.zero_all,
            "clear_mix": session.clear_mix,
            "channel_left": lambda: session.move(session.focused, session.focused - 1),
            "channel_right": lambda: session.move(session.focused, session.focused + 1),
        }
        for number in range(1, CHANNEL_KEYS + 1):
            on[f"channel_{number}"] = lambda number=number: self._window.mixer.focus_strip(number - 1)
        return on

    def _look_actions(self) -> dict[str, Callable[[], object]]:
        session = self._session

        def size(by: int) -> None:
            now = session.settings.prose_size
            session.set_settings(prose_size=min(MOST_SIZE, max(LEAST_SIZE, now + by)))

        return {
            "larger": lambda: size(1),
            "smaller": lambda: size(-1),
            "normal_size": lambda: session.set_settings(prose_size=Settings().prose_size),
            "theme_system": lambda: session.set_settings(theme="system"),
            "theme_light": lambda: session.set_settings(theme="light"),
            "theme_dark": lambda: session.set_settings(theme="dark"),
        }

    def _refresh(self) -> None:
        """Make enabled and checked what is possible and true now."""
        for name, on in self._possible().items():
            self._actions[name].setEnabled(on)
            if name.startswith("channel_") and name[-1].isdigit():
                self._actions[name].setVisible(on)
        window, session, take = self._window, self._session, self._session.take
        checked = {
            "keep": take is not None and take.kept,
            "sidebar": window.sidebar_shown,
            "mixer": not window.mixer.isHidden(),
            "plain": window.panes.plain_shown,
            "heat": session.heat_shown,
            "link_panes": session.link_panes,
            "full_screen": window.isFullScreen(),
        }
        for name, on in checked.items():
            self._actions[name].setChecked(on)

    def _possible(self) -> dict[str, bool]:
        session, faders = self._session, self._session.mix.faders
        ready, streaming = session.state is EngineState.READY, session.state is EngineState.STREAMING
        number, take = session.take_number, session.take
        possible = {
            "generate": ready,
            "stop": streaming,
            "resume": ready and session.can_resume,
            "another": ready or streaming,
            "keep": take is not None and not streaming,
            "previous_take": number > 1 and not streaming,
            "next_take": number < len(session.takes) and not streaming,
            "use_starter": not session.uses_starter or session.state is EngineState.NO_MODEL,
            "undo": session.undo.canUndo(),
            "redo": session.undo.canRedo(),
            "add_quality": session.card is not None and session.position_of(session.card.feature) < 0,
            "zero_all": any(fader.level for fader in faders),
            "channel_left": session.focused > 0,
            "channel_right": 0 <= session.focused < len(faders) - 1,
        }
        possible |= dict.fromkeys(("copy_mix", "copy_base"), take is not None)
        possible |= dict.fromkeys(("nudge_up", "nudge_down", "clear_mix"), bool(faders))
        return possible | {f"channel_{n}": n <= len(faders) for n in range(1, CHANNEL_KEYS + 1)}

    def _on_settings(self) -> None:
        application, scheme = QApplication.instance(), self._session.settings.theme
        if isinstance(application, QApplication) and theme.theme().scheme != scheme:
            theme.apply(application, scheme)
        self._check_theme()

    def _check_theme(self) -> None:
        self._actions[f"theme_{self._session.settings.theme}"].setChecked(True)

    def _show_saving(self) -> None:
        problem = self._session.autosave.problem
        if problem and problem != self._saving_failed:
            self._window.toast.say(problem)
        self._saving_failed = problem

    def _show_failure(self, failure: Failure | None) -> None:
        banner, session = self._window.banner, self._session
        if failure is None:
            banner.hide()
            return
        banner.say(failure.message, failure.advice, failure.detail)
        if failure.kind == "crashed":
            if failure.can_continue:
                act, words = session.restart_and_continue, self.tr("Restart and continue")
            else:
                act, words = session.retry_engine, self.tr("Restart the engine")
            banner.add_action(words, act, icon="rotate-ccw", kind="primary")
        elif failure.kind == "load":
            banner.add_action(self.tr("Open a model folder…"), self._open_model, icon="folder-open")
            if not session.uses_starter:
                banner.add_action(self.tr("Use the starter"), session.load_starter)
            banner.add_action(self.tr("Try again"), session.retry_engine, icon="rotate-ccw", kind="primary")
        else:
            banner.add_action(self.tr("Close"), session.dismiss_failure, icon="x")
        self._window.pages.setCurrentWidget(self._window.level)

    def _open_text(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self._window, self.tr("A text as the opening"), "", self.tr("Texts (*.txt *.md *.markdown *.text)")
        )
        if path:
            self._window.begin()
            self._window.opening.edit.load_file(Path(path))

    def _open_model(self) -> None:
        choice = ask_for_model(self._window)
        if choice is not None:
            self._window.begin()
            self._session.load_model(choice)

    def _full_screen(self) -> None:
        window = self._window
        window.showNormal() if window.isFullScreen() else window.showFullScreen()

    def _open(self, dialog: QDialog) -> None:
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
