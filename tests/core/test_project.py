"""The session on disk: everything comes back, damage is set aside, nothing half-written, one process at a time."""

from __future__ import annotations

import datetime
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from undersong.core import project
from undersong.core.errors import ProjectError, ProjectLocked
from undersong.core.mixing import Fader, FeatureRef, Mix
from undersong.core.project import SessionFile, SessionState
from undersong.core.recipe import Recipe, digest
from undersong.core.sampling import Sampling
from undersong.core.takes import NEWEST_TAKES, PaneText, Take

MIX = Mix("Sea", (Fader(FeatureRef("sae", 17), 0.1 + 0.2, unit=1 / 3, label="the sea"),), 1.25)
RECIPE = Recipe("starter", "sae", MIX, Sampling(seed=7), digest("Once"))
TAKE = Take("Once", (PaneText("base", " upon", "words"), PaneText("mix", " a storm 🌊", "end")), RECIPE, "whole")


def full_state() -> SessionState:
    state = SessionState(title="Ein Märchen", mix_a=MIX, which="b", takes=(TAKE,), shown=TAKE.id, seed_locked=True)
    state.story.append("Once upon ")
    state.story.append("a time", RECIPE)
    state.mix = Mix("Other")
    state.layout = {"window": "AAEC"}
    state.sampling = Sampling(temperature=1 / 3)
    state.query, state.model, state.heat_shown, state.link_panes = "the sea", "elsewhere", False, False
    return state


@pytest.fixture
def session(tmp_path: Path):
    session = SessionFile(tmp_path / "session")
    yield session
    session.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "session"


def test_a_new_folder_holds_an_empty_session(session: SessionFile) -> None:
    assert session.load() == (SessionState(), "")


def test_everything_comes_back_exactly(session: SessionFile) -> None:
    state = full_state()
    session.save(state)
    assert session.load() == (state, "")


def test_the_opening_and_the_mix_are_views_of_the_state() -> None:
    state = full_state()
    state.opening = "Once upon a stormy time"
    assert state.story.spans[-1].recipe == RECIPE
    assert (state.opening, state.mix) == ("Once upon a stormy time", Mix("Other"))
    state.which = "a"
    state.mix = Mix("Mine")
    assert (state.mix_a, state.mix_b) == (Mix("Mine"), Mix("Other"))


def test_half_a_surrogate_pair_is_kept(session: SessionFile) -> None:
    state = SessionState(title="half \ud83c")
    session.save(state)
    assert session.load()[0] == state


def test_old_takes_are_forgotten_in_the_file_only(session: SessionFile) -> None:
    state = SessionState(takes=tuple(replace(TAKE, id=str(i)) for i in range(NEWEST_TAKES + 5)))
    session.save(state)
    assert len(state.takes) == NEWEST_TAKES + 5
    assert [take.id for take in session.load()[0].takes] == [str(i) for i in range(5, NEWEST_TAKES + 5)]


def test_a_take_cut_short_comes_back_as_interrupted(session: SessionFile, folder: Path) -> None:
    running = replace(TAKE, id="r", state="running")
    session.save(SessionState(running=running))
    longer = replace(running, panes=(PaneText("base", " upon a time there was"), PaneText("mix", " a storm at sea")))
    session.save_running(longer)
    state, notice = session.load()
    assert state.takes == (longer.interrupted(),)
    assert (state.running, state.shown) == (None, "r")
    assert "interrupted" in notice
    session.save(state)
    assert not (folder / "running.json").exists()
    assert session.load() == (state, "")


def test_a_take_that_became_whole_is_not_there_twice(session: SessionFile) -> None:
    session.save(SessionState(takes=(TAKE,)))
    session.save_running(replace(TAKE, state="running"))
    assert session.load() == (SessionState(takes=(TAKE,)), "")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 1}', b'{"version": 1, "state": 3}', b"\xff\x00"])
def test_a_damaged_running_take_is_set_aside(session: SessionFile, folder: Path, content: bytes) -> None:
    session.save(full_state())
    (folder / "running.json").write_bytes(content)
    state, notice = session.load()
    assert state == full_state() or state.takes == (TAKE,)
    (aside,) = folder.glob("running.damaged-*.json")
    assert aside.read_bytes() == content
    assert aside.name in notice


