"""Pieces of text: joined they are the text, and no character is ever broken."""

from __future__ import annotations

import random

import pytest

from tests.engine.tiny import TEXT
from undersong.engine.detokenize import BROKEN, Detokenizer, decode
from undersong.engine.load import LanguageModel


def pieces_of(model: LanguageModel, ids: list[int], context: list[int]) -> list[str]:
    """What a row would show, token by token."""
    detokenizer = Detokenizer(model.tokenizer, context)
    return [*(detokenizer.add(token) for token in ids), detokenizer.finish()]


@pytest.mark.parametrize("text", [TEXT, "🌊🌊 naïve “— 日本語", " a\n\n b  c\t"])
def test_split_characters_come_whole(model: LanguageModel, text: str) -> None:
    ids = model.tokenizer(text, add_special_tokens=False)["input_ids"]
    assert isinstance(ids, list)
    pieces = pieces_of(model, ids, [])
    assert "".join(pieces) == text
    assert not any(BROKEN in piece for piece in pieces)
    assert not text.isascii() or all(pieces[:-1]), "plain text comes without delay"


@pytest.mark.parametrize("seed", range(5))
def test_joined_pieces_are_the_decoding_of_all_ids_whatever_they_are(model: LanguageModel, seed: int) -> None:
    chance = random.Random(seed)
    ids = [chance.randrange(model.anatomy.unembedding.shape[0]) for _ in range(200)]
    assert "".join(pieces_of(model, ids, [])) == decode(model.tokenizer, ids)


def test_an_unfinished_character_is_not_lost_at_the_end(model: LanguageModel) -> None:
    ids = model.tokenizer("the 🌊", add_special_tokens=False)["input_ids"][:-1]  # type: ignore[index]
    assert "".join(pieces_of(model, ids, [])) == decode(model.tokenizer, ids)


def test_special_tokens_are_silent(model: LanguageModel) -> None:
    assert model.bos is not None
    assert pieces_of(model, [model.bos, *model.ends], [5, 6]) == ["", "", ""]
