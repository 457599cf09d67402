"""Themes: contrast, switching, icons."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFontDatabase, QIcon, QPalette, QPixmap
from PySide6.QtWidgets import QApplication, QLabel, QToolButton
from pytestqt.qtbot import QtBot

from tests.ui.dressed import dress
from undersong.core.paths import resource
from undersong.ui import theme

NAMES = ("light", "dark", "high_contrast_light", "high_contrast_dark")
TEXT = ("ink", "ink2", "ink3", "accent", "less", "ok", "warn", "err")
GROUNDS = ("page", "panel", "desk")


def luminance(colour: QColor) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = (colour.redF(), colour.greenF(), colour.blueF())
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: QColor, other: QColor) -> float:
    """Contrast ratio as WCAG 2 defines it."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def over(top: QColor, ground: QColor) -> QColor:
    """What is seen of a translucent colour on a ground."""
    share = top.alphaF()
    return QColor.fromRgbF(
        top.redF() * share + ground.redF() * (1 - share),
        top.greenF() * share + ground.greenF() * (1 - share),
        top.blueF() * share + ground.blueF() * (1 - share),
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_text_can_be_read_on_every_ground(name: str) -> None:
    colours = theme.read_tokens(name).colours
    pairs = [(text, ground) for text in TEXT for ground in GROUNDS]
    pairs += [("accent_ink", "accent"), ("ink", "err_soft"), ("ink2", "err_soft"), ("page", "ink"), ("ink2", "hover")]
    weak = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in pairs}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("name", NAMES)
def test_channels_can_be_told_from_the_ground(name: str) -> None:
    tokens = theme.read_tokens(name)
    assert len(tokens.channels) == 8
    assert all(contrast(channel, tokens.colours["page"]) >= 4.5 for channel in tokens.channels)


def test_all_themes_have_the_same_roles() -> None:
    roles = [set(theme.read_tokens(name).colours) for name in NAMES]
    assert all(others == roles[0] for others in roles)


def test_words_on_a_highlight_can_be_read(qapp: QApplication) -> None:
    for scheme in ("light", "dark"):
        dress(qapp, scheme)
        for channel in range(-1, 8):
            ground = over(theme.heat_colour(channel, 1.0), theme.colour("page"))
            assert contrast(theme.colour("ink"), ground) >= 4.5, (scheme, channel)


def test_switching_restyles_what_is_on_screen(qtbot: QtBot, qapp: QApplication) -> None:
    dress(qapp, "light")
    label = QLabel("words")
    qtbot.addWidget(label)
    label.show()
    light = label.grab().toImage()
    with qtbot.waitSignal(theme.theme().changed):
        theme.apply(qapp, "dark")
    assert theme.is_dark()
    assert qapp.palette().color(QPalette.ColorRole.Base) == theme.colour("page")
    assert label.grab().toImage() != light
    theme.apply(qapp, "system")
    assert not theme.is_dark()


def test_an_icon_follows_the_theme_and_says_when_it_is_disabled(qtbot: QtBot, qapp: QApplication) -> None:
    dress(qapp, "light")
    button = QToolButton()
    qtbot.addWidget(button)
    button.setIcon(theme.icon("search", "ink", checked_role="accent"))
    light = button.icon().pixmap(QSize(16, 16)).toImage()
    assert light != button.icon().pixmap(QSize(16, 16), QIcon.Mode.Disabled).toImage()
    assert light != button.icon().pixmap(QSize(16, 16), QIcon.Mode.Normal, QIcon.State.On).toImage()
    theme.apply(qapp, "dark")
    assert button.icon().pixmap(QSize(16, 16)).toImage() != light


def test_icons_are_sharp_on_dense_screens(qapp: QApplication) -> None:
    dress(qapp)
    drawn = theme.icon("search").pixmap(QSize(16, 16), 2.0)
    assert (drawn.width(), drawn.devicePixelRatio()) == (32, 2.0)


def test_every_icon_can_be_drawn_and_is_credited(qapp: QApplication) -> None:
    names = [path.stem for path in resource("icons").glob("*.svg")]
    blank = QPixmap(16, 16)
    blank.fill(Qt.GlobalColor.transparent)
    empty = [name for name in names if theme.pixmap(name, QColor("black"), 16, 1.0).toImage() == blank.toImage()]
    assert {"search", "plus", "play"} <= set(names)
    assert not empty
    assert resource("icons", "LICENSE-Lucide.txt").exists()


def test_fonts_are_bundled_with_their_licences(qapp: QApplication) -> None:
    theme.load_fonts()
    assert {"Inter", "Literata"} <= set(QFontDatabase.families())
    for family in ("Inter", "Literata"):
        assert "SIL OPEN FONT LICENSE" in resource("fonts", f"OFL-{family}.txt").read_text("utf-8")
