"""The session against the world: kill -9, a full disk, a read-only folder, a dead window's lock."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from undersong.core.errors import ProjectError
from undersong.core.project import SessionFile, SessionState

WRITER = """
import sys
from pathlib import Path
from undersong.core.mixing import Mix
from undersong.core.project import SessionFile
from undersong.core.recipe import Recipe
from undersong.core.sampling import Sampling
from undersong.core.takes import PaneText, Take

session = SessionFile(Path(sys.argv[1]))
state, notice = session.load()
number = int(state.query or 0)
recipe = Recipe("m", "s", Mix(), Sampling(), "d")
while True:
    number += 1
    state.query = str(number)
    state.title = "x" * (number % 97) * 1000
    session.save(state)
    print(number, flush=True)
    session.save_running(Take("Once", (PaneText("mix", "y" * 1000),), recipe, id=str(number)))
"""


def test_twenty_kills_lose_no_saved_word(tmp_path: Path) -> None:
    chance = random.Random(9)
    for _ in range(20):
        command = [sys.executable, "-c", WRITER, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout
            promised = int(writer.stdout.readline())
            time.sleep(chance.uniform(0, 0.05))
            writer.kill()
            promised = max([promised, *map(int, writer.stdout.read().split("\n")[:-1])])
        assert writer.returncode == -signal.SIGKILL
        session = SessionFile(tmp_path)  # the dead process's lock is taken over
        state, notice = session.load()
        session.save(state)
        session.close()
        number = int(state.query)
        assert promised <= number <= promised + 1
        assert state.title == "x" * (number % 97) * 1000
        assert "damaged" not in notice
        assert all(take.panes[0].text == "y" * 1000 for take in state.takes)
    assert not list(tmp_path.glob("*damaged*"))
    assert not list(tmp_path.glob(".*.part"))


FULL_DISK = """
import resource, sys
from pathlib import Path
from undersong.core.errors import ProjectError
from undersong.core.project import SessionFile

session = SessionFile(Path(sys.argv[1]))
state, _ = session.load()
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
state.title = "y" * 50_000
try:
    session.save(state)
except ProjectError as error:
    print(error)
state.title = "room again"
session.save(state)
"""


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    session = SessionFile(tmp_path)
    session.save(SessionState(title="before"))
    session.close()
    run = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "session.json could not be saved" in run.stdout
    assert "What was saved before is untouched" in run.stdout
    session = SessionFile(tmp_path)
    assert session.load() == (SessionState(title="room again"), "")
    session.close()


@pytest.fixture
def saved() -> Iterator[SessionFile]:
    """A session in a folder that others can reach."""
    with tempfile.TemporaryDirectory() as place:
        session = SessionFile(Path(place))
        session.save(SessionState(title="before"))
        Path(place).chmod(0o755)
        Path(place, "session.json").chmod(0o644)
        yield session
        session.close()
        Path(place).chmod(0o755)
        assert '"before"' in Path(place, "session.json").read_text()


@contextlib.contextmanager
def nobody() -> Iterator[None]:
    """Root may write everywhere: be somebody who may not for a while."""
    if os.getuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_read_only_folder_gets_a_sentence(saved: SessionFile) -> None:
    folder = saved.folder
    folder.chmod(0o555)
    with nobody():
        with pytest.raises(ProjectError, match="could not be saved"):
            saved.save(SessionState(title="after"))
        with pytest.raises(ProjectError, match="Nothing can be saved in"):
            SessionFile(folder / "new")


def test_a_damaged_session_in_a_read_only_folder_gets_a_sentence(saved: SessionFile) -> None:
    path = saved.folder / "session.json"
    before = path.read_bytes()
    path.write_bytes(b"{")
    saved.folder.chmod(0o555)
    with nobody(), pytest.raises(ProjectError, match="could not be set aside"):
        saved.load()
    assert path.read_bytes() == b"{"
    path.write_bytes(before)


def test_a_session_that_may_not_be_read_is_left_alone(saved: SessionFile) -> None:
    path = saved.folder / "session.json"
    path.chmod(0o000)
    with nobody():
        with pytest.raises(ProjectError, match="may not be read"):
            saved.load()
        with pytest.raises(ProjectError, match="may not be read"):
            saved.save(SessionState())
    path.chmod(0o644)
