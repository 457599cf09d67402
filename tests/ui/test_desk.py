"""The mixing desk: strips, keys, undo, compare, the whole mix."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.dressed import dress, nameless, session
from undersong.core.messages import Finished
from undersong.ui.desk.mixer_panel import MixerPanel
from undersong.ui.desk.strip import Strip
from undersong.ui.session import Session
from undersong.ui.widgets.level_edit import LevelEdit

CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def shown(qapp: QApplication) -> Session:
    dress(qapp)
    return session(4)


@pytest.fixture
def mixer(qtbot: QtBot, shown: Session) -> MixerPanel:
    made = MixerPanel(shown)
    qtbot.addWidget(made)
    made.resize(968, 304)
    made.show()
    made.activateWindow()
    return made


def strip(mixer: MixerPanel, position: int) -> Strip:
    """A strip, with the keyboard on it."""
    mixer.focus_strip(position)
    return mixer.strips.strips()[position]


def labels(shown: Session) -> list[str]:
    """Names of the mix, left to right."""
    return [fader.label for fader in shown.mix.faders]


def test_strips_show_the_mix(mixer: MixerPanel, shown: Session) -> None:
    strips = mixer.strips.strips()
    assert [s.name.text() for s in strips] == labels(shown)
    assert [s.value.text() for s in strips] == ["+80%", "+45%", "−50%", "+20%"]
    assert mixer.name.text() == "Salt and quiet"
    assert mixer.whole.value.text() == "100%"


def test_a_moved_fader_moves_the_mix_as_one_step(mixer: MixerPanel, shown: Session, qtbot: QtBot) -> None:
    fader = strip(mixer, 1).fader
    for _ in range(3):
        qtbot.keyClick(fader, Qt.Key.Key_Up)
    assert shown.mix.faders[1].level == pytest.approx(0.6)
    assert mixer.strips.strips()[1].value.text() == "+60%"
    assert shown.undo.count() == 1
    QTest.mouseClick(mixer.undo, Qt.MouseButton.LeftButton)
    assert fader.level == pytest.approx(0.45)
    assert "Move “Salt, tide and weather”" in mixer.redo.toolTip()


def test_the_value_can_be_typed(mixer: MixerPanel, shown: Session, qtbot: QtBot) -> None:
    QTest.mouseClick(strip(mixer, 0).value, Qt.MouseButton.LeftButton)
    edit = mixer.window().findChild(LevelEdit)
    assert edit is not None
    qtbot.keyClicks(edit, "-120")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert shown.mix.faders[0].level == pytest.approx(-1.2)


def test_letters_act_on_the_strip_that_has_the_focus(mixer: MixerPanel, shown: Session, qtbot: QtBot) -> None:
    qtbot.keyClick(strip(mixer, 1).fader, Qt.Key.Key_M)
    assert shown.mix.faders[1].muted
    assert mixer.strips.strips()[1].mute.isChecked()
    assert mixer.strips.strips()[1].fader.silent
    qtbot.keyClick(strip(mixer, 0).fader, Qt.Key.Key_S)
    assert shown.mix.faders[0].soloed
    assert [s.fader.silent for s in mixer.strips.strips()] == [False, True, True, True]
    qtbot.keyClick(strip(mixer, 2).fader, Qt.Key.Key_Delete)
    assert len(shown.mix.faders) == 3
    assert mixer.strips.strips()[2].fader.hasFocus(), "the focus goes to what took its place"


def test_arrows_go_along_and_take_strips_with_them(mixer: MixerPanel, shown: Session, qtbot: QtBot) -> None:
    first = labels(shown)
    qtbot.keyClick(strip(mixer, 0).fader, Qt.Key.Key_Right)
    assert shown.focused == 1
    fader = mixer.strips.strips()[1].fader
    assert fader.hasFocus()
    qtbot.keyClick(fader, Qt.Key.Key_Right, CTRL_SHIFT)
    assert labels(shown) == [first[0], first[2], first[1], first[3]]
    assert mixer.strips.strips()[2].fader is fader
    assert fader.hasFocus()
    qtbot.waitUntil(lambda: [s.x() for s in mixer.strips.strips()] == [0, 125, 250, 375])


def test_the_row_is_one_stop_for_tab(mixer: MixerPanel, shown: Session) -> None:
    shown.focus_channel(2)
    stops = [s.position for s in mixer.strips.strips() if s.fader.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert stops == [2]


def test_silencing_locks_the_fader_until_it_is_undone(mixer: MixerPanel, shown: Session, qtbot: QtBot) -> None:
    first = strip(mixer, 0)
    choices = [action for action in first.menu().actions() if action.isCheckable()]
    choices[1].trigger()
    assert shown.mix.faders[0].op == "ablate"
    assert first.value.text() == "silenced"
    qtbot.keyClick(first.fader, Qt.Key.Key_Up)
    assert shown.mix.faders[0].level == pytest.approx(0.8)
    QTest.mouseClick(first.value, Qt.MouseButton.LeftButton)
    assert shown.mix.faders[0].op == "add"


def test_the_menu_moves_and_removes(mixer: MixerPanel, shown: Session) -> None:
    first = labels(shown)
    actions = {action.text().split("\t")[0]: action for action in strip(mixer, 0).menu().actions() if action.text()}
    assert not actions["Move left"].isEnabled()
    actions["Move right"].trigger()
    assert labels(shown)[:2] == [first[1], first[0]]
    actions["Remove"].trigger()
    assert first[0] not in labels(shown)


def test_meters_follow_the_text_and_rest_after_it(mixer: MixerPanel, shown: Session) -> None:
    shown.set_muted(1, True)
    shown.levels_arrived.emit({0: 0.7, 1: 0.9, 40: 1.0})
    assert [s.meter.level for s in mixer.strips.strips()] == [0.7, 0.0, 0.0, 0.0]
    shown.stream_finished.emit(Finished(1, ("words",), (3,), 1.0))
    assert mixer.strips.strips()[0].meter.level == 0.0


def test_the_whole_mix_fader(mixer: MixerPanel, shown: Session, qtbot: QtBot) -> None:
    qtbot.keyClick(mixer.whole.fader, Qt.Key.Key_Home)
    assert shown.mix.master == 1.5
    assert mixer.whole.value.text() == "150%"
    qtbot.keyClick(mixer.whole.fader, Qt.Key.Key_0)
    assert shown.mix.master == 1.0


def test_compare_keeps_two_mixes(mixer: MixerPanel, shown: Session) -> None:
    QTest.mouseClick(mixer.sides["B"], Qt.MouseButton.LeftButton)
    assert shown.which == "B"
    shown.remove(0)
    QTest.mouseClick(mixer.sides["A"], Qt.MouseButton.LeftButton)
    assert len(mixer.strips.strips()) == 4
    QTest.mouseClick(mixer.sides["A"], Qt.MouseButton.LeftButton)
    assert mixer.sides["A"].isChecked(), "a second click does not let go of it"


def test_zero_all_can_be_undone(mixer: MixerPanel, shown: Session) -> None:
    QTest.mouseClick(mixer.zero, Qt.MouseButton.LeftButton)
    assert {fader.level for fader in shown.mix.faders} == {0.0}
    assert not mixer.zero.isEnabled()
    QTest.mouseClick(mixer.undo, Qt.MouseButton.LeftButton)
    assert mixer.zero.isEnabled()


def test_the_mix_can_be_renamed(mixer: MixerPanel, shown: Session, qtbot: QtBot) -> None:
    mixer.name.setFocus()
    mixer.name.selectAll()
    qtbot.keyClicks(mixer.name, "Low tide")
    qtbot.keyClick(mixer.name, Qt.Key.Key_Return)
    assert shown.mix.name == "Low tide"
    mixer.name.clear()
    qtbot.keyClick(mixer.name, Qt.Key.Key_Return)
    assert mixer.name.text() == "Low tide"


def test_an_empty_mix_says_how_to_begin(mixer: MixerPanel, shown: Session, qtbot: QtBot) -> None:
    shown.clear_mix()
    add = mixer.strips.add
    assert "Search for something" in add.text()
    with qtbot.waitSignal(mixer.search_requested):
        QTest.mouseClick(add, Qt.MouseButton.LeftButton)
    shown.add_feature(9, "The sea")
    assert "Search for something" not in add.text()
    assert [s.name.text() for s in mixer.strips.strips()] == ["The sea"]


def test_a_drag_survives_what_it_changes(mixer: MixerPanel, shown: Session) -> None:
    fader = strip(mixer, 0).fader
    QTest.mousePress(fader, Qt.MouseButton.LeftButton)
    shown.add_feature(9, "The sea")
    shown.set_level(0, 1.5)
    assert fader.level == pytest.approx(0.8), "a fader in the hand is the hand's"
    QTest.mouseRelease(fader, Qt.MouseButton.LeftButton)
    shown.set_level(0, 1.4)
    assert fader.level == pytest.approx(1.4)


def test_everything_has_a_name(mixer: MixerPanel, shown: Session) -> None:
    assert nameless(mixer) == []
    assert all(s.mute.accessibleName() and s.solo.accessibleName() for s in mixer.strips.strips())
    shown.clear_mix()
    assert nameless(mixer) == []


def test_many_strips_scroll_and_the_new_one_is_in_view(mixer: MixerPanel, shown: Session, qtbot: QtBot) -> None:
    for feature in range(10, 18):
        shown.add_feature(feature, f"Quality {feature}")
    bar = mixer.strips.horizontalScrollBar()
    qtbot.waitUntil(lambda: bar.value() > 0)
    last = mixer.strips.strips()[-1]
    qtbot.waitUntil(lambda: not last.visibleRegion().isEmpty())
    heights = {s.fader.height() for s in mixer.strips.strips()}
    assert heights == {mixer.whole.fader.height()}
