"""The help pages agree with the window."""

from __future__ import annotations

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from undersong.core import paths
from undersong.ui.actions import Actions

PORTABLE = QKeySequence.SequenceFormat.PortableText


def test_the_page_of_keys_names_every_shortcut(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    page = paths.resource("help", "keys.md").read_text("utf-8")
    first_keys = [action.shortcut().toString(PORTABLE) for action in Actions(window).all()]
    numbered = {f"Ctrl+{number}" for number in range(1, 9)}
    assert [keys for keys in first_keys if keys and keys not in numbered and keys not in page] == []
