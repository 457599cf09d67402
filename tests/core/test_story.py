"""A story remembers where its words come from; words are counted as a writer counts them."""

from __future__ import annotations

import random

import pytest

from undersong.core.mixing import Mix
from undersong.core.recipe import Recipe, digest
from undersong.core.sampling import Sampling
from undersong.core.story import Span, Story, count_words, parting_word

RECIPE = Recipe("model", "sae", Mix(), Sampling(), digest("Once"))


def story() -> Story:
    story = Story()
    story.append("Once upon a time ")
    story.append("there was a storm", RECIPE)
    return story


def test_spans_of_one_origin_are_one() -> None:
    twice = story()
    twice.append(" at sea", RECIPE)
    twice.append("")
    assert twice.spans == (Span("Once upon a time "), Span("there was a storm at sea", RECIPE))


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("Once upon a time there was a storm", story().spans),
        ("Once, at a time there was a storm", (Span("Once, at a time "), Span("there was a storm", RECIPE))),
        (
            "Once upon a time there was a great storm",
            (Span("Once upon a time "), Span("there was a ", RECIPE), Span("great "), Span("storm", RECIPE)),
        ),
        ("a storm", (Span("a storm", RECIPE),)),
        ("", ()),
        ("Something else", None),
    ],
)
def test_rewriting_keeps_the_origin_of_what_stays(text: str, spans: tuple[Span, ...] | None) -> None:
    rewritten = story()
    rewritten.rewrite(text)
    assert rewritten.text == text
    if spans is not None:
        assert rewritten.spans == spans


def test_any_edit_gives_exactly_the_new_text() -> None:
    chance = random.Random(3)
    edited = story()
    for _ in range(300):
        text = edited.text
        a, b = sorted((chance.randint(0, len(text)), chance.randint(0, len(text))))
        wanted = text[:a] + "".join(chance.choices("ab \n🌊", k=chance.randint(0, 4))) + text[b:]
        edited.rewrite(wanted)
        assert edited.text == wanted
        assert all(span.text for span in edited.spans)
        assert all(one.recipe != other.recipe for one, other in zip(edited.spans, edited.spans[1:], strict=False))
        edited.append("the sea ", RECIPE)


def test_a_digest_stands_for_one_prompt() -> None:
    assert digest("Once") == digest("Once") != digest("once")
    assert len(digest("half a pair \ud83c")) == 16


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("  \n", 0),
        ("Once upon a time", 4),
        ("“Don't!” she said — twice.", 5),
        ("a well-known sea", 3),
        ("Été à la mer", 4),
    ],
)
def test_words_are_counted_as_a_writer_does(text: str, words: int) -> None:
    assert count_words(text) == words


@pytest.mark.parametrize(
    ("one", "other", "word"),
    [
        ("a big dog", "a big dog", 0),
        ("a big dog", "a big", 0),
        ("a big dog", "a big door", 3),
        ("a big dog", "the big dog", 1),
        ("a big. Then", "a big, then", 2),
        ("", "a", 0),
        ("", "", 0),
    ],
)
def test_texts_part_ways_at_a_word(one: str, other: str, word: int) -> None:
    assert parting_word(one, other) == word
    assert parting_word(other, one) == word
