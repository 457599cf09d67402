"""The fader: drags, keys, typed levels, gestures."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.dressed import dress
from undersong.ui.widgets.fader import Fader, Zone
from undersong.ui.widgets.level_edit import LevelEdit, parse_percent, percent

Moves = list[tuple[float, int]]


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication) -> QWidget:
    dress(qapp)
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(300, 300)
    made.show()
    return made


@pytest.fixture
def fader(window: QWidget) -> Fader:
    made = Fader(parent=window)
    made.setGeometry(20, 20, 58, 200)
    made.setAccessibleName("Rain, strength")
    made.show()
    made.setFocus()
    return made


def listen(fader: Fader) -> Moves:
    """Everything the fader says from now on."""
    heard: Moves = []
    fader.level_changed.connect(lambda level, gesture: heard.append((level, gesture)))
    return heard


def drag(fader: Fader, start: QPoint, by: QPoint, steps: int = 4, alt: bool = False) -> None:
    """Drag the mouse over the fader."""
    QTest.mousePress(fader, Qt.MouseButton.LeftButton, pos=start)
    for i in range(1, steps + 1):
        at = QPointF(start + by * (i / steps))
        modifier = Qt.KeyboardModifier.AltModifier if alt else Qt.KeyboardModifier.NoModifier
        move = QMouseEvent(
            QMouseEvent.Type.MouseMove,
            at,
            fader.mapToGlobal(at),
            Qt.MouseButton.NoButton,
            Qt.MouseButton.LeftButton,
            modifier,
        )
        QApplication.sendEvent(fader, move)
    QTest.mouseRelease(fader, Qt.MouseButton.LeftButton, pos=start + by)


def test_a_click_beside_the_cap_moves_nothing(fader: Fader) -> None:
    heard = listen(fader)
    QTest.mouseClick(fader, Qt.MouseButton.LeftButton, pos=QPoint(29, 20))
    assert heard == []
    assert fader.level == 0


def test_a_drag_is_one_gesture_and_moves_with_the_mouse(fader: Fader) -> None:
    heard = listen(fader)
    middle = QPoint(29, 100)
    drag(fader, middle, QPoint(0, -40))
    assert len(heard) > 1
    assert len({gesture for _, gesture in heard}) == 1
    assert abs(fader.point(fader.level) - (fader.point(0) - 40)) <= 1
    drag(fader, middle, QPoint(0, 10))
    assert len({gesture for _, gesture in heard}) == 2


def test_alt_makes_a_drag_fine(fader: Fader) -> None:
    drag(fader, QPoint(29, 100), QPoint(0, -40), alt=True)
    assert 0 < fader.level < 0.1


def test_levels_and_places_are_each_other_s_reverse(fader: Fader) -> None:
    for level in (-2.0, -1.3, -1.0, -0.4, 0.0, 0.7, 1.0, 1.8, 2.0):
        assert fader.level_at(fader.fraction(level)) == pytest.approx(level)
    assert fader.fraction(1.0) - fader.fraction(0.0) > fader.fraction(2.0) - fader.fraction(1.0)


def test_keys(fader: Fader, qtbot: QtBot) -> None:
    heard = listen(fader)
    steps = [
        (Qt.Key.Key_Up, Qt.KeyboardModifier.NoModifier, 0.05),
        (Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier, 0.3),
        (Qt.Key.Key_PageDown, Qt.KeyboardModifier.NoModifier, 0.05),
        (Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier, 2.0),
        (Qt.Key.Key_End, Qt.KeyboardModifier.NoModifier, -2.0),
        (Qt.Key.Key_0, Qt.KeyboardModifier.NoModifier, 0.0),
    ]
    for key, modifier, expected in steps:
        qtbot.keyClick(fader, key, modifier)
        assert fader.level == pytest.approx(expected), key
    assert [level for level, _ in heard] == pytest.approx([expected for *_, expected in steps])
    assert len({gesture for _, gesture in heard}) == 1, "a burst of keys is one gesture"


def test_left_and_right_are_left_to_the_strips(fader: Fader, qtbot: QtBot) -> None:
    qtbot.keyClick(fader, Qt.Key.Key_Right)
    assert fader.level == 0
    lying = Fader(Qt.Orientation.Horizontal, parent=fader.window())
    qtbot.keyClick(lying, Qt.Key.Key_Right)
    assert lying.level == pytest.approx(0.05)


def test_a_double_click_is_rest(fader: Fader) -> None:
    fader.set_level(1.2)
    QTest.mouseDClick(fader, Qt.MouseButton.LeftButton, pos=QPoint(29, 100))
    assert fader.level == 0


def test_set_level_says_nothing(fader: Fader) -> None:
    heard = listen(fader)
    fader.set_level(1.5)
    assert fader.level == 1.5
    assert heard == []


@pytest.mark.parametrize(
    ("typed", "level"), [("75", 0.75), ("-30", -0.3), ("+12.4", 0.12), ("150 %", 1.5), ("999", 2.0)]
)
def test_typing_a_level(fader: Fader, qtbot: QtBot, typed: str, level: float) -> None:
    qtbot.keyClick(fader, typed[0])
    edit = fader.window().findChild(LevelEdit)
    assert edit is not None
    assert edit.text() == typed[0]
    qtbot.keyClicks(edit, typed[1:])
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert fader.level == pytest.approx(level)
    qtbot.waitUntil(lambda: fader.window().findChild(LevelEdit) is None)


def test_escape_and_nonsense_change_nothing(fader: Fader, qtbot: QtBot) -> None:
    fader.set_level(0.4)
    fader.begin_typing()
    edit = fader.window().findChild(LevelEdit)
    assert edit is not None
    assert edit.selectedText() == "+40%"
    qtbot.keyClicks(edit, "loud")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert edit.isVisible(), "it waits for a number"
    qtbot.keyClick(edit, Qt.Key.Key_Escape)
    assert fader.level == 0.4
    assert not edit.isVisible()


def test_the_wheel_moves_only_a_focused_fader(fader: Fader, window: QWidget) -> None:
    def turn() -> None:
        at = QPointF(29, 100)
        wheel = QWheelEvent(
            at,
            fader.mapToGlobal(at),
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(fader, wheel)

    window.activateWindow()
    fader.setFocus()
    assert fader.hasFocus()
    turn()
    assert fader.level == pytest.approx(0.05)
    fader.clearFocus()
    turn()
    assert fader.level == pytest.approx(0.05)


def test_a_locked_fader_keeps_its_level_and_its_focus(fader: Fader, qtbot: QtBot) -> None:
    fader.set_level(0.5)
    fader.set_locked(True)
    qtbot.keyClick(fader, Qt.Key.Key_Up)
    qtbot.keyClick(fader, "7")
    drag(fader, QPoint(29, 100), QPoint(0, -30))
    assert fader.level == 0.5
    assert fader.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_a_screen_reader_sees_a_slider_and_can_move_it(fader: Fader) -> None:
    heard = listen(fader)
    spoken = QAccessible.queryAccessibleInterface(fader)
    assert spoken.role() == QAccessible.Role.Slider
    assert spoken.text(QAccessible.Text.Name) == "Rain, strength"
    spoken.valueInterface().setCurrentValue(60)
    assert [level for level, _ in heard] == [0.6]


def test_zones_are_painted(fader: Fader) -> None:
    before = fader.grab().toImage()
    fader.set_zones([Zone(0.0, 0.7, "safe"), Zone(0.7, 1.0, "strong"), Zone(1.0, 2.0, "breaks")])
    assert fader.grab().toImage() != before


def test_percent_is_read_as_it_is_written() -> None:
    for level in (-2.0, -0.05, 0.0, 0.7, 2.0):
        assert parse_percent(percent(level)) == pytest.approx(level)
    assert percent(0.7) == "+70%"
    assert percent(1.0, signed=False) == "100%"
    assert parse_percent("12,5") == pytest.approx(0.125)
    assert parse_percent("much") is None
