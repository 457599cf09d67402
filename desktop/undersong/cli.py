"""The command line: what can be asked, and how it ends (0 well, 1 with a sentence, 2 misused, 130 stopped)."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import fields

from rich.console import Console

import undersong
from undersong.core.errors import RequestError, UndersongError
from undersong.core.mixing import MOST_LEVEL, MOST_MASTER
from undersong.core.sampling import Sampling
from undersong.terminal.asking import ModelChoice, begin_loading, finish_loading
from undersong.terminal.compare import Streams, Wanted, faders_for, result, stream
from undersong.terminal.engine_client import EngineClient
from undersong.terminal.first_run import first_run
from undersong.terminal.look import doctor, inspect, search
from undersong.terminal.show import Screen

STOPPED = 130


def main(arguments: Sequence[str], engine_command: Sequence[str] = ()) -> int:
    """Do what the arguments ask for; returns the exit status."""
    try:
        asked = parser().parse_args(arguments)
    except SystemExit as end:  # argparse has already said why
        return int(end.code or 0)
    screen = Screen(Console(), Console(stderr=True), asked.json)
    try:
        sampling = sampling_of(asked)
        with EngineClient(engine_command) as engine:
            return run(asked, sampling, engine, screen)
    except UndersongError as error:
        screen.say(str(error))
        if error.detail and asked.verbose:
            screen.say(error.detail)
        return 1
    except KeyboardInterrupt:
        return STOPPED
    except BrokenPipeError:  # whoever read our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def run(asked: argparse.Namespace, sampling: Sampling, engine: EngineClient, screen: Screen) -> int:
    """Carry out one command."""
    choice = ModelChoice(asked.model, asked.sae, asked.library, asked.device)
    if asked.command == "search":
        return search(engine, choice, asked.query, asked.limit, screen)
    if asked.command == "inspect":
        return inspect(engine, choice, asked.quality, screen)
    if asked.command == "doctor":
        return doctor(engine, choice, screen)
    if asked.command == "first-run":
        return first_run(engine, choice, screen)
    return compare(asked, sampling, engine, choice, screen)


def compare(
    asked: argparse.Namespace, sampling: Sampling, engine: EngineClient, choice: ModelChoice, screen: Screen
) -> int:
    """Write with and without the mix that was asked for."""
    wanted = [Wanted(what, level_of(what, level)) for what, level in asked.feature]
    wanted += [Wanted(what, 0.0, "ablate") for what in asked.silence]
    if not wanted:
        raise RequestError('The mix is empty. Add a quality: --feature "the sea" 0.8')
    prompt = sys.stdin.read() if asked.prompt == "-" else asked.prompt
    loaded = finish_loading(engine, begin_loading(engine, choice), screen)
    streams = Streams(prompt, faders_for(engine, loaded, wanted, screen), heated=asked.heat)
    whole = stream(engine, streams, asked.whole_mix, sampling, screen)
    if screen.as_json:
        screen.line(**result(streams, loaded, asked.whole_mix, sampling))
    return 0 if whole else STOPPED


def level_of(what: str, level: str) -> float:
    """A fader's level from what was typed; raises RequestError."""
    try:
        number = float(level)
    except ValueError:
        number = float("nan")
    if not -MOST_LEVEL <= number <= MOST_LEVEL:
        raise RequestError(f"The level of “{what}” should be a number from -2 to 2, not “{level}”.")
    return number


def sampling_of(asked: argparse.Namespace) -> Sampling:
    """How words are to be drawn; raises RequestError for a setting out of range."""
    given = {f.name: getattr(asked, f.name) for f in fields(Sampling) if getattr(asked, f.name, None) is not None}
    sampling = Sampling(**given)
    if problem := sampling.problem():
        raise RequestError(problem)
    if not 0 <= getattr(asked, "whole_mix", 0) <= MOST_MASTER:
        raise RequestError(f"The whole mix should lie between 0 and {MOST_MASTER}.")
    return sampling


def parser() -> argparse.ArgumentParser:
    """Everything that can be asked."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="machine-readable lines, nothing else on stdout")
    common.add_argument("--verbose", action="store_true", help="show the details of errors")
    common.add_argument("--model", default="", help="folder of another language model")
    common.add_argument("--sae", default="", help="its dictionary")
    common.add_argument("--library", default="", help="the dictionary's feature library")
    common.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to compute")
    whole = argparse.ArgumentParser(prog="undersong", description="Steer a language model's prose from the inside.")
    whole.add_argument("--version", action="version", version=f"undersong {undersong.__version__}")
    commands = whole.add_subparsers(dest="command", required=True, metavar="command")
    add_compare(commands.add_parser("compare", parents=[common], help="write with and without a mix, side by side"))
    one = commands.add_parser("search", parents=[common], help="find qualities by words")
    one.add_argument("query", help="what you are after; an empty text lists the most useful ones")
    one.add_argument("--limit", type=int, default=20, help="most results (default 20)")
    one = commands.add_parser("inspect", parents=[common], help="everything that is known of one quality")
    one.add_argument("quality", help="its number, or words of which the first hit is taken")
    commands.add_parser("doctor", parents=[common], help="how this computer, installation and model are")
    commands.add_parser("first-run", parents=[common], help="a short tour of what Undersong does")
    return whole


def add_compare(one: argparse.ArgumentParser) -> None:
    """The arguments of ``compare``."""
    usual = Sampling()
    one.add_argument("--prompt", required=True, help="the opening; - reads it from stdin")
    one.add_argument(
        "--feature", nargs=2, action="append", default=[], metavar=("QUALITY", "LEVEL"),
        help='a quality by words or number and how much of it, -2 to 2: --feature "the sea" 0.8 --feature "#17" -0.5',
    )  # fmt: skip
    one.add_argument("--silence", action="append", default=[], metavar="QUALITY", help="take a quality out")
    one.add_argument("--whole-mix", type=float, default=1.0, help="level of the whole mix, 0 to 1.5 (default 1)")
    one.add_argument("--heat", action="store_true", help="colour words by how strongly the first quality shows")
    one.add_argument("--words", type=int, help=f"most words in each text (default {usual.words})")
    one.add_argument("--seed", type=int, help=f"where the chance comes from (default {usual.seed})")
    one.add_argument("--temperature", type=float, help=f"0 is the likeliest word always (default {usual.temperature})")
    one.add_argument("--top-k", type=int, help="draw from so many likeliest tokens (default: all)")
    one.add_argument("--top-p", type=float, help=f"draw from this much probability (default {usual.top_p})")
    one.add_argument("--min-p", type=float, help="leave out tokens less likely than this share of the likeliest")
    one.add_argument("--repetition-penalty", type=float, help="above 1 avoids words already used (default 1)")
    one.add_argument("--least", type=float, help=f"share of the words before a text may end (default {usual.least})")
