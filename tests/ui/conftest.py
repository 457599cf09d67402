"""Fixtures of the window's tests: sessions on the scripted engine that leave nothing alive."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from undersong.core.project import SessionFile
from undersong.ui.engine_process import EngineProcess
from undersong.ui.session import EngineState, Session

FAKE = [sys.executable, str(Path(__file__).parents[1] / "fakes" / "engine.py")]
MakeSession = Callable[..., Session]


@pytest.fixture
def make_session(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeSession]:
    """Makes sessions on the scripted engine; ``FAKE_…`` keywords make it misbehave, ``ready=False`` does not wait."""
    made: list[Session] = []

    def make(folder: Path | None = None, ready: bool = True, **misbehave: str) -> Session:
        for name, value in misbehave.items():
            monkeypatch.setenv(name, value)
        engine = EngineProcess(FAKE)
        file = SessionFile(folder) if folder else None
        state = file.load()[0] if file else None
        session = Session(engine, file, state)
        made.append(session)
        session.load_model()
        engine.start()
        if ready:
            qtbot.waitUntil(lambda: session.state is EngineState.READY)
        return session

    yield make
    for session in made:
        session.close()
        session.deleteLater()
