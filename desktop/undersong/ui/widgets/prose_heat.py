"""Painting under prose: the heat of a quality on the words, the mark where texts part, ticks where the mix changed.

A highlight is one rounded run over neighbouring hot words of a line, shaded from word to word; separate rectangles
would show seams. Only visible lines are visited, so the cost does not grow with the text.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QLinearGradient, QPainter, QTextBlock, QTextLine
from PySide6.QtWidgets import QTextEdit

from undersong.ui import theme

LEAST = 0.05
"""Activations below this share of the maximum are not shown."""
OVERHANG = 2.0
"""Pixels a highlight reaches beyond its words."""


def utf16_length(text: str) -> int:
    """Length as Qt's documents count it: characters beyond the basic plane take two places."""
    return len(text) + sum(character > "\uffff" for character in text)


@dataclass(slots=True)
class TokenMap:
    """Where every token lies in the document, in UTF-16 units, and how hot it is."""

    starts: list[int] = field(default_factory=list)
    """First place of each token, ascending."""
    values: list[float] = field(default_factory=list)
    """Heat of each token, 0 … 1; shorter than ``starts`` where it is not known yet."""
    end: int = 0
    """Place after the last token."""

    def add(self, pieces: Sequence[str]) -> None:
        """Lay further tokens at the end."""
        for piece in pieces:
            self.starts.append(self.end)
            self.end += utf16_length(piece)

    def at(self, place: int) -> int:
        """The token at a place, or -1."""
        if not 0 <= place < self.end:
            return -1
        return bisect.bisect_right(self.starts, place) - 1

    def span(self, token: int) -> tuple[int, int]:
        """First place of a token and the place after it."""
        after = self.starts[token + 1] if token + 1 < len(self.starts) else self.end
        return self.starts[token], after

    def heat(self, token: int) -> float:
        """Heat of a token, 0 if unknown."""
        return self.values[token] if token < len(self.values) else 0.0


@dataclass(frozen=True, slots=True)
class SeenLine:
    """One line of text that is in view."""

    block: QTextBlock
    line: QTextLine
    left: float
    """Where the block's x = 0 lies in the viewport."""
    top: float
    """Top of the line in the viewport."""

    @property
    def start(self) -> int:
        """First place of the line in the document."""
        return self.block.position() + self.line.textStart()

    @property
    def end(self) -> int:
        """Place after the line's last character that is not a space."""
        first = self.line.textStart()
        words = _utf16_slice(self.block.text(), first, first + self.line.textLength())
        return self.start + utf16_length(words.rstrip())

    def x(self, place: int) -> float:
        """Where in the viewport the character at a place begins."""
        return self.left + self.line.cursorToX(place - self.block.position())[0]  # type: ignore[index]


def seen_lines(view: QTextEdit, area: QRectF) -> Iterator[SeenLine]:
    """The lines that cross ``area`` of the viewport, from top to bottom."""
    scrolled_x, scrolled_y = view.horizontalScrollBar().value(), view.verticalScrollBar().value()
    # starting at the block under the area's corner keeps long texts as quick as short ones
    block = view.cursorForPosition(area.topLeft().toPoint()).block()
    while block.isValid():
        origin = block.layout().position() - QPointF(scrolled_x, scrolled_y)
        if origin.y() > area.bottom():
            return
        for i in range(block.layout().lineCount()):
            line = block.layout().lineAt(i)
            top = origin.y() + line.y()
            if top > area.bottom():
                return
            if top + line.height() >= area.top():
                yield SeenLine(block, line, origin.x(), top)
        block = block.next()


def paint_heat(painter: QPainter, seen: SeenLine, tokens: TokenMap, channel: int, px: int) -> None:
    """Paint the highlights of one line in a channel's colour."""
    start, end = seen.start, seen.end
    token = max(0, tokens.at(start))
    run: list[tuple[float, float, float]] = []
    while token < len(tokens.starts) and tokens.starts[token] < end:
        first, after = tokens.span(token)
        first, after = max(first, start), min(after, end)
        heat = tokens.heat(token)
        if heat >= LEAST and after > first:
            # the space before a word belongs to the run only when the word before is hot too
            skip = 1 if not run and _is_space(seen.block, first) else 0
            left, right = seen.x(first + skip), seen.x(after)
            if right > left:
                run.append((left, right, heat))
        else:
            _paint_run(painter, run, seen, channel, px)
            run = []
        token += 1
    _paint_run(painter, run, seen, channel, px)


def _paint_run(painter: QPainter, run: list[tuple[float, float, float]], seen: SeenLine, channel: int, px: int) -> None:
    if not run:
        return
    left, right = run[0][0] - OVERHANG, run[-1][1] + OVERHANG
    shade = QLinearGradient(left, 0, right, 0)
    for begin, end, heat in run:
        shade.setColorAt(((begin + end) / 2 - left) / (right - left), theme.heat_colour(channel, heat))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(shade)
    painter.drawRoundedRect(QRectF(left, text_top(seen, px), right - left, text_height(px)), 4, 4)


def paint_parting(painter: QPainter, seen: SeenLine, place: int, px: int) -> None:
    """Paint the thin mark before the word at which two texts part ways."""
    x, top = seen.x(place) - 1.5, text_top(seen, px)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("less"))
    painter.drawRect(QRectF(x, top, 1.25, text_height(px)))
    painter.drawEllipse(QPointF(x + 0.6, top), 2.5, 2.5)


def paint_tick(painter: QPainter, seen: SeenLine, px: int) -> None:
    """Paint the tick in the margin beside a line in which the mix changed."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("ink3", 0.7))
    painter.drawRoundedRect(QRectF(4, text_top(seen, px) + text_height(px) / 2 - 0.75, 8, 1.5), 0.75, 0.75)


def paint_caret(painter: QPainter, x: float, top: float, px: int) -> None:
    """Paint the bar after the newest word."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("accent"))
    painter.drawRoundedRect(QRectF(x + 3, top + 1, 2.5, px * 1.35), 1, 1)


def text_top(seen: SeenLine, px: int) -> float:
    """Top of a highlight on a line."""
    return seen.top + seen.line.ascent() - px * 1.03


def text_height(px: int) -> float:
    """Height of a highlight; less than the line's, so that lines stay apart."""
    return px * 1.42


def _utf16_slice(text: str, first: int, after: int) -> str:
    if text.isascii() or utf16_length(text) == len(text):
        return text[first:after]
    return text.encode("utf-16-le")[2 * first : 2 * after].decode("utf-16-le", "replace")


def _is_space(block: QTextBlock, place: int) -> bool:
    return _utf16_slice(block.text(), place - block.position(), place - block.position() + 1) == " "
