"""From token positions to what people read: pieces of text, the words a feature shows on, passages worth showing."""

from __future__ import annotations

import collections
import math
import re
from collections.abc import Sequence

import numpy as np
from transformers import PreTrainedTokenizerBase

from models.recipe.activations import WINDOW
from models.recipe.firings import CELL, Firings
from undersong.engine.detokenize import BROKEN, Detokenizer, decode

BEFORE = 20
"""Tokens of a passage before the one it is about; a feature knows only what came before."""
STRONGEST = 4
BANDS = 8
PER_BAND = 3
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+|[^\w\s]+")


class Pieces:
    """Text of token ids, token by token, never breaking a character."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.tokenizer = tokenizer
        self.texts = [decode(tokenizer, [i]) for i in range(len(tokenizer))]
        self._broken = np.array([BROKEN in text for text in self.texts])

    def of(self, ids: np.ndarray) -> list[str]:
        """One piece an id; joined they are the text."""
        if not self._broken[ids].any():
            return [self.texts[i] for i in ids]
        stream = Detokenizer(self.tokenizer)
        pieces = [stream.add(int(i)) for i in ids]
        pieces[-1] += stream.finish()
        return pieces

    def whole_words(self, rows: np.ndarray, least: int) -> np.ndarray:
        """(vocabulary,) which tokens are words by themselves: letters, seen ``least`` times, seldom carried on."""
        size = len(self.texts)
        letters = np.array([bool(re.fullmatch(r" ?[^\W\d_]+", text)) for text in self.texts])
        inner = np.array([bool(re.match(r"[^\W_]", text)) for text in self.texts])
        seen = np.bincount(rows[:, :-1].ravel(), minlength=size)
        carried_on = np.bincount(rows[:, :-1][inner[rows[:, 1:]]], minlength=size)
        spaced = np.array([text.startswith(" ") or text[:1].isupper() for text in self.texts])
        return letters & spaced & (seen >= least) & (carried_on < 0.4 * seen)


def bounds(firings: Firings, special: Sequence[int], peak: int) -> tuple[int, int]:
    """Begin and end of the passage of CELL tokens around a position, kept inside its row and its document."""
    row, column = divmod(peak, WINDOW)
    marks = np.flatnonzero(np.isin(firings.rows[row], special))
    low = max((int(m) + 1 for m in marks if m < column), default=0)
    high = min((int(m) for m in marks if m > column), default=WINDOW)
    begin = max(low, min(column - BEFORE, high - CELL))
    return row * WINDOW + begin, row * WINDOW + min(high, begin + CELL)


def choose_peaks(firings: Firings, feature: int, rng: np.random.Generator) -> list[int]:
    """Positions worth reading, strongest first: the strongest few, then PER_BAND from each equal band of the rest.

    Two that share the token and the three before it count as the same passage while there are others.
    """
    positions, _ = firings.peaks(feature)
    flat = firings.rows.ravel()
    seen = set[tuple[int, ...]]()
    chosen: list[int] = []
    spare: list[int] = []

    def is_fresh(rank: int) -> bool:
        place = int(positions[rank])
        key = tuple(flat[max(0, place - 3) : place + 1].tolist())
        (spare if key in seen else chosen).append(rank)
        known = len(seen)
        seen.add(key)
        return len(seen) > known

    top = 0
    while top < min(len(positions), 40 * STRONGEST) and len(chosen) < STRONGEST:
        is_fresh(top)
        top += 1
    for band in np.array_split(np.arange(top, len(positions)), BANDS):
        taken = 0
        for rank in rng.permutation(band)[: 6 * PER_BAND]:
            if taken < PER_BAND:
                taken += is_fresh(int(rank))
    missing = max(0, STRONGEST + BANDS * PER_BAND - len(chosen))
    return [int(positions[rank]) for rank in sorted([*chosen, *spare[:missing]])]


def word_strengths(pieces: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    """Each word of a passage, in lower case, with the greatest value among its tokens."""
    along = [value for piece, value in zip(pieces, values, strict=True) for _ in piece]
    strengths: dict[str, float] = {}
    for found in WORD.finditer("".join(pieces)):
        word = found[0].lower()
        strengths[word] = max(strengths.get(word, 0.0), *along[found.start() : found.end()], 0.0)
    return strengths


def rarity(rows: np.ndarray, pieces: Pieces, rng: np.random.Generator, most: int = 20_000) -> dict[str, float]:
    """Word → ln(N / (df + 3)), its inverse document frequency over N passages of the corpus; "" for any other word.

    The 3 keeps a name that stands in one story from beating the words a feature is about.
    """
    cells = rows.reshape(-1, CELL)
    chosen = cells[rng.permutation(len(cells))[:most]]
    counts = collections.Counter[str]()
    for ids in chosen:
        counts.update({word.lower() for word in WORD.findall("".join(pieces.texts[i] for i in ids))})
    total = len(chosen) + 4
    return {"": math.log(total / 3)} | {word: math.log(total / (n + 3)) for word, n in counts.items()}


def telling_words(passages: Sequence[tuple[Sequence[str], Sequence[float]]], idf: dict[str, float]) -> list[str]:
    """Words on which a feature shows, by Σ strength × inverse document frequency (steering-science.md §5, level 0)."""
    totals: dict[str, float] = collections.defaultdict(float)
    shows_in = collections.Counter[str]()
    for pieces, values in passages:
        for word, strength in word_strengths(pieces, values).items():
            totals[word] += strength * idf.get(word, idf[""])
            shows_in[word] += strength > 0
    totals = {word: total if shows_in[word] > 1 else total / 4 for word, total in totals.items()}
    ranked = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    return [word for word, total in ranked if total > 0.1 * ranked[0][1] > 0]


def automatic_label(words: Sequence[str], promoted: Sequence[str]) -> str:
    """A name for a feature nobody has read yet: the words it shows on, else the words it brings."""
    spoken = [word for word in words if word[:1].isalnum()][:3]
    marks = [f"“{word}”" for word in words if not word[:1].isalnum()][:2]
    return ", ".join(spoken or marks or promoted[:3]) or "no words of its own"
