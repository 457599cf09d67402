"""Every action once: no shortcut twice, words and tips for all; what they do; the palette and the dialogs."""

from __future__ import annotations

from collections import Counter

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.conftest import MakeWindow
from tests.ui.dressed import nameless
from undersong.ui.actions import Actions
from undersong.ui.dialogs.about_sheet import AboutSheet
from undersong.ui.dialogs.engine_sheet import EngineSheet
from undersong.ui.dialogs.palette import fits
from undersong.ui.dialogs.problem_sheet import ProblemSheet
from undersong.ui.dialogs.settings_sheet import SettingsSheet
from undersong.ui.dialogs.shortcuts_sheet import ShortcutsSheet
from undersong.ui.page.popovers import Popover, SamplingPopover, SeedPopover
from undersong.ui.session import Session
from undersong.ui.window import Window

# The screenless platform says so whenever a second window opens
second_windows = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)


def test_no_shortcut_stands_for_two_actions(qtbot: QtBot) -> None:
    holder = QWidget()
    qtbot.addWidget(holder)
    keys = Counter(keys.toString() for action in Actions(holder).all() for keys in action.shortcuts())
    assert not [key for key, count in keys.items() if count > 1]


def test_every_action_has_words_and_does_something(qtbot: QtBot) -> None:
    window = Window(Session())
    qtbot.addWidget(window)
    for action in window.actions_.all():
        assert action.iconText().strip()
        assert action.toolTip().strip()
        assert action.receivers("2triggered(bool)") >= 1, action.objectName()


def test_actions_are_enabled_when_they_can_act(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    actions = window.actions_
    assert actions["generate"].isEnabled()
    assert not actions["undo"].isEnabled()
    window.session.add_feature(0, "the sea")
    window.session.add_feature(1, "someone about to cry")
    assert actions["undo"].isEnabled()
    assert actions["channel_2"].isEnabled()
    assert not actions["channel_3"].isEnabled()
    actions["channel_left"].trigger()
    assert window.session.mix.faders[0].label == "someone about to cry"
    actions["nudge_down"].trigger()
    assert window.session.mix.faders[0].level == 0.55
    actions["compare"].trigger()
    assert window.session.which == "B"
    actions["clear_mix"].trigger()
    actions["undo"].trigger()
    assert len(window.session.mix.faders) == 2


def test_the_writings_size_follows_the_keys(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    size = window.panes.mix.view.font().pixelSize()
    window.actions_["larger"].trigger()
    assert window.panes.mix.view.font().pixelSize() == size + 1
    assert window.opening.edit.font().pixelSize() == size + 1
    window.actions_["normal_size"].trigger()
    assert window.panes.mix.view.font().pixelSize() == size


def test_the_palette_finds_qualities_and_commands(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    palette = window.palette_
    qtbot.keyClick(window, "k", Qt.KeyboardModifier.ControlModifier)
    assert palette.isVisible()
    qtbot.keyClicks(palette.field, "anger")
    qtbot.waitUntil(lambda: palette.rows.at(1) is not None)
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert not palette.isVisible()
    assert window.session.mix.faders[0].label == "anger rising"
    palette.open()
    qtbot.keyClicks(palette.field, "compare a")
    qtbot.keyClick(palette.field, Qt.Key.Key_Down)
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert window.session.which == "B"
    palette.open()
    qtbot.keyClick(palette.field, Qt.Key.Key_Escape)
    assert not palette.isVisible()


def test_the_palette_fits_by_beginnings_of_words() -> None:
    assert fits("mix com", "Compare mix A with mix B")
    assert fits("", "anything")
    assert not fits("pare", "Compare mix A with mix B")


@second_windows
def test_dialogs_open_name_their_controls_and_close(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    for name, kind in (
        ("settings", SettingsSheet),
        ("shortcuts", ShortcutsSheet),
        ("engine", EngineSheet),
        ("about", AboutSheet),
    ):
        window.actions_[name].trigger()
        (dialog,) = window.findChildren(kind)
        assert isinstance(dialog, QDialog)
        assert dialog.isVisible()
        assert nameless(dialog) == []
        with qtbot.waitSignal(dialog.destroyed):
            qtbot.keyClick(dialog, Qt.Key.Key_Escape)


@second_windows
def test_the_engine_sheet_tells_and_copies(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    sheet = EngineSheet(window.session, window)
    words = [label.text() for label in sheet.findChildren(QLabel)]
    assert "The zero check passed." in words
    sheet.foot.itemAt(0).widget().click()  # type: ignore[attr-defined]
    assert "fake-sae" not in QGuiApplication.clipboard().text()
    assert "The cache check passed." in QGuiApplication.clipboard().text()


@second_windows
def test_settings_act_at_once(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    sheet = SettingsSheet(window.session, window)
    sheet.prose.setValue(23)
    assert window.panes.base.view.font().pixelSize() == 23
    assert window.session.settings.prose_size == 23


@second_windows
def test_the_popovers_change_the_sampling(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    session = window.session
    seed = SeedPopover(window, session)
    seed.number.setValue(99)
    assert session.sampling.seed == 99
    assert "99" in window.opening.seed.text()
    sampling = SamplingPopover(window, session)
    box = next(box for box in sampling.findChildren(QWidget) if box.accessibleName() == "Min-p")
    box.setValue(0.1)  # type: ignore[attr-defined]
    assert session.sampling.min_p == 0.1
    for popover in (seed, sampling):
        assert isinstance(popover, Popover)
        popover.show_below(window.opening.seed)
        assert nameless(popover) == []
        popover.close()


@second_windows
def test_a_problem_is_reported_with_versions(qtbot: QtBot) -> None:
    sheet = ProblemSheet("Traceback: it broke", saved=True)
    qtbot.addWidget(sheet)
    assert "Traceback: it broke" in sheet.report.toPlainText()
    assert "Undersong" in sheet.report.toPlainText()
