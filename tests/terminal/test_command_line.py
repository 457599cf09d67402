"""The command line against the scripted engine: what it shows, what it writes for scripts, how it ends."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from undersong.cli import main
from undersong.core.sampling import Sampling

FAKE = [sys.executable, str(Path(__file__).parents[1] / "fakes" / "engine.py")]
COMPARE = ["compare", "--prompt", "Once upon a time", "--feature", "the sea", "0.8", "--words", "30"]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command; gives its exit status, stdout and stderr."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("FAKE_SPEED", "5000")

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(arguments, FAKE)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_compare_shows_both_texts_and_where_they_part(run: Run) -> None:
    status, out, err = run(*COMPARE)
    assert status == 0
    assert "Without the mix" in out
    assert "With the mix" in out
    assert out.count("Once upon a time") == 2
    assert "parts ways at word" in out
    assert f"seed {Sampling().seed}" in out
    assert "+0.80" in out
    assert "“the sea” is taken to mean quality #0, “the sea, ships and shores”" in " ".join(err.split())


def test_compare_writes_lines_for_scripts_and_nothing_else(run: Run) -> None:
    status, out, _ = run(*COMPARE, "--feature", "#5", "-0.5", "--silence", "7", "--json", "--seed", "3", "--heat")
    assert status == 0
    *steps, last = lines(out)
    assert last["without"] == "".join(step["without"] for step in steps)
    assert last["with"] == "".join(step["with"] for step in steps)
    assert last["words"] == [30, 30]
    assert last["reasons"] == ["words", "words"]
    assert last["without"].split()[: last["parting_word"] - 1] == last["with"].split()[: last["parting_word"] - 1]
    assert last["without"].split()[last["parting_word"] - 1] != last["with"].split()[last["parting_word"] - 1]
    assert [(f["feature"]["index"], f["level"], f["op"]) for f in last["faders"]] == [
        (0, 0.8, "add"),
        (5, -0.5, "add"),
        (7, 0.0, "ablate"),
    ]
    assert last["sampling"]["seed"] == 3


def test_a_mix_at_zero_changes_nothing(run: Run) -> None:
    _, out, _ = run(*COMPARE, "--whole-mix", "0", "--json")
    last = lines(out)[-1]
    assert last["without"] == last["with"]
    assert last["parting_word"] == 0


def test_the_prompt_can_come_from_stdin(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("From a file"))
    status, out, _ = run("compare", "--prompt", "-", "--feature", "1", "1", "--words", "3")
    assert status == 0
    assert "From a file" in out


def test_search_lists_and_says_when_nothing_matches(run: Run) -> None:
    status, out, err = run("search", "the sea", "--limit", "4")
    assert status == 0
    assert "the sea, ships and shores" in out
    assert "4 of 48 qualities" in err
    status, out, err = run("search", "xylophone")
    assert status == 0
    assert "Nothing matches “xylophone”; these are the nearest." in err
    status, out, _ = run("search", "the sea", "--limit", "4", "--json")
    assert lines(out)[0]["feature"] == 0
    assert len(lines(out)) == 4


def test_inspect_shows_the_card(run: Run) -> None:
    status, out, _ = run("inspect", "#5")
    assert status == 0
    assert "#5  kings and queens" in out
    assert "unclear" in out
    assert "Where it shows" in out
    status, out, _ = run("inspect", "the sea", "--json")
    assert lines(out)[0]["label"] == "the sea, ships and shores"


def test_doctor_lists_everything_and_the_lamps(run: Run) -> None:
    status, out, _ = run("doctor")
    assert status == 0
    for word in ("Undersong", "Python", "Memory", "Device", "Dictionary", "● The zero check passed.", "All is well."):
        assert word in out
    status, out, _ = run("doctor", "--json")
    assert status == 0
    (whole,) = lines(out)
    assert whole["healthy"] is True
    assert whole["loaded"]["checks"][0]["name"] == "zero"


def test_doctor_says_what_is_wrong(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_FAIL_LOAD", "The file model.safetensors is missing.")
    status, out, _ = run("doctor")
    assert status == 1
    assert "▲ failed: The file model.safetensors is missing." in out
    assert "Something is wrong" in out
    status, out, _ = run("doctor", "--json")
    assert status == 1
    assert lines(out)[0]["problem"] == "The file model.safetensors is missing."


def test_the_tour_goes_from_search_to_both_texts(run: Run) -> None:
    status, out, _ = run("first-run")
    assert status == 0
    assert "Searching for “" in out
    assert "With the mix" in out
    assert "undersong compare" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--prompt", "Once", "--feature", "xylophone", "1"], "No quality matches “xylophone”"),
        (["--prompt", "Once", "--feature", "#99999", "1"], "There is no quality number 99999"),
        (["--prompt", "Once", "--feature", "the sea", "loud"], "should be a number from -2 to 2, not “loud”"),
        (["--prompt", "Once", "--feature", "the sea", "3"], "should be a number from -2 to 2"),
        (["--prompt", "Once", "--feature", "the sea", "nan"], "should be a number from -2 to 2"),
        (["--prompt", "Once"], "The mix is empty"),
        (["--prompt", " ", "--feature", "1", "1"], "The opening is empty"),
        (["--prompt", "Once", "--feature", "1", "1", "--words", "0"], "at least one word"),
        (["--prompt", "Once", "--feature", "1", "1", "--whole-mix", "2"], "whole mix should lie between"),
        (["--prompt", "Once", "--feature", "1", "1", "--model", "elsewhere"], "name it with --sae"),
    ],
)
def test_bad_input_gets_a_sentence(run: Run, arguments: list[str], sentence: str) -> None:
    status, out, err = run("compare", *arguments, "--json")
    assert status == 1
    assert sentence in err
    assert out == ""


@pytest.mark.parametrize(
    "arguments", [[], ["sing"], ["compare"], ["search"], ["compare", "--prompt", "x", "--seed", "x"]]
)
def test_misuse_is_answered_with_the_usage(run: Run, arguments: list[str]) -> None:
    status, out, err = run(*arguments)
    assert status == 2
    assert "usage: undersong" in err
    assert out == ""


def test_help_and_version_are_no_errors(run: Run) -> None:
    assert run("--version")[0] == 0
    status, out, _ = run("compare", "--help")
    assert status == 0
    assert "--feature" in out


def test_a_crash_keeps_the_text_and_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CRASH", "8")
    status, out, err = run(*COMPARE)
    assert status == 1
    assert "With the mix" in out
    assert "The engine ended without being asked to (exit code 9)" in err


def test_an_engine_of_another_protocol_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_PROTOCOL", "99")
    status, _, err = run("search", "x")
    assert status == 1
    assert "another protocol" in err


def test_an_engine_that_cannot_start_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CRASH", "start")
    status, _, err = run("search", "x")
    assert status == 1
    assert "ended without being asked to" in err


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_an_interrupt_stops_in_good_order_and_keeps_the_text() -> None:
    code = f"import sys; from undersong.cli import main; sys.exit(main({[*COMPARE[:-1], '5000', '--json']}, {FAKE}))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        first = [process.stdout.readline() for _ in range(5)]
        process.send_signal(signal.SIGINT)
        *steps, last = lines("".join([*first, process.stdout.read()]))
    assert process.returncode == 130
    assert last["reasons"] == ["stopped", "stopped"]
    assert last["with"] == "".join(step["with"] for step in steps)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no head")
def test_a_reader_who_has_enough_is_no_error() -> None:
    code = f"import sys; from undersong.cli import main; sys.exit(main({[*COMPARE, '--json']}, {FAKE}))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
    assert b"Traceback" not in said
    assert b"Exception" not in said
