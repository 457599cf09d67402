"""The whole job in the window with the real engine in its own process, and the bundled starter."""

from __future__ import annotations

import psutil
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tests.ui.conftest import MakeWindow
from undersong.ui.engine_process import engine_command
from undersong.ui.session import EngineState
from undersong.ui.window import Window

PATIENCE = 240_000
"""Milliseconds; a busy machine may take long to read PyTorch from its disk."""


def test_the_whole_job_and_a_crash_with_the_starter(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window(ready=False, command=engine_command())
    session = window.session
    qtbot.waitUntil(lambda: session.state is EngineState.READY or session.failure is not None, timeout=PATIENCE)
    assert session.failure is None
    assert session.loaded is not None
    assert all(check.passed for check in session.loaded.checks)

    for concept in ("sea", "king"):
        window.find_quality()
        window.search.field.clear()
        qtbot.keyClicks(window.search.field, concept)
        qtbot.waitUntil(lambda concept=concept: session.results is not None and session.results.query == concept)
        qtbot.keyClick(window.search.field, Qt.Key.Key_Return)
    assert len(session.mix.faders) == 2

    session.zero_all()
    session.set_opening("Once upon a time there was a little girl who lived by the road.")
    session.set_sampling(words=60, seed=7)
    session.set_seed_locked(True)
    session.generate()
    qtbot.waitUntil(lambda: len(window.panes.mix.view.text()) > 60, timeout=PATIENCE)
    assert window.panes.mix.view.text() == window.panes.base.view.text()
    for position in (0, 1):
        session.set_level(position, 1.5)
    with qtbot.waitSignal(session.stream_finished, timeout=PATIENCE):
        pass
    steered, plain = window.panes.mix.view.text(), window.panes.base.view.text()
    assert steered != plain
    assert steered[:50] == plain[:50]
    kill_and_continue(window, qtbot)


def kill_and_continue(window: Window, qtbot: QtBot) -> None:
    """Kill the engine in the middle of a take: the text stays, a sentence says so, one click goes on."""
    session = window.session
    session.set_sampling(words=80)
    session.generate()
    qtbot.waitUntil(lambda: len(window.panes.mix.view.text()) > 40, timeout=PATIENCE)
    psutil.Process(session.engine_process_id).kill()
    qtbot.waitUntil(window.banner.isVisible, timeout=PATIENCE)
    kept = window.panes.mix.view.text()
    assert session.failure is not None
    assert session.failure.can_continue
    session.restart_and_continue()
    qtbot.waitUntil(lambda: len(window.panes.mix.view.text()) > len(kept) + 20, timeout=PATIENCE)
    assert window.panes.mix.view.text().startswith(kept)
    with qtbot.waitSignal(session.stream_finished, timeout=PATIENCE):
        session.stop()
    assert session.state is EngineState.READY