DAMAGE = {
    "empty": b"",
    "zeros": bytes(4096),
    "no JSON": b"Once upon a time",
    "no UTF-8": b"\xff\xfe{}",
    "a list": b"[]",
    "another file": b'{"name": "x"}',
    "version of a wrong type": b'{"version": "1", "state": {}}',
    "too deep": b"[" * 100_000,
    "wrong type": b'{"version": 1, "state": {"takes": 3}}',
    "wrong word": b'{"version": 1, "state": {"which": "c"}}',
    "missing field": b'{"version": 1, "state": {"takes": [{}]}}',
    "not a number": b'{"version": 1, "state": {"sampling": {"temperature": NaN}}}',
}


@pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE.keys())
def test_damage_is_set_aside_and_the_backup_opened(session: SessionFile, folder: Path, content: bytes) -> None:
    session.save(full_state())
    session.save(SessionState(title="newer"))  # the first save now lies in the backups
    (folder / "session.json").write_bytes(content)
    state, notice = session.load()
    assert state == full_state()
    (aside,) = folder.glob("session.damaged-*.json")
    assert aside.read_bytes() == content
    assert aside.name in notice
    assert "backup of" in notice
    session.save(state)
    assert session.load() == (full_state(), "")


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_truncated_file_is_damage(session: SessionFile, folder: Path, share: float) -> None:
    session.save(full_state())
    path = folder / "session.json"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    state, notice = session.load()
    assert state == SessionState()
    assert "There was no backup" in notice
    assert list(folder.glob("session.damaged-*.json"))


def test_damaged_backups_are_passed_over(session: SessionFile, folder: Path) -> None:
    session.save(full_state())
    backups = folder / "backups"
    backups.mkdir()
    (folder / "session.json").rename(backups / "session-2026-01-01-120000.json")
    (backups / "session-2026-01-02-120000.json").write_text("{")
    (backups / "session-renamed-by-hand.json").write_text("{")
    (folder / "session.json").write_text("{")
    state, notice = session.load()
    assert state == full_state()
    assert "1 January 2026, 12:00" in notice


def test_three_backups_and_one_a_day_are_kept(
    session: SessionFile, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = datetime.datetime(2026, 1, 1, 9)

    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return clock

    monkeypatch.setattr(project.datetime, "datetime", Clock)
    for _ in range(1 + 4 * 3):
        session.save(SessionState())
        session.save(SessionState())
        clock += datetime.timedelta(hours=6)
    assert sorted(path.stem for path in (folder / "backups").iterdir()) == [
        "session-2026-01-01-210000",
        "session-2026-01-02-210000",
        "session-2026-01-03-210000",
        "session-2026-01-04-030000",
        "session-2026-01-04-090000",
    ]


def test_a_newer_version_is_refused_and_left_alone(session: SessionFile, folder: Path) -> None:
    content = json.dumps({"version": project.VERSION + 1, "state": {"from": "the future"}})
    folder.joinpath("session.json").write_text(content)
    with pytest.raises(ProjectError, match="newer Undersong"):
        session.load()
    for attempt in (lambda: session.save(SessionState()), lambda: session.save_running(TAKE)):
        with pytest.raises(ProjectError, match="newer Undersong"):
            attempt()
    assert {path.name for path in folder.iterdir()} == {"session.json", "lock"}
    assert folder.joinpath("session.json").read_text() == content


def test_an_older_version_is_brought_up_to_date(
    session: SessionFile, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.joinpath("session.json").write_text(json.dumps({"version": 1, "state": {"name": "Old"}}))
    monkeypatch.setattr(project, "VERSION", 2)
    monkeypatch.setitem(project.MIGRATIONS, 1, lambda plain: {"title": plain["name"]})
    assert session.load() == (SessionState(title="Old"), "")


def test_what_cannot_be_written_as_json_is_refused(session: SessionFile, folder: Path) -> None:
    session.save(full_state())
    with pytest.raises(ProjectError, match="cannot be saved"):
        session.save(SessionState(sampling=Sampling(temperature=float("nan"))))
    assert session.load() == (full_state(), "")


def test_a_second_window_is_told_so(session: SessionFile, folder: Path) -> None:
    with pytest.raises(ProjectLocked, match="already open"):
        SessionFile(folder)
    session.close()
    session.close()
    SessionFile(folder).close()


def test_left_over_parts_are_swept_up(folder: Path) -> None:
    folder.mkdir()
    (folder / ".session.json.123.part").write_text("half")
    SessionFile(folder).close()
    assert [path.name for path in folder.iterdir()] == ["lock"]


def test_a_folder_that_cannot_be_made_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProjectError, match="Nothing can be saved in"):
        SessionFile(tmp_path / "file" / "session")


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no session private by file mode")
def test_the_session_is_the_writers_own(session: SessionFile, folder: Path) -> None:
    session.save(full_state())
    assert (folder / "session.json").stat().st_mode & 0o077 == 0
