"""How the next word is drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sampling:
    """Everything that decides which word is drawn from the model's odds."""

    temperature: float = 0.8
    """Below 1 favours likely words, above 1 unlikely ones; 0 always takes the likeliest."""
    top_k: int = 0
    """Draw from this many likeliest tokens; 0 means all of them."""
    top_p: float = 0.95
    """Draw from the likeliest tokens that together have this probability; 1 means all of them."""
    min_p: float = 0.0
    """Leave out tokens less likely than this share of the likeliest one's probability."""
    repetition_penalty: float = 1.0
    """Divide the odds of tokens already used by this (CTRL, arXiv:1909.05858); 1 means no penalty."""
    seed: int = 2718
    """Where the chance comes from; the same seed gives the same text again."""
    words: int = 120
    """Most words to write in each pane."""
    least: float = 0.5
    """Share of the words that are written before a text may end: 0 lets it end anywhere, 1 goes on to the last word."""

    def problem(self) -> str:
        """A sentence about the first setting out of range, or an empty string."""
        checks = (
            (0 <= self.temperature <= 5, "The temperature must lie between 0 and 5."),
            (0 <= self.top_k <= 1_000_000, "Top-k must be 0 (off) or a positive number."),
            (0 < self.top_p <= 1, "Top-p must lie above 0 and at most 1."),
            (0 <= self.min_p < 1, "Min-p must lie between 0 and 1."),
            (1 <= self.repetition_penalty <= 10, "The repetition penalty must lie between 1 and 10."),
            (0 <= self.seed < 2**31, "The seed must be a whole number from 0 to 2147483647."),
            (1 <= self.words <= 100_000, "The length must be at least one word."),
            (0 <= self.least <= 1, "The share of words before the text may end must lie between 0 and 1."),
        )
        return next((sentence for fine, sentence in checks if not fine), "")
