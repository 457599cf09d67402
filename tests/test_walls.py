"""The walls between core, window and engine, checked by import-linter and in clean interpreters."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

IMPORT_ALL = """
import importlib, json, pkgutil, sys
before = set(sys.modules)
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(module.name)
print(json.dumps(sorted({name.split(".")[0] for name in set(sys.modules) - before})))
"""


def imported_by(package: str) -> set[str]:
    """Every top-level package that importing all of ``package`` brings into a clean interpreter."""
    run = subprocess.run([sys.executable, "-c", IMPORT_ALL, package], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_the_contracts_hold() -> None:
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]


@pytest.mark.parametrize(
    ("package", "never"),
    [
        ("undersong.ui", {"torch", "transformers", "safetensors", "accelerate"}),
        ("undersong.engine", {"PySide6", "shiboken6", "pyqtgraph"}),
        ("undersong.terminal", {"torch", "transformers", "PySide6"}),
    ],
)
def test_a_clean_interpreter_loads_only_its_side(package: str, never: set[str]) -> None:
    assert not imported_by(package) & never


def test_core_needs_nothing_but_the_standard_library() -> None:
    assert imported_by("undersong.core") - sys.stdlib_module_names == {"undersong"}


@pytest.mark.parametrize(
    ("what", "where"),
    [
        ("QProcess", {"ui/engine_process.py"}),
        (r"subprocess\.Popen", {"terminal/engine_client.py"}),
        (r"sys\.stdin\b", {"engine/serve.py", "cli.py"}),
        (r"\bwrite_whole\b", {"core/files.py", "core/project.py", "core/settings.py"}),
        (r"\bto_line\b", {"core/messages.py", "engine/serve.py", "ui/engine_process.py", "terminal/engine_client.py"}),
        (
            r"json\.dumps",
            {"core/messages.py", "core/project.py", "core/settings.py", "engine/library.py", "terminal/show.py"},
        ),
    ],
)
def test_only_these_modules_do_this(what: str, where: set[str]) -> None:
    package = ROOT / "desktop" / "undersong"
    doing = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(what, path.read_text("utf-8"))
    }
    assert doing <= where


def test_the_door_imports_nothing_before_choosing() -> None:
    code = "import sys, undersong.__main__; print([n for n in ('torch', 'PySide6', 'rich') if n in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
