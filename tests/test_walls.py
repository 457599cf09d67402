"""The walls between core, window and engine, checked by import-linter and in clean interpreters."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

IMPORT_ALL = """
import importlib, json, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(module.name)
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def imported_by(package: str) -> set[str]:
    """Every top-level package in memory after importing all of ``package`` in a clean interpreter."""
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
        ("undersong.core", {"torch", "numpy", "PySide6", "rich", "psutil"}),
        ("undersong.ui", {"torch", "transformers", "safetensors", "accelerate"}),
        ("undersong.engine", {"PySide6", "shiboken6", "pyqtgraph"}),
        ("undersong.terminal", {"torch", "transformers", "PySide6"}),
    ],
)
def test_a_clean_interpreter_loads_only_its_side(package: str, never: set[str]) -> None:
    assert not imported_by(package) & never


def test_the_door_imports_nothing_before_choosing() -> None:
    code = "import sys, undersong.__main__; print([n for n in ('torch', 'PySide6', 'rich') if n in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
