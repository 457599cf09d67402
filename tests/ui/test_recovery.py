"""Real processes that are killed, started twice, or find damaged files: nothing is lost, and a sentence says so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.conftest import FAKE, MakeWindow
from undersong.core.project import SessionFile
from undersong.ui.app import install_hook
from undersong.ui.dialogs.problem_sheet import ProblemSheet
from undersong.ui.session import EngineState

SCRIPT = """
import json, sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QMessageBox
from undersong.ui import app, engine_process
engine_process.engine_command = lambda: {fake}
QMessageBox.warning = lambda *_: None

def tell(**facts):
    sys.stdout.write(json.dumps(facts) + "\\n")
    sys.stdout.flush()

class Window(app.Window):
    def __init__(self, session):
        super().__init__(session)
        QTimer.singleShot(0, self.act)

    def act(self):
        session = self.session
{act}

app.Window = Window
sys.exit(app.main())
"""
WRITE = """
session.add_feature(0, "the sea")
session.set_title("The Lighthouse")
session.set_opening("Once upon a time")
session.set_sampling(words=2000)
session.state_changed.connect(lambda: session.state.name == "READY" and not session.takes and session.generate())
tell(torch="torch" in sys.modules, engine=session.engine_process_id)
"""
LOOK = """
def look():
    take = session.take
    mix = [fader.label for fader in session.mix.faders]
    pane = self.panes.mix
    tell(title=session.title, opening=session.opening, mix=mix, toast=self.toast.text(),
         text=take.panes[1].text if take else "", shown=pane.view.text(), foot=pane.words.text())
    self.close()
QTimer.singleShot(200, look)
"""

StartWindow = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def start_window(home: Path) -> Iterator[StartWindow]:
    """Starts real window processes on the scripted engine and this test's home; none outlives the test."""
    started: list[subprocess.Popen[str]] = []

    def start(act: str) -> subprocess.Popen[str]:
        code = SCRIPT.format(fake=repr(FAKE), act=textwrap.indent(act, " " * 8))
        environment = os.environ | {"UNDERSONG_HOME": str(home), "FAKE_SPEED": "100"}
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environment,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def told(process: subprocess.Popen[str]) -> dict[str, object]:
    """The next thing a window process tells."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr.read() if process.stderr else ""
    return json.loads(line)


def wait_for(true: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is true."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_window_loses_nothing_and_takes_its_engine_along(start_window: StartWindow, home: Path) -> None:
    window = start_window(WRITE)
    facts = told(window)
    assert facts["torch"] is False
    running = home / "session" / "running.json"
    wait_for(running.exists)
    first = running.stat().st_size
    wait_for(lambda: running.exists() and running.stat().st_size > first + 300)
    saved = json.loads(running.read_text("utf-8"))["state"]["panes"][1]["text"]
    window.send_signal(signal.SIGKILL)
    window.wait()
    wait_for(lambda: not psutil.pid_exists(int(str(facts["engine"]))))
    again = told(start_window(LOOK))
    assert (again["title"], again["opening"]) == ("The Lighthouse", "Once upon a time")
    assert again["mix"] == ["the sea"]
    assert str(again["text"]).startswith(saved)
    assert str(again["shown"]) == str(again["text"]).lstrip()
    assert str(again["foot"]).startswith("interrupted at")
    assert "interrupted" in str(again["toast"])


def test_a_second_window_is_refused_with_a_sentence(start_window: StartWindow) -> None:
    told(start_window("tell(up=True)"))
    second = start_window("tell(up=True)")
    out, error = second.communicate(timeout=60)
    assert second.returncode == 1
    assert out == ""
    assert "already open" in error


def test_a_damaged_session_is_set_aside(start_window: StartWindow, home: Path) -> None:
    folder = home / "session"
    folder.mkdir(parents=True)
    (folder / "session.json").write_text('{"format": "undersong", "version": 1, "st', "utf-8")
    (home / "settings.toml").write_text("theme = 12", "utf-8")
    process = start_window(LOOK)
    facts = told(process)
    assert process.wait(timeout=30) == 0
    assert "set aside" in str(facts["toast"])
    assert len(list(folder.glob("session.damaged-*.json"))) == 1
    assert len(list(home.glob("settings.damaged-*.toml"))) == 1


def test_settings_are_kept_in_their_file(start_window: StartWindow, home: Path) -> None:
    process = start_window('session.set_settings(theme="dark", prose_size=21)\nself.close()')
    assert process.wait(timeout=60) == 0
    assert 'theme = "dark"' in (home / "settings.toml").read_text("utf-8")
    assert told(start_window("tell(size=session.settings.prose_size)\nself.close()"))["size"] == 21


def test_what_cannot_be_saved_is_said(make_window: MakeWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window = make_window(folder=tmp_path / "home")
    folder = tmp_path / "home"
    folder.rename(tmp_path / "moved")
    window.session.set_opening("Once")
    qtbot.waitUntil(lambda: window.header.saved.text() == "Not saved")
    assert "could not be saved" in window.toast.text()
    (tmp_path / "moved").rename(folder)
    window.session.set_opening("Once upon")
    qtbot.waitUntil(lambda: window.header.saved.text() == "Saved")


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
def test_the_unforeseen_saves_first_and_is_shown(
    make_window: MakeWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = make_window(folder=tmp_path / "home")
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    install_hook(window.session, window)
    window.session.set_opening("Once upon a time")
    try:
        raise LookupError("nobody foresaw this")
    except LookupError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    (sheet,) = window.findChildren(ProblemSheet)
    assert "nobody foresaw this" in sheet.report.toPlainText()
    assert "Once upon a time" in (tmp_path / "home" / "session.json").read_text("utf-8")
    sheet.accept()
    QApplication.processEvents()


def test_closing_while_writing_keeps_the_text(make_window: MakeWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window = make_window(folder=tmp_path / "home", FAKE_SPEED="50")
    window.session.set_opening("Once upon a time")
    window.session.generate()
    qtbot.waitUntil(lambda: len(window.panes.mix.view.text()) > 30)
    window.close()
    file = SessionFile(tmp_path / "home")
    state, notice = file.load()
    file.close()
    assert "interrupted" in notice
    assert state.takes[-1].panes[1].text.strip() == window.panes.mix.view.text()
    assert window.session.state is EngineState.STREAMING
