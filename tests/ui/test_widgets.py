"""The smaller widgets: labels, meters, chips, banners, notices."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.dressed import dress, nameless
from undersong.ui import theme
from undersong.ui.widgets.banner import Banner, Toast
from undersong.ui.widgets.build import button, column, icon_button, key_button, row
from undersong.ui.widgets.chip import ModelChip, filter_chip
from undersong.ui.widgets.elided_label import ElidedLabel
from undersong.ui.widgets.meter import Meter


@pytest.fixture(autouse=True)
def _dressed(qapp: QApplication) -> None:
    dress(qapp)


def picture(qtbot: QtBot, widget: QWidget) -> QImage:
    """A widget as it is painted now."""
    qtbot.addWidget(widget)
    return widget.grab().toImage()


def test_a_long_name_is_clamped_and_said_in_full(qtbot: QtBot) -> None:
    label = ElidedLabel("Waiting for someone who is late and later still", lines=2)
    label.resize(97, 40)
    picture(qtbot, label)
    shown = label.shown_lines()
    assert len(shown) == 2
    assert shown[1].endswith("…")
    assert label.toolTip() == label.accessibleName() == label.text()
    label.set_text("Rain")
    label.grab()
    assert label.shown_lines() == ["Rain"]
    assert label.toolTip() == ""


def test_a_meter_shows_level_and_lets_its_peak_sink(qtbot: QtBot) -> None:
    meter = Meter()
    meter.resize(6, 120)
    dark = picture(qtbot, meter)
    meter.set_level(1.4)
    assert (meter.level, meter.peak) == (1.0, 1.0)
    assert meter.grab().toImage() != dark
    meter.set_level(0.2)
    assert 0.2 < meter.peak < 1.0
    meter.reset()
    assert meter.grab().toImage() == dark


def test_the_model_chip_says_its_state_in_words(qtbot: QtBot) -> None:
    chip = ModelChip()
    chip.show_state("Starter · ready", "ok", "Loaded")
    ready = picture(qtbot, chip)
    assert "Starter · ready" in chip.accessibleName()
    chip.show_state("Loading 62%", "warn", progress=0.62)
    assert chip.sizeHint().width() > chip.fontMetrics().horizontalAdvance("Loading 62%")
    assert chip.grab().toImage() != ready
    with qtbot.waitSignal(chip.clicked):
        QTest.keyClick(chip, Qt.Key.Key_Space)


def test_a_banner_offers_what_to_do_next(qtbot: QtBot) -> None:
    banner = Banner()
    qtbot.addWidget(banner)
    done: list[str] = []
    banner.say("The model stopped.", "Your text is safe.", "Traceback …")
    banner.add_action("Restart the model", lambda: done.append("restart"), kind="primary")
    assert banner.isVisible()
    assert nameless(banner) == []
    details = banner.findChild(QPlainTextEdit)
    assert details is not None
    assert not details.isVisible()
    more = next(b for b in banner.findChildren(QPushButton) if b.accessibleName() == "Details")
    QTest.mouseClick(more, Qt.MouseButton.LeftButton)
    assert details.isVisible()
    restart = next(b for b in banner.findChildren(QPushButton) if "Restart" in b.text())
    QTest.mouseClick(restart, Qt.MouseButton.LeftButton)
    assert done == ["restart"]
    banner.say("Something else.", kind="warning")
    assert not more.isVisible()
    qtbot.waitUntil(lambda: not [b for b in banner.findChildren(QPushButton) if "Restart" in b.text()])


def test_a_notice_stays_inside_and_never_takes_the_focus(qtbot: QtBot) -> None:
    window = QWidget()
    window.resize(400, 300)
    qtbot.addWidget(window)
    window.show()
    toast = Toast(window)
    toast.say("Copied 109 words")
    assert toast.isVisible()
    assert abs(toast.geometry().center().x() - window.rect().center().x()) <= 1
    toast.say("A sentence that is far too long for the window it stands in and must go over several lines. " * 2)
    assert window.rect().contains(toast.geometry())
    window.resize(700, 300)
    assert window.rect().contains(toast.geometry())
    assert toast.focusPolicy() == Qt.FocusPolicy.NoFocus


def test_built_controls_have_names_and_tips(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    pressed: list[int] = []
    made = [
        button("Generate", icon="play", kind="primary", tip="Ctrl+Enter", on_click=lambda: pressed.append(1)),
        icon_button("copy", "Copy the text", tip="Copy the text  (Ctrl+C)"),
        key_button("M", "Mute rain"),
        filter_chip("All", "Everything"),
    ]
    window.setLayout(column(row(*made, None, 4), 2, None))
    window.show()
    assert nameless(window) == []
    assert [control.accessibleName() for control in made] == ["Generate", "Copy the text", "Mute rain", "All"]
    QTest.mouseClick(made[0], Qt.MouseButton.LeftButton)
    assert pressed == [1]


def test_every_widget_looks_different_in_the_dark(qtbot: QtBot, qapp: QApplication) -> None:
    widgets: list[QWidget] = [Meter(), ModelChip(), ElidedLabel("Rain")]
    for widget in widgets:
        widget.resize(80, 40)
    light = [picture(qtbot, widget) for widget in widgets]
    theme.apply(qapp, "dark")
    dark = [widget.grab().toImage() for widget in widgets]
    assert all(a != b for a, b in zip(light, dark, strict=True))
