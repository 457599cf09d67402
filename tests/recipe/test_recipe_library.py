"""The library step on a model of a few thousand weights: what it writes is what the model and the dictionary do."""

from __future__ import annotations

import json
import random
import re
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from models.recipe import library as step
from models.recipe.activations import WINDOW, load_blocks
from models.recipe.corpus import END_OF_DOCUMENT, SUB_CORPORA
from models.recipe.firings import CELL, Firings, collect
from models.recipe.label_file import write_labels
from models.recipe.passages import Pieces, automatic_label, choose_peaks, telling_words, word_strengths
from models.recipe.tokenizer import encode_split, save_tokenizer, train_tokenizer
from undersong.core.features import Example
from undersong.engine import blocks as anatomy
from undersong.engine.library import FeatureLibrary, Verdict

D_MODEL, D_SAE, LAYER = 16, 20, 1
WORDS = re.findall(
    r"\S+",
    """
    the a little girl boy ship sea wind king castle ran sailed saw said and “hello” naïve 😀 tree river
    mountain horse queen dragon sword bread cake door window house garden flower bird fish stone road
    night morning star moon cloud rain snow fire song dance friend mother father brother sister laughed
    cried slept walked jumped sang
    """,
)


def story(source: random.Random) -> str:
    return " ".join(source.choice(WORDS) for _ in range(120)).capitalize() + ".\n\nThe end."


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the steps before leave it, with an untrained model."""
    folder, source = tmp_path_factory.mktemp("recipe"), random.Random(5)
    for name in SUB_CORPORA:
        for part, count in (("train", 30), ("held_out", 12)):
            text = f"\n{END_OF_DOCUMENT}\n".join(story(source) for _ in range(count))
            (folder / f"{name}.{part}.txt").write_text(text, encoding="utf-8")
    tokenizer = train_tokenizer(folder, 400)
    fast = save_tokenizer(tokenizer, folder / "language_model")
    for name in SUB_CORPORA:
        for part in ("train", "held_out"):
            np.save(folder / f"{name}.{part}.npy", encode_split(tokenizer, folder / f"{name}.{part}.txt"))
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(fast), hidden_size=D_MODEL, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2
    )
    LlamaForCausalLM(config).save_pretrained(folder / "language_model")
    (folder / "sae").mkdir()
    rows = torch.nn.functional.normalize(torch.randn(D_SAE, D_MODEL), dim=1)
    bias = torch.zeros(D_SAE)
    bias[7] = -1e3  # a feature that never shows
    weights = {"W_enc": rows.T.contiguous(), "b_enc": bias, "W_dec": rows, "b_dec": torch.zeros(D_MODEL)}
    save_file(weights | {"threshold": torch.full((D_SAE,), 0.02)}, folder / "sae" / "sae_weights.safetensors")
    settings = {
        "architecture": "jumprelu",
        "d_in": D_MODEL,
        "d_sae": D_SAE,
        "apply_b_dec_to_input": False,
        "normalize_activations": "none",
        "metadata": {"hook_name": f"blocks.{LAYER}.hook_resid_post", "model_name": "made"},
    }
    (folder / "sae" / "cfg.json").write_text(json.dumps(settings))
    step.build(Namespace(work=folder, tokens=8000, labels=folder / "none.tsv"))
    return folder


@pytest.fixture(scope="module")
def library(work: Path) -> FeatureLibrary:
    return FeatureLibrary.open(work / "library.sqlite")


def test_every_feature_that_shows_has_a_name_and_passages(library: FeatureLibrary) -> None:
    assert (library.size, library.d_sae) == (D_SAE - 1, D_SAE)
    assert library.card(7).label == "never shows"
    for hit in library.search("").hits:
        card = library.card(hit.feature)
        assert card.label
        assert not card.clear
        assert 0 < card.density <= 1
        assert 1 <= len(card.examples) <= step.EXAMPLES
        assert all(len(e.pieces) == len(e.values) <= CELL for e in card.examples)
        strengths = [max(e.values) for e in card.examples]
        assert strengths[0] == 1.0
        assert min(strengths) > 0
        assert len(card.promoted) == len(card.suppressed) == step.LENS_WORDS
        assert card.promoted[0] != card.suppressed[0]


def test_passages_hold_whole_characters_and_no_special_tokens(library: FeatureLibrary) -> None:
    texts = ["".join(e.pieces) for hit in library.search("").hits for e in library.card(hit.feature).examples]
    assert any("😀" in text for text in texts)
    assert not any("<|" in text for text in texts)
    # Only a passage's first character can be a broken one: it may begin inside an emoji
    assert not any("\ufffd" in text[4:-4] for text in texts)


def test_firings_are_those_of_model_and_dictionary(work: Path) -> None:
    sae, blocks = step.load_sae(work / "sae"), load_blocks(work / "language_model", LAYER).float()
    ids = torch.randint(2, 200, (2, WINDOW))
    ids[:, 0], ids[1, 50] = 0, 1  # BOS, and an end of document
    firings = collect(blocks, sae, iter([ids[:1], ids[1:]]), torch.tensor([0, 1]), 10**6)
    seen: list[torch.Tensor] = []
    whole = LlamaForCausalLM.from_pretrained(work / "language_model", dtype=torch.bfloat16).float()
    whole.model.layers[LAYER].register_forward_hook(lambda _block, _given, found: seen.append(anatomy.hidden(found)))
    with torch.no_grad():
        whole(ids)
    expected = sae.encode(seen[0]).flatten(0, 1)
    expected[[0, WINDOW, WINDOW + 50]] = 0
    assert firings.tokens == 2 * WINDOW - 3
    for feature in range(D_SAE):
        found = torch.from_numpy(firings.along(feature, 0, 2 * WINDOW))
        assert torch.allclose(found, expected[:, feature], rtol=2e-3, atol=1e-4)
    assert firings.density == pytest.approx((expected > 0).sum(0).numpy() / firings.tokens)


def test_neighbours_are_the_most_alike_directions(work: Path, library: FeatureLibrary) -> None:
    sae = step.load_sae(work / "sae")
    cosines = sae.decoder @ sae.decoder[3]
    cosines[[3, 7]] = -2
    assert [hit.feature for hit in library.card(3).near] == cosines.topk(step.NEIGHBOURS).indices.tolist()
    assert library.card(3).near[0].match == pytest.approx(float(cosines.max()), abs=1e-3)


def test_promoted_words_are_those_the_direction_adds_to(work: Path, library: FeatureLibrary) -> None:
    """Steering along the direction moves the logits of promoted words above those of suppressed ones."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(work / "language_model")
    parts = anatomy.find(LlamaForCausalLM.from_pretrained(work / "language_model"))
    sae, wins, total = step.load_sae(work / "sae"), 0, 0
    for feature in range(6):
        card = library.card(feature)
        effect = parts.unembedding @ sae.direction(feature)  # an untrained model's norm weighs everything alike
        ids = [tokenizer.encode(" " + word, add_special_tokens=False) for word in card.promoted + card.suppressed]
        ups, downs = ids[: len(card.promoted)], ids[len(card.promoted) :]
        pairs = [(up[0], down[0]) for up in ups for down in downs if len(up) == len(down) == 1]
        wins += sum(float(effect[up]) > float(effect[down]) for up, down in pairs)
        total += len(pairs)
    assert total > 50
    assert wins > 0.8 * total


