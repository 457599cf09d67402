"""What every test begins with: a home of its own, no display, no network; and nothing left alive at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from undersong.core import paths


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A writer's folder that nobody has used."""
    folder = tmp_path / "undersong home"
    monkeypatch.setenv("UNDERSONG_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def starter() -> Path:
    """The bundled starter."""
    return paths.starter()


@pytest.fixture(scope="session", autouse=True)
def no_process_is_left() -> Iterator[None]:
    """Fail with their names if processes outlive the tests."""
    yield
    _, alive = psutil.wait_procs(psutil.Process().children(recursive=True), timeout=5)
    assert not alive, f"left alive: {[' '.join(process.cmdline()) for process in alive]}"
