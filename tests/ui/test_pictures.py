"""Key widgets look as they did: screenshots compared with those in tests/pictures, in both themes.

With the bundled fonts, without hinting and on the pinned Qt the pictures are the same on every machine but for a few
pixels. ``UNDERSONG_PICTURES=new`` in the environment draws them anew; look at them before they are committed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.dressed import card, dress, results, session
from undersong.ui import theme
from undersong.ui.desk.mixer_panel import MixerPanel
from undersong.ui.lists.search_panel import SearchPanel
from undersong.ui.widgets.banner import Banner
from undersong.ui.widgets.build import button, column, icon_button, key_button, label, row, surface
from undersong.ui.widgets.chip import ModelChip, filter_chip
from undersong.ui.widgets.fader import Fader, Zone
from undersong.ui.widgets.meter import Meter
from undersong.ui.widgets.prose_view import ProseView

PICTURES = Path(__file__).resolve().parents[1] / "pictures"
MOST_DIFFERENT = 0.001
"""Share of pixels that may differ."""
DIFFERENT = 16
"""A channel that differs by more makes a pixel different."""
STORY = (
    ("The second time", 0.0),
    (" he carried", 0.5),
    (" nothing", 0.7),
    (". The lamp was lit. ", 0.0),
    ("It had no need of him", 0.9),
    (".\n\n", 0.0),
    ("Her cup was still on the sill. He had", 0.0),
    (" not moved it in the spring and he did", 0.35),
    (" not move it now.", 1.0),
)


def prose(channel: int) -> QWidget:
    """Words with heat, a parting, a tick and the caret."""
    view = ProseView("With the mix")
    view.append_pieces([piece for piece, _ in STORY])
    view.set_heat([heat for _, heat in STORY], channel, "Things left unsaid")
    view.set_parting(2)
    view.add_tick()
    view.set_caret(True)
    frame = surface("card")
    frame.setLayout(column(view))
    frame.resize(480, 220)
    return frame


def faders() -> QWidget:
    """Upright and lying faders, one with zones, one that does not act; meters."""
    made = []
    for channel, level in ((0, 0.8), (1, -0.5), (3, 1.6), (-1, 1.0)):
        fader = Fader() if channel >= 0 else Fader(low=0.0, high=1.5, rest=1.0)
        fader.set_level(level)
        fader.set_look(channel, silent=channel == 3)
        made.append(fader)
    kinds = ("faint", "safe", "strong", "risky", "breaks")
    made[0].set_zones([Zone(i * 0.4, (i + 1) * 0.4, kind) for i, kind in enumerate(kinds)])
    meter = Meter()
    meter.set_channel(0)
    for level in (0.9, 0.5, 0.4):
        meter.set_level(level)
    frame = surface("page")
    frame.setLayout(row(*made, meter, None, margins=(10, 10, 10, 10)))
    frame.resize(330, 180)
    return frame


def controls() -> QWidget:
    """Buttons, chips, keys and labels."""
    chip, loading = ModelChip(), ModelChip()
    chip.show_state("Starter  ·  layer 3  ·  3,072 qualities", "ok")
    loading.show_state("Loading 62%", "warn", progress=0.62)
    field = QLineEdit("the sea")
    pressed = key_button("S", "Solo", kind="solo")
    pressed.setChecked(True)
    off = button("Generate", icon="play", kind="primary")
    off.setEnabled(False)
    frame = surface("panel")
    frame.setLayout(
        column(
            row(chip, loading, filter_chip("All", "", checked=True), filter_chip("In mix", ""), None),
            row(
                button("Add to mix", icon="plus", kind="primary"), button("Try it alone", icon="play", kind="line"), off
            ),
            row(button("Zero all", icon="rotate-ccw"), icon_button("copy", "Copy"), key_button("M", "Mute"), pressed),
            row(field, label("second", tone="ink2"), label("third", tone="ink3"), label("wrong", tone="err")),
            margins=(12, 12, 12, 12),
        )
    )
    frame.resize(560, 180)
    return frame


def banner() -> QWidget:
    """What is said when the engine has died."""
    made = Banner()
    made.say("The model stopped. Your text and mix are safe.", "It ran out of memory.", "Traceback")
    made.add_action("Restart the model", lambda: None, icon="rotate-ccw", kind="primary")
    made.resize(720, 66)
    return made


def mixer(channels: int) -> QWidget:
    """The desk with some channels, one muted."""
    shown = session(channels)
    shown.set_muted(3, True)
    made = MixerPanel(shown)
    shown.levels_arrived.emit({0: 0.8, 1: 0.5, 2: 0.2})
    shown.setParent(made)
    made.resize(820, 304)
    return made


def search(*, found: bool) -> QWidget:
    """The search panel with results and a card, or before a model is loaded."""
    shown = session(2)
    made = SearchPanel(shown)
    if found:
        made.field.setText("sorrow nobody mentions")
        shown.results = results()
        shown.results_arrived.emit(shown.results)
        shown.cards[4] = card(4)
        made.table.setCurrentIndex(made.table.features.index(4, 0))
    shown.setParent(made)
    made.resize(312, 680 if found else 200)
    return made


SCENES: dict[str, Callable[[], QWidget]] = {
    "prose_in_mix": lambda: prose(0),
    "prose_unmixed": lambda: prose(-1),
    "faders": faders,
    "controls": controls,
    "banner": banner,
    "mixer": lambda: mixer(4),
    "mixer_empty": lambda: mixer(0),
    "search": lambda: search(found=True),
    "search_empty": lambda: search(found=False),
}


def pixels(image: QImage) -> np.ndarray:
    """[height, width, 4] of a picture, as unsigned bytes."""
    plain = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine())
    # a copy, because the bytes go with the picture
    return rows[:, : plain.width() * 4].reshape(plain.height(), plain.width(), 4).copy()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("scene", SCENES)
def test_it_looks_as_it_did(qtbot: QtBot, qapp: QApplication, tmp_path: Path, scene: str, scheme: theme.Scheme) -> None:
    dress(qapp, scheme)
    widget = SCENES[scene]()
    qtbot.addWidget(widget)
    with qtbot.waitExposed(widget):
        widget.show()
    # a blinking cursor is not the same twice
    qtbot.waitUntil(lambda: widget.focusWidget() is None or QApplication.focusWidget() is not None)
    if (focused := QApplication.focusWidget()) is not None:
        focused.clearFocus()
    drawn = widget.grab().toImage()
    kept = PICTURES / f"{scene}_{scheme}.png"
    if os.environ.get("UNDERSONG_PICTURES") == "new":
        drawn.save(str(kept))
    expected, seen = pixels(QImage(str(kept))), pixels(drawn)
    assert seen.shape == expected.shape
    different = (np.abs(seen.astype(int) - expected.astype(int)) > DIFFERENT).any(axis=2)
    if different.mean() > MOST_DIFFERENT:
        drawn.save(str(tmp_path / kept.name))
    assert different.mean() <= MOST_DIFFERENT, f"{different.mean():.2%} of {kept.name} differ; see {tmp_path}"
