"""Writing in step: rows beside each other equal rows alone, and the mix is all that makes them differ."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from transformers import DynamicCache, PreTrainedModel

from tests.engine import tiny
from tests.engine.tiny import PROMPT, Folders, fader, sampling, two_panes
from undersong.core.messages import Pane
from undersong.core.sampling import Sampling
from undersong.engine.cache import rows_cache
from undersong.engine.decode import Generation
from undersong.engine.detokenize import decode
from undersong.engine.load import LanguageModel
from undersong.engine.prompt import encode
from undersong.engine.sae import Sae


@pytest.fixture
def start(model: LanguageModel, sae: Sae) -> Callable[..., Generation]:
    """Makes generations."""

    def start(
        *panes: Pane, chosen: Sampling | None = None, prompt: str = PROMPT, watch: tuple[int, ...] = ()
    ) -> Generation:
        ids = encode(model, prompt, model.context).ids
        return Generation(model, sae, ids, panes, chosen or sampling(), watch)

    return start


def texts(generation: Generation) -> list[str]:
    """The whole text of each row."""
    return ["".join(pieces) for pieces in zip(*(step.texts for step in generation.steps()), strict=True)]


@pytest.mark.parametrize("make", [tiny.llama, tiny.gpt2, tiny.gemma])
@torch.inference_mode()
def test_cached_rows_equal_plain_passes(make: Callable[[], PreTrainedModel]) -> None:
    network, ids = make(), torch.randint(2, 300, (1, 40), generator=torch.Generator().manual_seed(1))
    cache = rows_cache(3)
    network.base_model(ids[:, :20], past_key_values=cache, use_cache=True)
    for place in range(20, 40):
        logits = network(ids[:, place : place + 1].expand(3, 1), past_key_values=cache, use_cache=True).logits
        wanted = network(ids[:, : place + 1], use_cache=False).logits[:, -1]
        assert torch.allclose(logits[:, -1], wanted.expand(3, -1), rtol=1e-3, atol=1e-3), place


@torch.inference_mode()
def test_the_cache_grows_without_losing_anything() -> None:
    network = tiny.llama(max_position_embeddings=700)
    ids = torch.randint(2, 300, (1, 600), generator=torch.Generator().manual_seed(1))
    ours, theirs = rows_cache(1), DynamicCache(config=network.config)
    for part in ids.split(97, dim=1):
        a = network(part, past_key_values=ours, use_cache=True).logits
        b = network(part, past_key_values=theirs, use_cache=True).logits
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-4)


def test_zero_is_the_base_bit_for_bit(start: Callable[..., Generation], sae: Sae) -> None:
    silent = [fader(sae, 3, 0.0), fader(sae, 4, muted=True)]
    base, same, other = texts(start(Pane("base"), Pane("mix", tuple(silent)), Pane("mix", (fader(sae, 3),))))
    assert base == same
    assert base != other


def test_rows_beside_each_other_equal_rows_alone(start: Callable[..., Generation], sae: Sae) -> None:
    panes = (Pane("base"), Pane("a", (fader(sae, 3),)), Pane("b", (fader(sae, 9, -1.0),)))
    together = texts(start(*panes))
    assert together == [texts(start(pane))[0] for pane in panes]


def test_greedy_base_equals_transformers_generate(start: Callable[..., Generation], model: LanguageModel) -> None:
    generation = start(Pane("base"), chosen=sampling(temperature=0.0))
    (ours,) = texts(generation)
    ids = torch.tensor([generation.prompt])
    theirs = model.network.generate(
        ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=generation.rows[0].tokens
    )
    assert ours == decode(model.tokenizer, theirs[0, ids.shape[1] :].tolist())


def test_a_row_has_the_words_that_were_asked_for(start: Callable[..., Generation]) -> None:
    generation = start(Pane("base"), Pane("base"), chosen=sampling(words=7))
    for text, row in zip(texts(generation), generation.rows, strict=True):
        assert row.reason in ("words", "end")
        assert row.words <= 7
        assert len((PROMPT + text).split()) <= len(PROMPT.split()) + 7


def test_the_end_of_text_ends_a_row_silently(start: Callable[..., Generation], model: LanguageModel) -> None:
    generation = start(Pane("base"), chosen=sampling(temperature=0.0))
    likeliest = []
    for step in generation.steps():
        likeliest.append(step)
        break
    token = model.tokenizer(likeliest[0].texts[0], add_special_tokens=False)["input_ids"][0]  # type: ignore[index]
    ending = LanguageModel(
        **{name: getattr(model, name) for name in ("name", "network", "tokenizer", "anatomy", "context", "bos")},
        ends=frozenset({token}),
    )
    ended = Generation(ending, generation.sae, generation.prompt, (Pane("base"),), sampling(temperature=0.0))
    steps = list(ended.steps())
    assert (ended.rows[0].reason, ended.rows[0].tokens) == ("end", 0)
    assert [(step.texts, step.ended) for step in steps] == [([""], [0])]


def test_a_text_may_not_end_before_its_share_of_words(start: Callable[..., Generation], model: LanguageModel) -> None:
    likeliest = next(iter(start(Pane("base"), chosen=sampling(temperature=0.0)).steps())).texts[0]
    token = model.tokenizer(likeliest, add_special_tokens=False)["input_ids"][0]  # type: ignore[index]
    parts = {name: getattr(model, name) for name in ("name", "network", "tokenizer", "anatomy", "context", "bos")}
    ending = LanguageModel(**parts, ends=frozenset({token}))
    made = start(Pane("base"))
    for least, words in ((0.5, 6), (1.0, 12)):
        chosen = sampling(temperature=0.0, least=least)
        generation = Generation(ending, made.sae, made.prompt, (Pane("base"),), chosen)
        assert list(generation.steps())
        row = generation.rows[0]
        assert row.words >= words if row.reason == "end" else row.reason == "words"


def test_a_full_context_ends_a_row(start: Callable[..., Generation], model: LanguageModel) -> None:
    generation = start(Pane("base"), chosen=sampling(words=1000))
    steps = list(generation.steps())
    assert generation.rows[0].reason in ("context", "end")
    assert len(generation.prompt) + len(steps) <= model.context + 1


def test_levels_act_at_the_next_token(start: Callable[..., Generation], sae: Sae) -> None:
    generation, untouched = start(*two_panes()), start(*two_panes())
    silent = untouched.steps()
    moved = []
    for number, step in enumerate(generation.steps()):
        moved.append(step.texts[1] == next(silent).texts[0])
        if number == 3:
            generation.set(1, (fader(sae, 3, 2.0),), 1.0)
        if number == 8:
            break
    assert all(moved[:4])
    assert not all(moved[4:])


def test_stop_ends_every_row_and_keeps_what_was_written(start: Callable[..., Generation]) -> None:
    generation, count = start(Pane("base"), Pane("mix")), 0
    for _ in generation.steps():
        count += 1
        generation.stopped = count == 3
    assert count == 3
    assert [(row.reason, row.tokens) for row in generation.rows] == [("stopped", 3)] * 2


@torch.inference_mode()
def test_readings_are_those_of_the_token_before(
    start: Callable[..., Generation], model: LanguageModel, sae: Sae
) -> None:
    features = tuple(range(8))
    generation = start(*two_panes(fader(sae, 3)), chosen=sampling(temperature=0.0), watch=features)
    steps = list(generation.steps())
    assert steps[0].readings == []
    ids = torch.tensor([generation.prompt])
    grown = model.network.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=6)
    x = model.network(grown, output_hidden_states=True).hidden_states[tiny.LAYER + 1][0]
    for number in range(1, 6):
        wanted = sae.encode(x[ids.shape[1] + number - 1], features)
        assert torch.allclose(torch.tensor(steps[number].readings[0]), wanted, atol=1e-3), number
    assert any(any(row) for step in steps for row in step.readings)


def test_the_first_place_is_never_steered(folders: Folders, sae: Sae) -> None:
    model = tiny.language_model(folders)
    panes = two_panes(fader(sae, 3, 2.0))
    alone = Generation(model, sae, [5], panes, sampling(temperature=0.0))
    first = next(alone.steps())
    assert first.texts[0] == first.texts[1]
