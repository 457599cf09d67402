"""The session on the scripted engine: moves, undo, searching, writing, saving."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.ui.conftest import MakeSession
from undersong.core.project import SessionFile
from undersong.ui.session import EngineState, Session


def write(session: Session, qtbot: QtBot, words: int = 12) -> None:
    """Write one whole take."""
    session.set_opening("Once upon a time")
    session.set_sampling(words=words)
    with qtbot.waitSignal(session.stream_finished):
        session.generate()


def test_every_move_is_one_undo_step() -> None:
    session = Session()
    session.add_feature(0, "the sea")
    session.add_feature(1, "someone about to cry", level=-0.5)
    session.set_muted(0, True)
    session.set_soloed(1, True)
    session.set_op(0, "ablate")
    session.move(0, 1)
    session.set_master(1.2)
    session.rename_mix("Salt")
    session.nudge_all(0.1)
    session.zero_all()
    session.remove(0)
    steps = session.undo.count()
    assert steps == 11
    after = session.mix
    for _ in range(steps):
        session.undo.undo()
    assert session.mix.faders == ()
    for _ in range(steps):
        session.undo.redo()
    assert session.mix == after


def test_a_drag_is_one_step_and_a_drag_back_is_none() -> None:
    session = Session()
    session.add_feature(0, "the sea", level=0.0)
    drag = session.new_gesture()
    for level in (0.1, 0.4, 0.9):
        session.set_level(0, level, drag)
    assert session.undo.count() == 2
    assert session.mix.faders[0].level == 0.9
    back = session.new_gesture()
    for level in (1.5, 0.9):
        session.set_level(0, level, back)
    assert session.undo.count() == 2
    session.undo.undo()
    assert session.mix.faders[0].level == 0.0


def test_levels_stay_within_reach() -> None:
    session = Session()
    session.add_feature(0, "the sea", level=7.0)
    session.set_master(9.0)
    assert session.mix.faders[0].level == 2.0
    assert session.mix.master == 1.5


def test_the_focus_follows_its_feature() -> None:
    session = Session()
    for feature in (4, 5, 6):
        session.add_feature(feature, str(feature))
    session.focus_channel(0)
    session.move(0, 2)
    assert (session.focused, session.shown_feature, session.shown_colour) == (2, 4, 2)
    session.remove(2)
    assert session.focused == 1
    session.inspect(99)
    assert (session.shown_feature, session.shown_colour) == (99, -1)
    session.clear_inspect()
    assert session.shown_feature == 6


def test_comparing_two_mixes_can_be_undone() -> None:
    session = Session()
    session.add_feature(0, "the sea")
    session.swap_compare("B")
    assert session.mix.faders[0].label == "the sea"
    session.set_level(0, -1.0)
    session.swap_compare("A")
    assert session.mix.faders[0].level == 0.6
    session.undo.undo()
    assert (session.which, session.mix.faders[0].level) == ("B", -1.0)


def test_searching_drops_older_answers(make_session: MakeSession, qtbot: QtBot) -> None:
    session = make_session()
    seen: list[str] = []
    session.results_arrived.connect(lambda results: seen.append(results.query))
    for query in ("s", "se", "sea"):
        session.search(query)
    qtbot.waitUntil(lambda: session.results is not None and session.results.query == "sea")
    assert seen[-1] == "sea"
    assert session.results is not None
    assert session.results.hits[0].label == "the sea, ships and shores"


def test_inspecting_and_adding(make_session: MakeSession, qtbot: QtBot) -> None:
    session = make_session()
    with qtbot.waitSignal(session.card_arrived):
        session.inspect(3)
    session.add_from_card()
    assert session.mix.faders[0].feature.sae == "fake-sae"
    assert session.mix.faders[0].unit == 4.0
    assert session.shown_feature == 3


def test_both_panes_stream_and_zero_faders_change_nothing(make_session: MakeSession, qtbot: QtBot) -> None:
    session = make_session()
    session.add_feature(0, "the sea", level=0.0)
    write(session, qtbot)
    take = session.take
    assert take is not None
    assert take.panes[0].text == take.panes[1].text != ""
    session.set_level(0, 1.0)
    write(session, qtbot)
    take = session.take
    assert take is not None
    assert take.panes[0].text != take.panes[1].text
    assert take.state == "whole"
    assert session.take_number == 2


def test_a_fader_moved_while_streaming_acts_at_once(make_session: MakeSession, qtbot: QtBot) -> None:
    session = make_session(FAKE_SPEED="60")
    session.add_feature(0, "the sea", level=0.0)
    session.set_opening("Once upon a time")
    session.set_sampling(words=60)
    session.generate()
    qtbot.waitUntil(lambda: session.take is not None and len(session.take.panes[0].text) > 40)
    session.set_level(0, 1.0)
    with qtbot.waitSignal(session.stream_finished):
        pass
    take = session.take
    assert take is not None
    one, other = (pane.text for pane in take.panes)
    assert one[:40] == other[:40]
    assert one != other
    assert len(take.changes) == 1


def test_exact_heat_follows_the_stream(make_session: MakeSession, qtbot: QtBot) -> None:
    session = make_session()
    session.add_feature(2, "old-fashioned diction")
    with qtbot.waitSignals([session.reading_arrived, session.reading_arrived]):
        write(session, qtbot)
    pieces, values = session.heat(1)
    take = session.take
    assert take is not None
    assert "".join(pieces) == take.panes[1].text
    assert max(values) > 0
    assert max(values) <= 1


def test_stop_keeps_the_text_and_continue_goes_on(make_session: MakeSession, qtbot: QtBot) -> None:
    session = make_session(FAKE_SPEED="50")
    session.add_feature(0, "the sea", level=1.0)
    session.set_opening("Once upon a time")
    session.set_sampling(words=40)
    session.generate()
    qtbot.waitUntil(lambda: session.take is not None and len(session.take.panes[1].text) > 30)
    with qtbot.waitSignal(session.stream_finished):
        session.stop()
    stopped = session.take
    assert stopped is not None
    assert stopped.state == "stopped"
    assert session.can_resume
    with qtbot.waitSignal(session.stream_finished):
        session.resume()
    whole = session.take
    assert whole is not None
    assert (whole.id, whole.state, len(session.takes)) == (stopped.id, "whole", 1)
    for before, after in zip(stopped.panes, whole.panes, strict=True):
        assert after.text.startswith(before.text)
        assert len(after.text) > len(before.text)


def test_trying_alone_leaves_the_mix(make_session: MakeSession, qtbot: QtBot) -> None:
    session = make_session()
    session.add_feature(2, "old-fashioned diction")
    session.set_opening("Once upon a time")
    session.set_sampling(words=9)
    before = session.mix
    with qtbot.waitSignal(session.stream_finished):
        session.try_alone(0)
    take = session.take
    assert take is not None
    assert session.mix == before
    assert take.panes[1].name == "alone"
    assert [fader.feature.index for fader in take.recipe.mix.faders] == [0]


def test_an_empty_opening_gets_a_sentence(make_session: MakeSession, qtbot: QtBot) -> None:
    session = make_session()
    session.set_opening("   ")
    with qtbot.waitSignal(session.notice_arrived) as notice:
        session.generate()
    assert "opening" in notice.args[0]
    assert session.state is EngineState.READY


def test_a_failed_load_gets_the_engines_sentence(make_session: MakeSession, qtbot: QtBot) -> None:
    session = make_session(ready=False, FAKE_FAIL_LOAD="The file model.safetensors is cut short.")
    qtbot.waitUntil(lambda: session.failure is not None)
    assert session.failure is not None
    assert (session.failure.kind, session.state) == ("load", EngineState.NO_MODEL)
    assert "cut short" in session.failure.message


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_crash_while_streaming_keeps_the_text(make_session: MakeSession, qtbot: QtBot) -> None:
    session = make_session(FAKE_SPEED="50")
    session.add_feature(0, "the sea", level=1.0)
    session.set_opening("Once upon a time")
    session.set_sampling(words=30)
    session.generate()
    qtbot.waitUntil(lambda: session.take is not None and len(session.take.panes[1].text) > 30)
    os.kill(session.engine_process_id, signal.SIGKILL)
    qtbot.waitUntil(lambda: session.state is EngineState.STOPPED)
    cut = session.take
    assert cut is not None
    assert cut.state == "interrupted"
    assert session.failure is not None
    assert session.failure.can_continue
    with qtbot.waitSignal(session.stream_finished):
        session.restart_and_continue()
    whole = session.take
    assert whole is not None
    assert whole.state == "whole"
    assert whole.panes[1].text.startswith(cut.panes[1].text)
    assert session.failure is None


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_an_idle_crash_is_mended_once(make_session: MakeSession, qtbot: QtBot) -> None:
    session = make_session()
    with qtbot.waitSignal(session.notice_arrived):
        os.kill(session.engine_process_id, signal.SIGKILL)
    qtbot.waitUntil(lambda: session.state is EngineState.READY)
    os.kill(session.engine_process_id, signal.SIGKILL)
    qtbot.waitUntil(lambda: session.state is EngineState.STOPPED)
    assert session.failure is not None
    session.retry_engine()
    qtbot.waitUntil(lambda: session.state is EngineState.READY)
    assert session.failure is None


def test_everything_is_there_again(make_session: MakeSession, qtbot: QtBot, tmp_path: Path) -> None:
    session = make_session(tmp_path / "one")
    session.add_feature(0, "the sea", level=1.0)
    session.set_title("The Lighthouse")
    session.set_layout("window", "abc")
    write(session, qtbot)
    take = session.take
    session.close()
    file = SessionFile(tmp_path / "one")
    state, notice = file.load()
    file.close()
    again = Session(state=state)
    assert notice == ""
    assert again.take == take
    assert again.mix == session.mix
    assert (again.title, again.opening, again.saved.layout) == ("The Lighthouse", "Once upon a time", {"window": "abc"})


def test_older_takes_can_be_looked_at(make_session: MakeSession, qtbot: QtBot) -> None:
    session = make_session()
    for _ in range(3):
        write(session, qtbot)
    session.show_take(-1)
    assert session.take_number == 2
    session.keep_take()
    assert session.takes[1].kept
    session.show_take(-5)
    assert session.take_number == 1
    session.show_take(9)
    assert session.take_number == 3


def test_a_locked_seed_stays_and_another_take_draws_one(make_session: MakeSession, qtbot: QtBot) -> None:
    session = make_session()
    session.set_sampling(seed=7)
    session.set_seed_locked(True)
    write(session, qtbot)
    assert session.sampling.seed == 7
    with qtbot.waitSignal(session.stream_finished):
        session.another_take()
    assert session.take is not None
    assert session.take.recipe.sampling.seed == session.sampling.seed


def test_a_quality_added_while_the_model_loads_belongs_to_it(make_session: MakeSession, qtbot: QtBot) -> None:
    session = make_session(ready=False)
    session.add_feature(0, "the sea")
    assert session.mix.faders[0].feature.sae == ""
    qtbot.waitUntil(lambda: session.state is EngineState.READY)
    assert session.loaded is not None
    fader = session.mix.faders[0]
    assert (fader.feature.sae, fader.unit) == (session.loaded.sae, session.loaded.unit)
    session.undo.undo()
    session.undo.redo()
    assert session.mix.faders[0] == fader
