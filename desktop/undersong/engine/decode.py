"""Writing several panes in step: one forward pass a token for all of them.

The prompt is read once, up to its last token, and its keys and values serve every row. The last prompt token and each
new one then go through the model together, row by row steered as its pane asks. Row 0 is never steered. All rows draw
with the same chance, so where texts part, steering did it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from undersong.core.messages import Pane, Reason
from undersong.core.mixing import Fader
from undersong.core.sampling import Sampling
from undersong.engine.cache import rows_cache
from undersong.engine.detokenize import Detokenizer
from undersong.engine.hooks import Tap, hooked
from undersong.engine.load import LanguageModel
from undersong.engine.readings import activations
from undersong.engine.sae import Sae
from undersong.engine.sample import Sampler
from undersong.engine.steer import Steering

TOKENS_A_WORD = 4
"""A pane ends after this many tokens a word even if no word ends: not every script puts spaces between words."""
CONTEXT_TOKENS = 5
"""Prompt tokens that a row's first pieces of text are read after."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one forward pass brought."""

    texts: list[str]
    """A piece for each row."""
    ended: list[int]
    """Rows that ended now."""
    watched: tuple[int, ...]
    """Features that ``readings`` speaks of."""
    readings: list[list[float]]
    """[row][feature] on the token before; empty at the first step or when nothing is watched."""


@dataclass
class Row:
    """One pane's text as it grows."""

    detokenizer: Detokenizer
    most_words: int
    in_word: bool
    """Whether the text so far ends within a word."""
    words: int = 0
    tokens: int = 0
    reason: Reason | None = None

    def end(self, reason: Reason) -> str:
        """Close the row; returns what was still held back."""
        self.reason = reason
        return self.detokenizer.finish()

    def take(self, token: int, is_end: bool) -> str:
        """The text that ``token`` adds; a token that would begin one word too many ends the row and is left out."""
        if is_end:
            return self.end("end")
        piece = self.detokenizer.add(token)
        words = len(piece.split()) - (self.in_word and bool(piece) and not piece[0].isspace())
        if self.words + words > self.most_words:
            self.reason = "words"
            return ""
        self.words += words
        self.tokens += 1
        self.in_word = not piece[-1].isspace() if piece else self.in_word
        if self.tokens >= TOKENS_A_WORD * self.most_words + CONTEXT_TOKENS:
            piece += self.end("words")
        return piece


@dataclass
class Generation:
    """One writing of several panes; ``steps`` does the work, the other methods act from its next step on."""

    model: LanguageModel
    sae: Sae
    prompt: Sequence[int]
    """Token ids, BOS first."""
    panes: Sequence[Pane]
    sampling: Sampling
    watched: tuple[int, ...] = ()
    in_word: bool = True
    """Whether the prompt ends within a word."""
    stopped: bool = False
    rows: list[Row] = field(init=False)
    steering: Steering = field(init=False)

    def __post_init__(self) -> None:
        context = self.prompt[-CONTEXT_TOKENS:]
        self.rows = [
            Row(Detokenizer(self.model.tokenizer, context), self.sampling.words, self.in_word) for _ in self.panes
        ]
        self.steering = Steering(self.sae, len(self.panes))
        for row, pane in enumerate(self.panes):
            self.set(row, pane.faders, pane.master)

    def set(self, row: int, faders: tuple[Fader, ...], master: float) -> None:
        """Steer a row like this from the next token on."""
        self.steering.set(row, faders, master)

    def steps(self) -> Iterator[Step]:
        """Write until every row has ended or ``stopped`` is set."""
        cache, tap, sampler = rows_cache(len(self.rows)), Tap(), Sampler(self.sampling)
        length = len(self.prompt)
        ids = torch.tensor([list(self.prompt)], device=self.model.device).repeat(len(self.rows), 1)
        if length > 1:
            with torch.inference_mode():
                self.model.network.base_model(ids[:1, :-1], past_key_values=cache, use_cache=True)
        newest = ids[:, -1:]
        while not self.stopped and any(row.reason is None for row in self.rows):
            logits = self.without_early_ends(self.forward(newest, cache, tap, at=ids.shape[1] - 1))
            newest = sampler.draw(logits, ids, ids.shape[1])[:, None]
            first = ids.shape[1] == length
            ids = torch.cat((ids, newest), dim=1)
            yield self.step(newest[:, 0].tolist(), tap, first, full=ids.shape[1] > self.model.context)
        for row in self.rows:
            row.reason = row.reason or "stopped"

    @torch.inference_mode()
    def forward(self, ids: Tensor, cache: object, tap: Tap, at: int) -> Tensor:
        """Logits (rows, vocabulary) after tokens ``ids`` (rows, 1) at place ``at``; place 0 is never steered."""
        block = self.model.anatomy.blocks[self.sae.layer]
        with hooked(block, tap, *([self.steering] if at else [])):
            return self.model.network(ids, past_key_values=cache, use_cache=True).logits[:, -1]

    def without_early_ends(self, logits: Tensor) -> Tensor:
        """The logits (rows, vocabulary) with the end of text ruled out for rows that are still too short for it."""
        too_short = [row.words < self.sampling.least * self.sampling.words for row in self.rows]
        if not any(too_short) or not self.model.ends:
            return logits
        rows = torch.tensor(too_short, device=logits.device).nonzero()
        ends = torch.tensor(sorted(self.model.ends), device=logits.device)
        return logits.clone().index_put_((rows, ends), torch.tensor(-torch.inf, dtype=logits.dtype))

    def step(self, tokens: list[int], tap: Tap, first: bool, full: bool) -> Step:
        """Hand each row its token."""
        read = self.read(tap) if self.watched and not first else []
        texts, ended = [""] * len(self.rows), []
        for number, (row, token) in enumerate(zip(self.rows, tokens, strict=True)):
            if row.reason is not None:
                continue
            texts[number] = row.take(token, token in self.model.ends)
            if full and row.reason is None:
                texts[number] += row.end("context")
            if row.reason is not None:
                ended.append(number)
        return Step(texts, ended, self.watched if read else (), read)

    def read(self, tap: Tap) -> list[list[float]]:
        """Activations of the watched features on each row's newest token before any edit, 0 where a row has ended."""
        assert tap.last is not None
        values = activations(self.sae, tap.last[:, -1], self.watched).tolist()
        return [v if row.reason is None else [0.0] * len(v) for row, v in zip(self.rows, values, strict=True)]
