"""The shape of the house: sizes, docstrings, names, and what must never be committed."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import undersong

ROOT = Path(__file__).resolve().parents[1]
MOST_LINES = 400
MOST_FUNCTION_LINES = 40
MOST_BYTES = 55_000_000
FORBIDDEN_WORDS = {"manager", "helper", "helpers", "util", "utils", "handler", "neuron", "neurons"}
FORBIDDEN_ALONE = {"data", "info"}
LEFT_BEHIND = {".venv", "__pycache__", ".pytest_cache", ".ruff_cache", "undersong.egg-info", "build", "dist"}

# In pieces, so that this file does not name what it forbids
MACHINE_PATHS = re.compile(r"(?<![\w.~}/])/(?:w" + "ork|r" + "oot|t" + "mp|h" + r"ome)/\w")
REGISTRIES = re.compile(r"py" + r"pi\.org|python" + r"hosted|npm" + r"js\.|download\.py" + "torch")
UNFINISHED = re.compile(r"\bTO" + r"DO\b|\bFIX" + r"ME\b|\bXX" + r"X\b|NotImplemented" + "Error")


@cache
def files() -> tuple[Path, ...]:
    """Every file that is or would be committed; in a copy without git, every file but what tools leave behind."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if not shutil.which("git") or not (ROOT / ".git").exists():
        return tuple(path for path in ROOT.rglob("*") if path.is_file() and not LEFT_BEHIND & {*path.parts})
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


@cache
def modules() -> tuple[tuple[Path, ast.Module], ...]:
    """Every Python file, parsed."""
    return tuple((path, ast.parse(path.read_text("utf-8"))) for path in files() if path.suffix == ".py")


def texts() -> Iterator[tuple[Path, str]]:
    """Every file a person wrote."""
    for path in files():
        if path.suffix in {".py", ".md", ".toml", ".cfg", ".ini", ".txt", ".qss", ".sh", ".yml", ""}:
            yield path, path.read_text("utf-8", errors="replace")


def place(path: Path, node: ast.AST | None = None) -> str:
    """Where something is, for a message."""
    return str(path.relative_to(ROOT)) + (f":{getattr(node, 'lineno', 0)}" if node else "")


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method."""
    return (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def test_files_are_short() -> None:
    long = [place(path) for path, _ in modules() if len(path.read_text("utf-8").splitlines()) > MOST_LINES]
    assert not long


def test_functions_are_short() -> None:
    long = [
        f"{place(path, node)} {node.name}: {lines}"
        for path, tree in modules()
        for node in functions(tree)
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > MOST_FUNCTION_LINES
    ]
    assert not long


def test_every_module_says_what_it_is_for() -> None:
    assert not [place(path) for path, tree in modules() if not ast.get_docstring(tree)]


def test_every_public_function_and_class_of_the_application_is_described() -> None:
    silent = [
        f"{place(path, node)} {node.name}"
        for path, tree in modules()
        if "desktop" in path.parts
        for node in public(path, tree)
        if not ast.get_docstring(node)
    ]
    assert not silent


def public(path: Path, tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Public functions, classes and methods, less the methods of the window, many of which Qt describes."""
    inside = list(tree.body)
    if "ui" not in path.parts:
        inside += [node for cls in tree.body if isinstance(cls, ast.ClassDef) for node in cls.body]
    for node in inside:
        named = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        if named and not node.name.startswith("_") and not is_setter(node):
            yield node


def is_setter(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Whether this is the second half of a property, which its first half describes."""
    return any(isinstance(d, ast.Attribute) and d.attr == "setter" for d in node.decorator_list)


@pytest.mark.parametrize("folder", ["packaging", "resources", "models"])
def test_folders_of_files_are_no_packages(folder: str) -> None:
    # packaging/__init__.py would hide the library “packaging”, which transformers imports
    assert not list((ROOT / folder).rglob("__init__.py"))


def test_translated_texts_are_literal() -> None:
    built = [
        place(path, call)
        for path, tree in modules()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and re.search(r"(\btr|QCoreApplication\.translate|QT_TRANSLATE_NOOP)$", ast.unparse(call.func))
        and call.args
        and any(isinstance(part, (ast.JoinedStr, ast.BinOp, ast.Call)) for part in call.args)
        and "tests" not in path.parts
    ]
    assert not built


@pytest.mark.parametrize("pattern", [MACHINE_PATHS, REGISTRIES, UNFINISHED], ids=["paths", "registries", "unfinished"])
def test_nothing_of_this_is_committed(pattern: re.Pattern[str]) -> None:
    assert not [f"{place(path)}: {found[0]}" for path, text in texts() if (found := pattern.search(text))]


def test_the_tree_is_small_enough() -> None:
    assert sum(path.stat().st_size for path in files()) <= MOST_BYTES


def test_names_say_something() -> None:
    named = [(path, path.stem) for path, _ in modules()]
    named += [
        (path, node.name) for path, tree in modules() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    ]
    empty = []
    for path, name in named:
        words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}
        if words & FORBIDDEN_WORDS or (len(words) == 1 and words & FORBIDDEN_ALONE):
            empty.append(f"{place(path)}: {name}")
    assert not empty


def test_every_test_checks_something() -> None:
    checks = re.compile(r"\bassert\b|pytest\.(raises|warns|fail)|waitUntil|waitSignal|\bexpect|assert_")
    idle = [
        f"{place(path, node)} {node.name}"
        for path, tree in modules()
        if path.name.startswith("test_")
        for node in functions(tree)
        if node.name.startswith("test_") and not checks.search(ast.unparse(node))
    ]
    assert not idle


def test_the_change_log_knows_this_version() -> None:
    assert f"## {undersong.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_readme_and_the_build_machine_run_the_same_command() -> None:
    command = "python3 packaging/dev.py test"
    assert command in (ROOT / "README.md").read_text("utf-8")
    assert (ROOT / ".ci" / "run").read_text("utf-8").splitlines()[-1] == command


@pytest.mark.parametrize(
    "arguments",
    [
        ["ruff", "check", "--no-cache", "."],
        ["ruff", "format", "--no-cache", "--check", "."],
        ["pyright", "--pythonpath", sys.executable],
    ],
    ids=["ruff", "format", "pyright"],
)
def test_the_tools_are_content(arguments: list[str]) -> None:
    run = subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-1000:]
