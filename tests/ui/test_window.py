"""The window on the scripted engine: the main job by keyboard and mouse, its states, its layout."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from tests.ui.conftest import MakeWindow
from tests.ui.dressed import nameless
from undersong.ui.session import EngineState, ModelChoice
from undersong.ui.window import Window

OPENING = "Once upon a time"


def write(window: Window, qtbot: QtBot, words: int = 12) -> None:
    """Write a whole take by keyboard."""
    window.session.set_opening(OPENING)
    window.session.set_sampling(words=words)
    with qtbot.waitSignal(window.session.stream_finished):
        qtbot.keyClick(window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)


def test_the_main_job(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window(FAKE_SPEED="60")
    session = window.session
    qtbot.keyClick(window, "l", Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(window.search.field, "sea")
    qtbot.waitUntil(lambda: session.results is not None and session.results.query == "sea")
    qtbot.keyClick(window.search.field, Qt.Key.Key_Return)
    window.search.field.clear()
    qtbot.keyClicks(window.search.field, "anger")
    qtbot.waitUntil(lambda: session.results is not None and session.results.query == "anger")
    qtbot.keyClick(window.search.field, Qt.Key.Key_Return)
    assert [fader.label for fader in session.mix.faders] == ["the sea, ships and shores", "anger rising"]
    session.zero_all()
    window.opening.edit.setFocus()
    qtbot.keyClicks(window.opening.edit, OPENING)
    session.set_sampling(words=60)
    qtbot.mouseClick(window.opening.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(window.panes.mix.view.text()) > 60)
    before = window.panes.mix.view.text()[:60]
    assert window.panes.base.view.text()[:60] == before
    session.search("rain")
    qtbot.waitUntil(lambda: session.results is not None and session.results.query == "rain")
    assert session.state is EngineState.STREAMING
    session.set_level(0, 1.0)
    with qtbot.waitSignal(session.stream_finished):
        pass
    assert window.panes.mix.view.text()[:60] == before
    assert window.panes.mix.view.text() != window.panes.base.view.text()
    assert "parts ways at word" in window.panes.mix.parting.text()
    assert window.panes.mix.words.text() == "60 words"


def test_escape_stops_and_continue_goes_on(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window(FAKE_SPEED="50")
    session = window.session
    session.set_opening(OPENING)
    session.set_sampling(words=40)
    qtbot.keyClick(window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: len(window.panes.base.view.text()) > 20)
    assert window.opening.go.accessibleName() == "Stop"
    with qtbot.waitSignal(session.stream_finished):
        qtbot.keyClick(window.opening.edit, Qt.Key.Key_Escape)
    assert window.panes.base.words.text().startswith("stopped at")
    assert window.opening.resume.isVisible()
    with qtbot.waitSignal(session.stream_finished):
        window.opening.resume.click()
    assert window.panes.base.words.text() == "40 words"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_crash_shows_a_banner_and_one_click_continues(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window(FAKE_SPEED="50")
    session = window.session
    session.set_opening(OPENING)
    session.set_sampling(words=40)
    session.generate()
    qtbot.waitUntil(lambda: len(window.panes.base.view.text()) > 20)
    os.kill(session.engine_process_id, signal.SIGKILL)
    qtbot.waitUntil(window.banner.isVisible)
    kept = window.panes.base.view.text()
    assert window.banner.title.text() == "The engine stopped. Your text and mix are safe."
    assert "stopped" in window.header.chip.text()
    assert window.panes.base.words.text().startswith("interrupted at")
    (again,) = (button for button in window.banner.findChildren(type(window.opening.go)) if "continue" in button.text())
    with qtbot.waitSignal(session.stream_finished, timeout=10_000):
        again.click()
    assert window.panes.base.view.text().startswith(kept)
    assert window.panes.base.words.text() == "40 words"
    assert not window.banner.isVisible()


def test_the_first_run_page_leads_to_the_desk(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window(fresh=True)
    assert window.first_run.isVisible()
    qtbot.keyClick(window.first_run, Qt.Key.Key_Return)
    assert window.opening.isVisible()
    assert window.session.saved.layout["page"] == "desk"


def test_a_model_that_does_not_load(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window(ready=False, FAKE_FAIL_LOAD="The file model.safetensors is cut short.")
    qtbot.waitUntil(window.banner.isVisible)
    assert window.banner.title.text() == "The file model.safetensors is cut short."
    assert window.header.chip.text() == "No model"
    assert not window.opening.go.isEnabled()


def test_a_chosen_folder_is_loaded(
    make_window: MakeWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = make_window()
    (tmp_path / "mine" / "language_model").mkdir(parents=True)
    (tmp_path / "mine" / "sae").mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "mine"))
    window.actions_["open_model"].trigger()
    chosen = ModelChoice(str(tmp_path / "mine" / "language_model"), str(tmp_path / "mine" / "sae"))
    assert window.session.model == chosen
    qtbot.waitUntil(lambda: window.session.state is EngineState.READY)
    assert window.header.chip.text().startswith("language_model")


def test_every_control_has_a_name(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    window.session.add_feature(0, "the sea")
    window.session.inspect(1)
    write(window, qtbot)
    assert nameless(window) == []


def test_the_regions_come_round(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    window.session.add_feature(0, "the sea")
    write(window, qtbot)
    window.opening.focus_opening()
    seen = []
    for _ in range(5):
        window.step_region(1)
        focus = QApplication.focusWidget()
        assert focus is not None
        seen.append(next(r for r in ("panes", "mixer", "search", "opening") if getattr(window, r).isAncestorOf(focus)))
    assert seen == ["panes", "panes", "mixer", "search", "opening"]


def test_a_narrow_window_lays_the_search_panel_over_the_page(make_window: MakeWindow) -> None:
    window = make_window(width=1100)
    assert not window.sidebar_shown
    window.find_quality()
    assert window.search.isVisible()
    assert window.centre.width() > 1000
    window.resize(1400, 800)
    QApplication.processEvents()
    assert window.sidebar_shown
    assert window.centre.width() < 1200


def test_the_smallest_window_holds_everything(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window(width=100, height=100)
    write(window, qtbot)
    assert (window.width(), window.height()) == (900, 600)
    assert window.panes.base.view.height() >= 60


def test_the_layout_comes_back(make_window: MakeWindow, tmp_path: Path) -> None:
    first = make_window(folder=tmp_path / "home", width=1333, height=777)
    first.show_mixer(False)
    first.panes.show_plain(False)
    first.close()
    again = make_window(folder=tmp_path / "home", width=1333, height=777)
    assert again.mixer.isHidden()
    assert again.panes.base.isHidden()
    assert "window" in again.session.saved.layout


def test_a_text_file_dropped_on_the_opening(make_window: MakeWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window = make_window()
    good, picture, broken = tmp_path / "a.md", tmp_path / "b.png", tmp_path / "c.txt"
    good.write_text("\ufeffThe sea was calm.\n", "utf-8")
    picture.write_bytes(b"\x89PNG")
    broken.write_bytes(b"\xff\xfe\xff")
    said: list[str] = []
    window.session.notice_arrived.connect(said.append)
    for path in (good, picture, broken, tmp_path / "missing.txt"):
        drop = QMimeData()
        drop.setUrls([QUrl.fromLocalFile(str(path))])
        assert window.opening.edit.canInsertFromMimeData(drop)
        window.opening.edit.insertFromMimeData(drop)
    assert window.session.opening == "The sea was calm."
    assert ["b.png" in said[0], "UTF-8" in said[1], "missing.txt" in said[2]] == [True, True, True]


def test_an_opening_of_ten_thousand_words(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    window.session.set_opening("The boat went down to the sea again. " * 1250)
    with qtbot.waitSignal(window.session.notice_arrived) as notice:
        window.session.generate()
    assert "10,000 words" in notice.args[0]
    assert window.opening.edit.height() < 150
    qtbot.waitUntil(lambda: window.session.state is EngineState.READY)


def test_an_empty_opening_is_met_with_a_sentence(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    assert window.opening.findChild(type(window.opening.go), "") is not None
    qtbot.mouseClick(window.opening.go, Qt.MouseButton.LeftButton)
    assert "opening" in window.toast.text()
    assert window.toast.isVisible()


def test_themes_are_switched_and_remembered(make_window: MakeWindow) -> None:
    window = make_window()
    window.actions_["theme_dark"].trigger()
    dark = window.palette().window().color().lightness()
    window.header.theme.click()
    light = window.palette().window().color().lightness()
    assert window.session.settings.theme == "light"
    assert dark < 60 < light


def test_the_panes_speak_to_screen_readers(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    write(window, qtbot)
    spoken = QAccessible.queryAccessibleInterface(window.panes.mix.view)
    assert spoken.textInterface().characterCount() == len(window.panes.mix.view.text())


def test_a_window_without_an_engine_still_mixes(qtbot: QtBot) -> None:
    from undersong.ui.session import Session

    window = Window(Session())
    qtbot.addWidget(window)
    window.session.add_feature(0, "the sea")
    window.session.generate()
    assert window.session.mix.faders[0].label == "the sea"
    assert window.session.take is None
