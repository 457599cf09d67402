"""Fixtures of the window's tests: sessions and windows on the scripted engine that leave nothing alive."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from undersong.core.project import SessionFile
from undersong.ui import theme
from undersong.ui.engine_process import EngineProcess
from undersong.ui.session import EngineState, Session
from undersong.ui.window import Window

FAKE = [sys.executable, str(Path(__file__).parents[1] / "fakes" / "engine.py")]
MakeSession = Callable[..., Session]
MakeWindow = Callable[..., Window]


@pytest.fixture
def make_session(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeSession]:
    """Makes sessions on the scripted engine; ``FAKE_…`` keywords make it misbehave, ``ready=False`` does not wait.

    After the test no timer of theirs may run, and their engines must have gone.
    """
    made: list[Session] = []
    engines: set[int] = set()

    def make(folder: Path | None = None, ready: bool = True, command: list[str] = FAKE, **misbehave: str) -> Session:
        for name, value in misbehave.items():
            monkeypatch.setenv(name, value)
        engine = EngineProcess(command)
        file = SessionFile(folder) if folder else None
        state = file.load()[0] if file else None
        session = Session(engine, file, state)
        made.append(session)
        session.load_model()
        engine.start()
        engines.add(engine.process_id)
        if ready:
            qtbot.waitUntil(lambda: session.state is EngineState.READY)
        return session

    yield make
    for session in made:
        engines.add(session.engine_process_id)
        session.close()
        assert not [timer for timer in session.findChildren(QTimer) if timer.isActive()]
        session.deleteLater()
    assert not [number for number in engines if number and psutil.pid_exists(number)]


@pytest.fixture(scope="session")
def fonts(qapp: QApplication) -> None:
    """The bundled fonts, loaded once."""
    theme.load_fonts()


@pytest.fixture
def make_window(make_session: MakeSession, qtbot: QtBot, qapp: QApplication, fonts: None) -> Iterator[MakeWindow]:
    """Makes shown windows on sessions of ``make_session``; ``fresh=True`` shows the first-run page."""
    made: list[Window] = []

    def make(fresh: bool = False, width: int = 1280, height: int = 800, **options: object) -> Window:
        wait = bool(options.pop("ready", True))
        session = make_session(ready=False, **options)
        theme.apply(qapp, session.settings.theme)
        if not fresh:
            session.set_layout("page", "desk")
        window = Window(session)
        made.append(window)
        window.resize(width, height)
        window.show()
        if wait:
            qtbot.waitUntil(lambda: session.state is EngineState.READY)
        return window

    yield make
    for window in made:
        window.close()
        window.deleteLater()
