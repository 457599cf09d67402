"""Sections of RESULTS.md: each benchmark replaces its own and says where, when and how it was measured."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Sequence
from pathlib import Path

import psutil
import torch
import transformers

import undersong

RESULTS = Path(__file__).with_name("RESULTS.md")
HEADER = "# What was measured\n\nEach section is written by the command it names.\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is words, the others numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine() -> str:
    """Where this was measured, in one line."""
    cores = psutil.cpu_count(logical=False)
    load = psutil.getloadavg()[0]
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return (
        f"{processor()}, {cores} cores, {torch.get_num_threads()} torch threads, load {load:.1f} when it ended{gpu}; "
        f"Undersong {undersong.__version__}, torch {torch.__version__}, transformers {transformers.__version__}, "
        f"Python {platform.python_version()}"
    )


def processor() -> str:
    """The processor's name."""
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def write_section(name: str, title: str, command: str, text: str) -> None:
    """Put a section into RESULTS.md in place of its older self."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    section = f"{begin}\n## {title}\n\n{text}\n\nMeasured {now} with `{command}` on {machine()}.\n{end}"
    whole = RESULTS.read_text("utf-8") if RESULTS.exists() else HEADER
    before, found, rest = whole.partition(begin)
    after = rest.partition(end)[2] if found else ""
    RESULTS.write_text(before.rstrip("\n") + "\n\n" + section + "\n" + after.lstrip("\n"), encoding="utf-8")
