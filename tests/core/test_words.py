"""Sampling limits, errors and paths: the small words both sides share."""

from __future__ import annotations

import inspect
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from undersong.core import errors, paths
from undersong.core.samples import openings
from undersong.core.sampling import Sampling


def test_the_usual_sampling_is_in_range() -> None:
    assert Sampling().problem() == ""


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"top_k": -1}, "Top-k"),
        ({"top_p": 0.0}, "Top-p"),
        ({"top_p": 1.1}, "Top-p"),
        ({"min_p": 1.0}, "Min-p"),
        ({"repetition_penalty": 0.5}, "repetition"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**31}, "seed"),
        ({"words": 0}, "length"),
    ],
)
def test_a_setting_out_of_range_gets_its_sentence(change: dict[str, float], word: str) -> None:
    assert word in replace(Sampling(), **change).problem()  # type: ignore[arg-type]


def test_the_error_tree_is_the_one_drawn() -> None:
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, errors.UndersongError)]
    drawn = errors.__doc__ or ""
    assert all(c.__name__ in drawn for c in classes)
    assert len({c.code for c in classes}) == len(classes), "codes cross the process boundary and must differ"


def test_an_error_carries_its_small_print() -> None:
    error = errors.WrongSae("Sentence.", "width 3 against 4")
    assert (str(error), error.detail) == ("Sentence.", "width 3 against 4")


def test_the_checkout_knows_its_folders() -> None:
    assert (paths.root() / "pyproject.toml").is_file()
    assert paths.resource("help") == paths.root() / "resources" / "help"
    assert paths.starter().parent.name == "models"


def test_a_frozen_bundle_keeps_everything_beside_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert paths.resource("x") == tmp_path / "resources" / "x"


@pytest.mark.parametrize(
    ("platform", "variable", "expected"),
    [
        ("linux", "XDG_DATA_HOME", "undersong"),
        ("win32", "APPDATA", "Undersong"),
        ("darwin", "HOME", "Undersong"),
    ],
)
def test_the_writers_folder_follows_the_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str, variable: str, expected: str
) -> None:
    monkeypatch.delenv("UNDERSONG_HOME")
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(variable, str(tmp_path))
    assert paths.data_folder().name == expected
    assert tmp_path in paths.data_folder().parents


def test_the_writers_folder_can_be_chosen(home: Path) -> None:
    assert paths.data_folder() == home
    assert paths.log_folder().parent == home


def test_the_sample_openings_are_ready_to_go_on_from() -> None:
    found = openings()
    assert len(found) >= 3
    assert all("\n" not in opening and 5 < len(opening.split()) < 40 for opening in found)
