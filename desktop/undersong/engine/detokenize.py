"""Token ids to text, piece by piece, never breaking a character."""

from __future__ import annotations

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

BROKEN = "\ufffd"
"""What a decoder writes for bytes that are not yet, or never, a character."""


class Detokenizer:
    """Turns one row's ids into pieces of text; the pieces joined are what decoding all ids at once gives.

    Each piece is the difference between two decodings of a few recent ids, because how a token reads can depend on the
    ones before it (a leading space, a byte of a longer character). ``context`` are ids that came before the text.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, context: Sequence[int] = ()) -> None:
        self.tokenizer = tokenizer
        self.ids = list(context)
        self.start = 0
        self.shown = len(self.ids)

    def add(self, token: int) -> str:
        """The text that became certain with ``token``; empty while a character is incomplete."""
        self.ids.append(token)
        text = self.decode(self.start, len(self.ids))
        return "" if text.endswith(BROKEN) else self.advance(text)

    def finish(self) -> str:
        """What is left when no more tokens come: usually nothing, or a character that was never completed."""
        return self.advance(self.decode(self.start, len(self.ids)))

    def advance(self, text: str) -> str:
        """The part of ``text`` that has not been shown yet; from now on it has."""
        known = self.decode(self.start, self.shown)
        self.start, self.shown = self.shown, len(self.ids)
        return text[len(known) :]

    def decode(self, start: int, end: int) -> str:
        """The text of some of the ids, special tokens left out."""
        return decode(self.tokenizer, self.ids[start:end])


def decode(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> str:
    """The text of ``ids`` without special tokens and without tidying."""
    return str(tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))
