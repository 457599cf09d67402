"""Text to token ids, with where each token stands in the text, and cut so that it fits the model.

What is too long is cut at its beginning, because a writer goes on from the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from undersong.engine.load import LanguageModel

LONGEST_TOKEN = 16
"""Characters a token is taken to have at most when a long text is cut before it is tokenized."""
LONGEST_WORD = 200
"""Characters within which a cut looks for the beginning of a word; a text without spaces is cut where it must be."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text, or the end of it, as the model reads it."""

    ids: list[int]
    """Token ids, BOS first if the model has one."""
    pieces: list[str]
    """The text of each token after BOS; joined they are the part of the text that was read."""
    start: int
    """Characters left out at the beginning."""


def encode(model: LanguageModel, text: str, room: int, *, at_word: bool = False) -> Encoded:
    """The last ``room`` tokens of ``text`` (BOS counts), beginning at a word if ``at_word``.

    Quick for a text of any length: all but its last characters are left out before it is tokenized.
    """
    bos = [] if model.bos is None else [model.bos]
    room = max(1, room - len(bos))
    start = max(0, len(text) - LONGEST_TOKEN * room)
    ids, ends = tokenize(model, text[start:])
    if len(ids) > room:
        cut = ends[-room - 1]
        start, ids, ends = start + cut, ids[-room:], [end - cut for end in ends[-room:]]
    if start and at_word and (space := re.search(r"\s+(?=\S)", text[start : start + LONGEST_WORD])):
        start += space.start()
        ids, ends = tokenize(model, text[start:])
        ids, ends = ids[-room:], ends[-room:]
    read = text[start:]
    ends = [*ends[:-1], len(read)]
    pieces = [read[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)] if ids else []
    return Encoded([*bos, *ids], pieces, start)


def tokenize(model: LanguageModel, text: str) -> tuple[list[int], list[int]]:
    """Ids of ``text`` without special tokens, and the character at which each ends, never decreasing."""
    encoded = model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    ends: list[int] = []
    for _, end in encoded["offset_mapping"]:  # type: ignore[union-attr]
        ends.append(max(end, ends[-1] if ends else 0))
    return list(encoded["input_ids"]), ends  # type: ignore[arg-type]


def cut_sentence(model: LanguageModel, text: str, encoded: Encoded) -> str:
    """What was cut from an opening and why, for the writer; empty if nothing was."""
    if not encoded.start:
        return ""
    total, kept = len(text.split()), len(text[encoded.start :].split())
    held = kept * model.context / max(1, len(encoded.ids))
    return (
        f"Your opening is about {rounded(total)} words; this model can hold about {rounded(held)} at once. The first "
        f"{rounded(total - kept)} were left out of what it reads; your text is untouched."
    )


def rounded(number: float) -> str:
    """A count with at most three significant digits, the way people say it."""
    return f"{int(float(f'{number:.3g}')):,}"
