"""packaging/dev.py: what it installs and in which order, and what it says when it cannot."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "packaging" / "dev.py"


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, with an environment folder of its own."""
    monkeypatch.setenv("UNDERSONG_VENV", str(tmp_path / "environment"))
    spec = importlib.util.spec_from_file_location("dev", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def pips(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Every call of pip, none of which is made; the smaller torch is not to be had."""
    calls: list[tuple[str, ...]] = []

    def pip(*arguments: str, quiet: bool = False) -> int:
        calls.append(arguments)
        return int(quiet)

    monkeypatch.setattr(dev, "pip", pip)
    monkeypatch.setattr(dev, "works", lambda: dev.PYTHON.exists())
    monkeypatch.setattr(dev, "has_gpu", lambda: False)
    monkeypatch.setattr(sys, "platform", "linux")
    return calls


def make_environment(dev: ModuleType) -> None:
    dev.PYTHON.parent.mkdir(parents=True)
    dev.PYTHON.write_text("")
    (dev.VENV / "pyvenv.cfg").write_text("")


@pytest.mark.parametrize("arguments", [[], ["dance"]])
def test_misuse_is_answered_with_the_usage(arguments: list[str]) -> None:
    run = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "dev.py run" in run.stderr


def test_torch_comes_first_by_its_exact_version(dev: ModuleType, pips: list[tuple[str, ...]]) -> None:
    make_environment(dev)
    dev.set_up(for_tests=False)
    assert pips == [
        ("install", f"torch=={dev.TORCH}+cpu"),
        ("install", f"torch=={dev.TORCH}"),
        ("install", "--editable", str(dev.ROOT)),
    ]


def test_the_second_time_nothing_is_installed(dev: ModuleType, pips: list[tuple[str, ...]]) -> None:
    make_environment(dev)
    dev.set_up(for_tests=True)
    assert pips[-1] == ("install", "--editable", f"{dev.ROOT}[dev]")
    pips.clear()
    dev.set_up(for_tests=True)
    dev.set_up(for_tests=False)
    assert pips == []


def test_tests_need_more_than_running(dev: ModuleType, pips: list[tuple[str, ...]]) -> None:
    make_environment(dev)
    dev.set_up(for_tests=False)
    pips.clear()
    dev.set_up(for_tests=True)
    assert pips[-1] == ("install", "--editable", f"{dev.ROOT}[dev]")


def test_other_requirements_or_another_place_install_again(
    dev: ModuleType, pips: list[tuple[str, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_environment(dev)
    dev.set_up(for_tests=False)
    pips.clear()
    (tmp_path / "pyproject.toml").write_text(f'dependencies = ["torch=={dev.TORCH}"]')
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    dev.set_up(for_tests=False)
    assert pips[-1] == ("install", "--editable", str(tmp_path))


def test_a_failed_installation_is_not_taken_for_done(
    dev: ModuleType, pips: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_environment(dev)
    monkeypatch.setattr(dev, "pip", lambda *_, quiet=False: 1)
    with pytest.raises(SystemExit, match="could not be installed"):
        dev.set_up(for_tests=False)
    assert not (dev.VENV / "undersong-set-up").exists()


def test_a_folder_that_is_no_environment_is_left_alone(dev: ModuleType, pips: list[tuple[str, ...]]) -> None:
    dev.VENV.mkdir()
    (dev.VENV / "novel.txt").write_text("Once")
    with pytest.raises(SystemExit, match="is no virtual environment"):
        dev.set_up(for_tests=False)
    assert (dev.VENV / "novel.txt").read_text() == "Once"
    assert pips == []


def test_missing_libraries_are_named_with_the_line_to_type(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "has_library", lambda name: name != "libEGL.so.1")
    monkeypatch.setattr(dev.os, "geteuid", lambda: 1000, raising=False)
    monkeypatch.setattr(dev.shutil, "which", lambda name: name)
    with pytest.raises(SystemExit, match=r"sudo apt-get install -y --no-install-recommends libegl1$"):
        dev.install_libraries(dev.LIBRARIES)


def test_root_installs_what_is_missing(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        commands.append(command)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(dev, "has_library", lambda name: len(commands) == 2)
    monkeypatch.setattr(dev.os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(dev.shutil, "which", lambda name: name)
    monkeypatch.setattr(dev.subprocess, "run", run)
    dev.install_libraries({"libEGL.so.1": "libegl1"})
    assert commands == [
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-y", "--no-install-recommends", "libegl1"],
    ]


def test_an_old_python_is_told_what_to_install(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "NEEDED", (99, 0))
    monkeypatch.setattr(dev.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer"):
        dev.find_newer_python()


def test_the_script_itself_can_be_read_by_an_old_python() -> None:
    assert ast.parse(SCRIPT.read_text("utf-8"), feature_version=(3, 7)).body
