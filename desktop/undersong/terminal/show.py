"""How things look in the terminal: words with heat, small curves, shares of the text."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from undersong.core.plain import to_plain

BARS = "▁▂▃▄▅▆▇█"
HEAT = "#e8a33d"
COLD = (60, 56, 50)
HOT = (232, 163, 61)


@dataclass(frozen=True, slots=True)
class Screen:
    """Where things are shown: results on stdout, everything else on stderr."""

    out: Console
    """For what was asked for."""
    aside: Console
    """For progress, notices and errors."""
    as_json: bool = False
    """True: machine-readable lines on ``out`` and nothing else."""

    def line(self, **fields: Any) -> None:
        """One JSON line."""
        sys.stdout.write(json.dumps(to_plain(fields, 6), ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def say(self, sentence: str) -> None:
        """A remark that is no result."""
        self.aside.print(Text(sentence), soft_wrap=True)


def heat(pieces: Iterable[str], shares: Iterable[float]) -> Text:
    """Pieces of text, each on a background that grows warmer with its share of the maximum, 0 … 1."""
    text = Text()
    for piece, share in zip(pieces, shares, strict=False):
        text.append(piece, style=heat_style(share))
    return text


def heat_style(share: float) -> str:
    """A style for a share of the maximum; nothing below a twentieth."""
    if share < 0.05:
        return ""
    red, green, blue = (round(c + min(1.0, share) * (h - c)) for c, h in zip(COLD, HOT, strict=True))
    return f"{'black' if share > 0.5 else 'white'} on rgb({red},{green},{blue})"


def curve(values: Sequence[float]) -> str:
    """A line of bars for values between 0 and 1."""
    return "".join(BARS[min(len(BARS) - 1, int(value * len(BARS)))] for value in values)


def how_common(density: float) -> str:
    """How often a quality shows, for people; ``density`` is a share of tokens."""
    if density <= 0:
        return "never seen"
    return f"1 word in {max(1, round(1 / density)):,}"