def test_label_windows_keep_with_and_without_apart(work: Path) -> None:
    records = [json.loads(line) for line in (work / "label_windows.jsonl").read_text("utf-8").splitlines()]
    assert [r["feature"] for r in records] == [f for f in range(D_SAE) if f != 7]
    training = (work / "tinystories.train.txt").read_text("utf-8")
    for record in records:
        without = record["hard"] + record["other"]
        assert not {*record["shows"]} & {*without}
        assert len(record["shows"]) <= step.TEST_BANDS * step.PER_TEST_BAND
        assert not any(text in training for text in record["shows"] + without if len(text) > 40)


def test_labels_of_this_dictionary_are_taken_and_others_left(
    work: Path, library: FeatureLibrary, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "labels.tsv"
    write_labels(labels, str(library.meta["sae"]), {3: Verdict("ships in the wind", True, 0.9)})
    assert step.read_labels(labels, str(library.meta["sae"])) == {3: Verdict("ships in the wind", True, 0.9)}
    assert step.read_labels(labels, "another-1234") == {}
    assert "belongs to the dictionary" in capsys.readouterr().out


def firings_of(values: list[float], rows: np.ndarray) -> Firings:
    position = np.flatnonzero(values).astype(np.int32)
    kept = np.array(values, np.float16)[position]
    return Firings(rows, np.array([0, len(position)]), position, kept, len(values))


def test_peaks_are_one_a_cell_and_repeats_come_last() -> None:
    rows = np.arange(4 * WINDOW).reshape(4, WINDOW)
    values = [0.0] * rows.size
    values[3], values[5], values[CELL + 1], values[3 * CELL] = 1.0, 4.0, 2.0, 3.0
    found = firings_of(values, rows)
    assert found.peaks(0)[0].tolist() == [5, 3 * CELL, CELL + 1]
    assert found.along(0, 2, 6).tolist() == [0, 1, 0, 4]
    many = [0.0] * rows.size
    for number, place in enumerate(range(10, rows.size, CELL)):
        many[place] = 1.0 + number
    same = np.tile(np.arange(CELL), rows.size // CELL).reshape(rows.shape)
    same[0, 10] = 99
    chosen = choose_peaks(firings_of(many, same), 0, np.random.default_rng(0))
    assert 10 in chosen, "the only passage that differs must be among them"
    assert chosen == sorted(chosen, reverse=True)


def test_words_are_put_together_from_pieces() -> None:
    strengths = word_strengths([" The", " ki", "ng", "'s", " ship", "."], [0.0, 0.1, 0.9, 0.0, 0.2, 0.0])
    assert strengths == {"the": 0.0, "king's": 0.9, "ship": 0.2, ".": 0.0}


def test_telling_words_prefer_what_is_rare_and_repeated() -> None:
    idf = {"": 9.0, "the": 0.1, "ship": 4.0}
    passages = [([" the", " ship"], [1.0, 1.0])] * 3 + [([" zq"], [1.0])]
    assert telling_words(passages, idf)[:2] == ["ship", "zq"]
    assert telling_words([([" the"], [0.0])], idf) == []


@pytest.mark.parametrize(
    ("words", "promoted", "expected"),
    [
        (["sea", ",", "ship", "king", "wind"], (), "sea, ship, king"),
        ([",", "!"], ("and",), "“,”, “!”"),
        ([], ("and", "or"), "and, or"),
        ([], (), "no words of its own"),
    ],
)
def test_nothing_is_ever_nameless(words: list[str], promoted: tuple[str, ...], expected: str) -> None:
    assert automatic_label(words, promoted) == expected


def test_a_spark_has_its_peak_inside() -> None:
    values = [0.0] * CELL
    values[20], values[2] = 0.5, 0.1
    spark = step.spark_of(Example(("x",) * CELL, tuple(values)))
    assert len(spark) == step.SPARK
    assert max(spark) == 1.0
    assert len(step.spark_of(Example(("x",), (0.3,)))) == step.SPARK


def test_pieces_of_a_split_character_join_to_the_text(work: Path) -> None:
    tokenizer = PreTrainedTokenizerFast.from_pretrained(work / "language_model")
    ids = np.array(tokenizer.encode("a 😀 naïve 🦊 fox", add_special_tokens=False))
    pieces = Pieces(tokenizer).of(ids)
    assert len(pieces) == len(ids)
    assert "".join(pieces) == "a 😀 naïve 🦊 fox"
