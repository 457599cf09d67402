"""The child process, real and scripted: how it starts, speaks, stops and ends, each in a sentence."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.ui.conftest import FAKE
from undersong.core.messages import Generate, Inspect, Load, Loaded, Pane, Ready, Results, Search, Stop, Tokens
from undersong.core.sampling import Sampling
from undersong.ui.engine_process import EngineProcess, Outcome

MakeEngine = Callable[..., EngineProcess]


@pytest.fixture
def make_engine(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeEngine]:
    """Makes engine processes that are gone after the test."""
    made: list[EngineProcess] = []

    def make(command: list[str] | None = None, **options: object) -> EngineProcess:
        for name in [name for name in options if name.startswith("FAKE_")]:
            monkeypatch.setenv(name, str(options.pop(name)))
        engine = EngineProcess(command or FAKE, **options)  # type: ignore[arg-type]
        made.append(engine)
        return engine

    yield make
    for engine in made:
        engine.close()
        engine.deleteLater()


def script(code: str) -> list[str]:
    """A command that runs a few lines of Python."""
    return [sys.executable, "-u", "-c", code]


def ending(engine: EngineProcess, qtbot: QtBot) -> Outcome:
    """Start the engine and wait for its end."""
    with qtbot.waitSignal(engine.ended) as ended:
        engine.start()
    return ended.args[0]


def test_it_announces_itself_and_answers(make_engine: MakeEngine, qtbot: QtBot) -> None:
    engine = make_engine()
    seen: list[object] = []
    engine.event_arrived.connect(seen.append)
    engine.start()
    qtbot.waitUntil(lambda: any(isinstance(event, Ready) for event in seen))
    engine.send(Load(1, "model", "sae"))
    engine.send(Search(2, "sea"))
    qtbot.waitUntil(lambda: any(isinstance(event, Loaded) for event in seen))
    assert any(isinstance(event, Results) for event in seen)


def test_closing_ends_it_with_an_expected_outcome(make_engine: MakeEngine, qtbot: QtBot) -> None:
    engine = make_engine()
    with qtbot.waitSignal(engine.event_arrived):
        engine.start()
    with qtbot.waitSignal(engine.ended) as ended:
        engine.stop()
    assert ended.args[0].expected
    assert str(ended.args[0]) == "The engine stopped. It was closed."
    assert not engine.running


def test_it_can_be_started_again(make_engine: MakeEngine, qtbot: QtBot) -> None:
    engine = make_engine()
    for _ in range(2):
        with qtbot.waitSignal(engine.event_arrived):
            engine.start()
        with qtbot.waitSignal(engine.ended):
            engine.kill("Enough.")
    assert not engine.running


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_kill_from_outside_is_told_in_a_sentence(make_engine: MakeEngine, qtbot: QtBot) -> None:
    engine = make_engine()
    with qtbot.waitSignal(engine.event_arrived):
        engine.start()
    with qtbot.waitSignal(engine.ended) as ended:
        os.kill(engine.process_id, signal.SIGKILL)
    assert "ran out of memory" in str(ended.args[0])
    assert not ended.args[0].expected


def test_a_missing_program_is_told_in_a_sentence(make_engine: MakeEngine, qtbot: QtBot) -> None:
    outcome = ending(make_engine(["no-such-program-anywhere"]), qtbot)
    assert str(outcome) == "The engine stopped. It could not be started: no-such-program-anywhere"


def test_an_exit_code_and_the_log_are_kept(make_engine: MakeEngine, qtbot: QtBot, tmp_path: Path) -> None:
    log = tmp_path / "logs" / "engine.log"
    code = "import sys; print('\\n'.join(map(str, range(300))), file=sys.stderr); sys.exit(3)"
    outcome = ending(make_engine(script(code), log_file=log), qtbot)
    assert "exit code 3" in str(outcome)
    assert outcome.log.splitlines() == [str(n) for n in range(200, 300)]
    assert log.read_text().splitlines()[0] == "0"


def test_a_log_that_cannot_be_written_does_no_harm(make_engine: MakeEngine, qtbot: QtBot, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    outcome = ending(make_engine(script("import sys; print('x', file=sys.stderr)"), log_file=blocked / "log"), qtbot)
    assert outcome.log == "x"


def test_another_protocol_stops_with_a_sentence(make_engine: MakeEngine, qtbot: QtBot) -> None:
    engine = make_engine(FAKE_PROTOCOL="99")
    seen: list[object] = []
    engine.event_arrived.connect(seen.append)
    outcome = ending(engine, qtbot)
    assert "protocol 99" in str(outcome)
    assert seen == []


def test_silence_at_the_start_runs_into_a_limit(make_engine: MakeEngine, qtbot: QtBot) -> None:
    outcome = ending(make_engine(FAKE_HANG="start", start_seconds=0.3), qtbot)
    assert "did not answer" in str(outcome)


def test_a_stop_that_is_not_heard_ends_the_process(make_engine: MakeEngine, qtbot: QtBot) -> None:
    engine = make_engine(FAKE_HANG="3", stop_seconds=0.3)
    seen: list[object] = []
    engine.event_arrived.connect(seen.append)
    engine.start()
    qtbot.waitUntil(lambda: bool(seen))
    engine.send(Load(1, "model", "sae"))
    engine.send(Generate(2, "Once", (Pane("base"), Pane("mix")), Sampling()))
    qtbot.waitUntil(lambda: isinstance(seen[-1], Tokens) and seen[-1].step == 2)
    qtbot.wait(100)  # it looks for Stop a last time before it hangs
    with qtbot.waitSignal(engine.ended) as ended:
        engine.send(Stop(2))
    assert "did not stop" in str(ended.args[0])


def test_split_characters_and_unknown_lines_do_no_harm(
    make_engine: MakeEngine, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    code = (
        "import os, time\n"
        'line = \'{"type": "Notice", "id": 0, "message": "🌊 größer"}\\n\'.encode()\n'
        "for byte in line:\n    os.write(1, bytes([byte])); time.sleep(0.001)\n"
        'os.write(1, b\'nonsense\\n{"type": "Later", "id": 1}\\n\\n\' + line)\n'
    )
    engine = make_engine(script(code))
    seen: list[str] = []
    engine.event_arrived.connect(lambda event: seen.append(event.message))
    ending(engine, qtbot)
    assert seen == ["🌊 größer", "🌊 größer"]
    assert caplog.text.count("Ignored a line") == 2


def test_what_is_sent_to_nobody_is_dropped(make_engine: MakeEngine) -> None:
    engine = make_engine()
    engine.send(Inspect(1, 3))
    engine.kill("Nobody is there.")
    engine.close()
    assert not engine.running
