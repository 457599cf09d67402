"""The writer's text as spans, so that it stays known which words came from which recipe."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

from undersong.core.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text with one origin."""

    text: str
    """Never empty in a Story."""
    recipe: Recipe | None = None
    """What made it; None for the writer's own words."""


@dataclass(slots=True)
class Story:
    """A text that remembers its origins; changes over time."""

    spans: tuple[Span, ...] = ()
    """In reading order; joined they are the text."""

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(span.text for span in self.spans)

    def append(self, text: str, recipe: Recipe | None = None) -> None:
        """Put ``text`` at the end."""
        self.spans = _tidy((*self.spans, Span(text, recipe)))

    def rewrite(self, text: str) -> None:
        """Make ``text`` the whole text: what differs from before becomes the writer's own words."""
        old = self.text
        start = _shared(old, text)
        end = _shared(old[start:][::-1], text[start:][::-1])
        middle = Span(text[start : len(text) - end])
        self.spans = _tidy((*_cut(self.spans, 0, start), middle, *_cut(self.spans, len(old) - end, len(old))))


def _cut(spans: tuple[Span, ...], start: int, stop: int) -> tuple[Span, ...]:
    """The spans between two character positions, the outer ones shortened to fit."""
    cut, position = [], 0
    for span in spans:
        text = span.text[max(start - position, 0) : max(stop - position, 0)]
        cut.append(Span(text, span.recipe))
        position += len(span.text)
    return tuple(cut)


def _tidy(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Drop empty spans and join neighbours of one origin."""
    tidy: list[Span] = []
    for span in spans:
        if tidy and tidy[-1].recipe == span.recipe:
            tidy[-1] = Span(tidy[-1].text + span.text, span.recipe)
        elif span.text:
            tidy.append(span)
    return tuple(tidy)


def _shared(one: str, other: str) -> int:
    """How many characters two texts share at their beginnings."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def count_words(text: str) -> int:
    """How many words a text has: what stands between spaces."""
    return len(text.split())


def parting_word(one: str, other: str) -> int:
    """Number of the first word in which two texts differ, from 1; 0 while one only continues the other."""
    start = _shared(one, other)
    if start in (len(one), len(other)):
        return 0
    while start and not one[start - 1].isspace():
        start -= 1
    return count_words(one[:start]) + 1
