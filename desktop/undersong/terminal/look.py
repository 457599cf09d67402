"""Look things up: search for qualities, open one, and see how the installation is."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence

import psutil
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

import undersong
from undersong.core import messages as m
from undersong.core import paths
from undersong.core.errors import UndersongError
from undersong.core.features import FeatureCard, Hit
from undersong.core.plain import to_plain
from undersong.terminal.asking import ModelChoice, begin_loading, find, finish_loading
from undersong.terminal.engine_client import EngineClient
from undersong.terminal.show import Screen, curve, heat, how_common

GIGABYTE = 1e9


def search(engine: EngineClient, choice: ModelChoice, query: str, limit: int, screen: Screen) -> int:
    """Show which qualities fit some words."""
    begin_loading(engine, choice)
    results: m.Results = engine.ask(m.Search(engine.number(), query, limit))
    if screen.as_json:
        for hit in results.hits:
            screen.line(**to_plain(hit), nearest=results.nearest)
        return 0
    if results.nearest:
        screen.say(f"Nothing matches “{query}”; these are the nearest.")
    show_hits(results.hits, screen)
    screen.say(f"{len(results.hits)} of {results.total:,} qualities. Their names are guesses made from examples.")
    return 0


def show_hits(hits: Sequence[Hit], screen: Screen) -> None:
    """A table of qualities."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("number", justify="right")
    table.add_column("quality (guessed name)")
    table.add_column("match", justify="right")
    table.add_column("shows on", justify="right")
    table.add_column("along its best example", no_wrap=True)
    for hit in hits:
        name = Text(hit.label) if hit.clear else Text(f"{hit.label} (unclear)", style="dim")
        match = f"{hit.match:.0%}" if hit.match else ""
        table.add_row(f"#{hit.feature}", name, match, how_common(hit.density), curve(hit.spark))
    screen.out.print(table)


def inspect(engine: EngineClient, choice: ModelChoice, asked: str, screen: Screen) -> int:
    """Show everything that is known of one quality."""
    begin_loading(engine, choice)
    hit = find(engine, asked, screen)
    card: FeatureCard = engine.ask(m.Inspect(engine.number(), hit.feature)).card
    if screen.as_json:
        screen.line(**to_plain(card))
        return 0
    out = screen.out
    doubt = "" if card.clear else "  (unclear: this name does not predict well where it shows)"
    out.print(Text.assemble((f"#{card.feature}  {card.label}", "bold"), doubt))
    measured = f", its name predicts where it shows with {card.auroc:.2f} (0.5 is chance, 1 is always)"
    out.print(f"Shows on {how_common(card.density)}{measured if card.auroc else ''}.")
    out.print(Text("Brings:     " + _words(card.promoted)))
    out.print(Text("Takes away: " + _words(card.suppressed)))
    out.print("\nWhere it shows:")
    for example in card.examples:
        out.print(Padding(heat((_one_line(piece) for piece in example.pieces), example.values), (0, 0, 0, 2)))
    if card.near:
        out.print("\nNear it:")
        show_hits(card.near, screen)
    return 0


def _words(words: Sequence[str]) -> str:
    return ", ".join(word.strip() for word in words) or "nothing was measured"


def _one_line(piece: str) -> str:
    return piece.replace("\n", "↵")


def doctor(engine: EngineClient, choice: ModelChoice, screen: Screen) -> int:
    """Show how the computer, the installation and the model are; 1 if anything is wrong."""
    machine = about_machine()
    problem, loaded, checks = "", None, ()
    try:
        loaded = finish_loading(engine, begin_loading(engine, choice), screen)
        checks = loaded.checks
    except UndersongError as error:
        problem = str(error)
    failed = bool(problem) or any(not check.passed for check in checks)
    if screen.as_json:
        screen.line(machine=machine, loaded=loaded, problem=problem, healthy=not failed)
        return int(failed)
    rows = list(machine.items())
    if loaded:
        rows += about_model(loaded)
    table = Table.grid(padding=(0, 2))
    for name, value in rows:
        table.add_row(Text(name, style="dim"), Text(value))
    screen.out.print(table)
    for check in checks:
        lamp = ("●", "green") if check.passed else ("▲ failed:", "bold red")
        screen.out.print(Text.assemble(lamp, " ", check.sentence))
    if problem:
        screen.out.print(Text.assemble(("▲ failed:", "bold red"), " ", problem))
    screen.out.print("Something is wrong; the lines marked ▲ say what." if failed else "All is well.")
    return int(failed)


def about_machine() -> dict[str, str]:
    """The computer and the installation."""
    memory, folder = psutil.virtual_memory(), paths.data_folder()
    place = next(p for p in (folder, *folder.parents) if p.exists())
    writable = "" if os.access(place, os.W_OK) else " (cannot be written: sessions will not be saved)"
    return {
        "Undersong": undersong.__version__,
        "System": f"{platform.system()} {platform.release()} ({platform.machine()})",
        "Python": f"{platform.python_version()} ({sys.executable})",
        "Processor": f"{psutil.cpu_count(logical=False) or 1} cores, {os.cpu_count()} threads",
        "Memory": f"{memory.total / GIGABYTE:.1f} GB, {memory.available / GIGABYTE:.1f} GB free",
        "Sessions": f"{folder}{writable}",
    }


def about_model(loaded: m.Loaded) -> list[tuple[str, str]]:
    """The model that was loaded."""
    return [
        ("Model", f"{loaded.model}: {loaded.layers} layers of width {loaded.d_model}, {loaded.context} tokens at once"),
        ("Dictionary", f"{loaded.sae}: {loaded.d_sae:,} qualities after layer {loaded.layer}"),
        (
            "Library",
            f"{loaded.features:,} qualities with names" if loaded.features else "none: nothing can be searched",
        ),
        ("Device", f"{loaded.device}, {loaded.dtype}"),
        ("In use", f"{loaded.memory / GIGABYTE:.2f} GB of memory by the engine"),
        ("Versions", ", ".join(f"{name} {version}" for name, version in loaded.versions.items())),
    ]
