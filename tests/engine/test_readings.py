"""Reading texts, and cutting those that are too long."""

from __future__ import annotations

import pytest
import torch

from tests.engine import tiny
from tests.engine.tiny import PROMPT, TEXT
from undersong.core.errors import RequestError
from undersong.engine.load import LanguageModel
from undersong.engine.prompt import cut_sentence, encode, rounded
from undersong.engine.readings import read_text, residuals
from undersong.engine.sae import Sae


@pytest.mark.parametrize("text", [TEXT, "🌊", " ", "x", "a\n\nb  ", "“日本語”"])
def test_pieces_join_to_the_text(model: LanguageModel, sae: Sae, text: str) -> None:
    read = read_text(model, sae, text, (0, 7))
    assert "".join(read.pieces) == text
    assert [len(row) for row in read.values] == [len(read.pieces)] * 2
    assert read.start == 0


@torch.inference_mode()
def test_values_are_the_dictionary_s_on_the_stream_without_bos(model: LanguageModel, sae: Sae) -> None:
    ids = encode(model, TEXT, model.context).ids
    stream = model.network(torch.tensor([ids]), output_hidden_states=True).hidden_states[tiny.LAYER + 1][0, 1:]
    read = read_text(model, sae, TEXT, range(tiny.FEATURES))
    assert torch.allclose(torch.tensor(read.values), sae.encode(stream).T, atol=1e-4)
    assert torch.allclose(residuals(model, ids, (tiny.LAYER,))[0][1:], stream, atol=1e-5)


def test_of_a_long_text_the_end_is_read(model: LanguageModel, sae: Sae) -> None:
    text = TEXT * 40
    read = read_text(model, sae, text, (1,))
    assert read.start > 0
    assert text[read.start :] == "".join(read.pieces)
    assert len(read.pieces) == model.context - 1


def test_nothing_to_read_is_no_error(model: LanguageModel, sae: Sae) -> None:
    assert read_text(model, sae, "", (1,)).values == [[]]
    with pytest.raises(RequestError, match="no quality number 48"):
        read_text(model, sae, "a", (48,))


def test_a_long_opening_is_cut_before_a_word(model: LanguageModel) -> None:
    text = "the old man sang " * 6000
    encoded = encode(model, text, 80, at_word=True)
    assert len(encoded.ids) <= 80
    assert text[encoded.start :].startswith(" ")
    assert encoded.ids == encode(model, text[encoded.start :], 80).ids
    sentence = cut_sentence(model, text, encoded)
    left_out = len(text.split()) - len(text[encoded.start :].split())
    assert sentence.startswith("Your opening is about 24,000 words; this model can hold about ")
    assert f"The first {rounded(left_out)} were left out" in sentence


def test_an_opening_without_spaces_is_cut_where_it_must_be(model: LanguageModel) -> None:
    encoded = encode(model, "z" * 100_000, 80, at_word=True)
    assert len(encoded.ids) == 80


def test_an_opening_that_fits_is_whole(model: LanguageModel) -> None:
    encoded = encode(model, PROMPT, 80, at_word=True)
    assert (encoded.start, encoded.ids[0], cut_sentence(model, PROMPT, encoded)) == (0, model.bos, "")


@pytest.mark.parametrize(("number", "words"), [(18_236, "18,200"), (379.6, "380"), (64, "64"), (0, "0")])
def test_numbers_as_people_say_them(number: float, words: str) -> None:
    assert rounded(number) == words
