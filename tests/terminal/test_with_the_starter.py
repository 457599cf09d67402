"""The command line with the real engine and the bundled starter."""

from __future__ import annotations

import json
from typing import Any

import pytest

from undersong.cli import main

COMPARE = ["compare", "--feature", "#17", "1", "--words", "12", "--json", "--device", "cpu"]


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_the_starter_is_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json", "--device", "cpu"]) == 0
    whole = last_line(capsys)
    assert whole["healthy"]
    assert {check["name"] for check in whole["loaded"]["checks"]} == {"zero", "hook", "variance", "cache"}


def test_without_the_mix_both_texts_are_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMPARE, "--prompt", "Once upon a time", "--whole-mix", "0"]) == 0
    whole = last_line(capsys)
    assert whole["without"] == whole["with"]
    assert whole["words"] == [12, 12]


def test_a_long_opening_is_cut_with_a_sentence_and_seeds_repeat(capsys: pytest.CaptureFixture[str]) -> None:
    prompt = "The old man walked along the road and looked at the sky. " * 1800
    assert main([*COMPARE, "--prompt", prompt, "--seed", "5"]) == 0
    captured = capsys.readouterr()
    assert "Your opening is about 21,600 words" in captured.err
    first = json.loads(captured.out.splitlines()[-1])
    assert main([*COMPARE, "--prompt", prompt, "--seed", "5"]) == 0
    again = last_line(capsys)
    assert (first["without"], first["with"]) == (again["without"], again["with"])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--prompt", "", "--feature", "#17", "1"], "The opening is empty"),
        (["--prompt", "Once", "--feature", "#3072", "1"], "3072"),
        (
            ["--prompt", "Once", "--feature", "#1", "1", "--model", "no such folder", "--sae", "neither"],
            "no such folder",
        ),
    ],
)
def test_bad_input_gets_a_sentence(capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str) -> None:
    assert main(["compare", *arguments]) == 1
    assert sentence in capsys.readouterr().err
