"""How numbers about qualities are said to writers, and which words of an example are worth showing."""

from __future__ import annotations

import re

from PySide6.QtCore import QCoreApplication

from undersong.core.features import Example

RARE = 2e-5
"""A quality that shows less often than this may do little when it is pushed."""
BEFORE, AFTER = 60, 44
"""Characters of an example shown around its hottest word."""
ENDS = tuple('.!?…"”’')
"""An example that ends otherwise was cut out of a sentence."""


def how_common(density: float) -> str:
    """``density``, a share of all words, as ``1 word in 320``."""
    if density <= 0:
        return _tr("very rare")
    every = 1 / density
    if every < 1.5:
        return _tr("nearly every word")
    digits = len(str(int(every))) - 2
    rounded = round(every, -digits) if digits > 0 else round(every)
    return _tr("1 word in {n}").format(n=f"{rounded:,.0f}")


def match_percent(match: float) -> str:
    """How well a quality fits the words that were searched."""
    return _tr("{percent}% match").format(percent=round(100 * match))


def snippet(example: Example) -> tuple[list[str], list[float]]:
    """The words around the hottest one of an example, on one line, with their heat."""
    if not example.pieces:
        return [], []
    pieces = _on_one_line(example.pieces)
    hottest = max(range(len(pieces)), key=lambda i: example.values[i])
    first = _reach(pieces, hottest, -1, BEFORE)
    last = _reach(pieces, hottest, 1, AFTER)
    shown = pieces[first : last + 1]
    heat = list(example.values[first : last + 1])
    shown[0] = shown[0].lstrip()
    shown[-1] = shown[-1].rstrip()
    if first > 0 or shown[0][:1].islower():
        shown, heat = ["…", *shown], [0.0, *heat]
    if last < len(pieces) - 1 or "".join(shown)[-1:] not in ENDS:
        shown, heat = [*shown, "…"], [*heat, 0.0]
    return shown, heat


def _on_one_line(pieces: tuple[str, ...]) -> list[str]:
    """The pieces with every run of white space, also across pieces, as one space."""
    shown: list[str] = []
    after_space = False
    for piece in pieces:
        plain = re.sub(r"\s+", " ", piece)
        shown.append(plain.lstrip() if after_space else plain)
        after_space = shown[-1].endswith(" ") if shown[-1] else after_space
    return shown


def _reach(pieces: list[str], start: int, step: int, room: int) -> int:
    """How far one can go from ``start`` within ``room`` characters and stop between two words."""
    at = best = start
    used = 0
    while 0 <= at + step < len(pieces):
        at += step
        used += len(pieces[at])
        if used > room:
            return best
        begins_word = pieces[at].startswith(" ") if step < 0 else _ends_word(pieces, at)
        if begins_word:
            best = at
    return at


def _ends_word(pieces: list[str], at: int) -> bool:
    return at + 1 >= len(pieces) or not pieces[at + 1][:1].isalnum()


def _tr(text: str) -> str:
    return QCoreApplication.translate("wording", text)
