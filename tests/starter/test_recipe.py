"""The whole recipe, from texts to model card, on 200 kB of made-up stories."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from models.recipe.activations import ShuffleBuffer
from models.recipe.sae import Dictionary
from tests.starter.made_stories import write_corpus
from undersong.engine.library import FeatureLibrary
from undersong.engine.sae_formats import load_sae

STEPS = ("corpus", "tokenizer", "language_model", "sae", "library", "labels", "evaluate", "card")


@pytest.fixture(scope="module")
def run() -> Iterator[object]:
    """Run one step in this process, as ``python -m models.recipe.STEP …`` would."""
    before, precision, threads = sys.argv, torch.get_float32_matmul_precision(), torch.get_num_threads()
    torch.set_num_threads(1)  # so small a model only waits for a second one

    def run_step(step: str, *arguments: object) -> None:
        sys.argv = [step, *map(str, arguments)]
        importlib.import_module(f"models.recipe.{step}").main()

    yield run_step
    sys.argv = before
    torch.set_float32_matmul_precision(precision)
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def made(run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A starter folder made by all eight steps, with ``work`` beside it."""
    base = tmp_path_factory.mktemp("recipe")
    corpus, work, starter = base / "corpus", base / "work", base / "starter"
    corpus.mkdir()
    write_corpus(corpus, 200_000)
    run("corpus", "--corpus", corpus, "--out", work)
    run("tokenizer", "--work", work, "--vocabulary", 600)
    shape = ("--layers", 3, "--width", 64, "--heads", 2, "--batch", 8, "--micro", 8)
    run("language_model", "--work", work, "--minutes", 2, "--steps", 80, *shape)
    small = ("--d-sae", 256, "--k", 8, "--batch", 256, "--buffer", 4096, "--density-tokens", 8192)
    run("sae", "--work", work, "--layer", 1, "--tokens", 60_000, *small)
    run("library", "--work", work, "--tokens", 20_000, "--labels", base / "labels.tsv")
    label(run, work, base)
    for name in ("language_model", "sae"):
        shutil.copytree(work / name, starter / name)
    shutil.copy(work / "library.sqlite", starter)
    few = ("--rows", 4, "--windows", 4, "--features", 4)
    run("evaluate", "--work", work, "--starter", starter, *few)
    (base / "credits.tsv").write_text("title\tauthor\n")
    run("card", "--starter", starter, "--credits", base / "credits.tsv")
    return starter


def label(run, work: Path, base: Path) -> None:
    """Step 6 with a reader who always answers the same."""
    labels, key = base / "labels.tsv", base / "key.json"
    run("labels", "sheets", "--work", work, "--labels", labels, "--out", base / "sheets", "--parts", 1)
    library = FeatureLibrary.open(work / "library.sqlite")
    shown = [f for f in range(library.d_sae) if library.card(f).density]
    library.close()
    answer = base / "answer.txt"
    answer.write_text("".join(f"{f}\ta label for {f}\t1\n" for f in shown))
    run("labels", "apply", "--work", work, "--labels", labels, answer)
    run("labels", "tests", "--work", work, "--labels", labels, "--out", base / "tests", "--parts", 1, "--key", key)
    answer.write_text("".join(f"{f}\t30303030\n" for f in json.loads(key.read_text())))
    run("labels", "score", "--work", work, "--labels", labels, "--key", key, answer)


def test_every_step_leaves_what_the_next_one_reads(made: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(made / "language_model")
    tokenizer = AutoTokenizer.from_pretrained(made / "language_model")
    sae = load_sae(made / "sae")
    sae.require_fit(model.config.hidden_size, model.config.num_hidden_layers)
    assert model.dtype == torch.bfloat16
    assert tokenizer("the fox")["input_ids"][0] == tokenizer.bos_token_id
    assert (sae.layer, sae.d_sae) == (1, 256)
    assert sae.density is not None


def test_the_language_model_learnt_something(made: Path) -> None:
    numbers = json.loads((made / "measured.json").read_text())
    losses = [part["loss"] for part in numbers["language_model"]["held_out"].values()]
    assert max(losses) < 5.5  # ln 600 = 6.4 before training


def test_the_dictionary_is_sparse_and_explains(made: Path) -> None:
    numbers = json.loads((made / "measured.json").read_text())["sae"]
    assert abs(numbers["l0"] / numbers["k"] - 1) < 0.5
    assert numbers["fvu"] < 0.7
    assert numbers["fvu"] < min(numbers["fvu_other_layers"].values())


def test_the_library_holds_the_labels_that_were_read(made: Path) -> None:
    library = FeatureLibrary.open(made / "library.sqlite")
    cards = [library.card(feature) for feature in range(library.d_sae)]
    shown = [card for card in cards if card.density]
    library.close()
    assert library.meta["sae"] == load_sae(made / "sae").id
    assert len(shown) > 50
    assert all(card.label == f"a label for {card.feature}" for card in shown)


def test_the_card_tells_its_numbers(made: Path) -> None:
    text = (made / "README.md").read_text(encoding="utf-8")
    numbers = json.loads((made / "measured.json").read_text())
    assert f"{numbers['sae']['fvu']:.3f}" in text
    assert "**falls short**" in text
    assert "features fired and have a label" in text
    assert (made / "CREDITS.tsv").exists()


@pytest.mark.parametrize("step", STEPS)
def test_help(step: str, run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        run(step, "--help")
    assert "--" in capsys.readouterr().out


def reference_loss(dictionary: Dictionary, x: torch.Tensor, floor: float) -> torch.Tensor:
    """The loss that ``Dictionary.backward`` differentiates, left to autograd."""
    z = x @ dictionary.encoder.T + dictionary.bias
    rebuilt = torch.where(z > floor, z, 0.0) @ dictionary.decoder + dictionary.decoder_bias
    return (rebuilt - x).square().sum() / len(x)


def test_gradients_by_hand_agree_with_autograd() -> None:
    torch.manual_seed(0)
    dictionary = Dictionary(32, 128, k=8, dead_after=10**9, device=torch.device("cpu"))
    x = torch.nn.functional.normalize(torch.randn(640, 32), dim=1)
    dictionary.backward(x)
    by_hand = [weight.grad.clone() for weight in dictionary.weights if weight.grad is not None]
    small, encoder = x.bfloat16(), dictionary.encoder.detach().bfloat16()
    floor = dictionary.cut(torch.nn.functional.linear(small, encoder))
    dictionary.optimiser.zero_grad()
    reference_loss(dictionary, x, floor).backward()
    for mine, weight in zip(by_hand, dictionary.weights, strict=True):
        assert weight.grad is not None
        cosine = torch.nn.functional.cosine_similarity(mine.flatten(), weight.grad.flatten(), dim=0)
        assert float(cosine) > 0.995
        assert float(mine.norm() / weight.grad.norm()) == pytest.approx(1, abs=0.02)


def test_the_cut_keeps_k_features_a_token() -> None:
    torch.manual_seed(0)
    dictionary = Dictionary(32, 128, k=8, dead_after=10**9, device=torch.device("cpu"))
    z = torch.randn(4096, 128)
    assert float((z > dictionary.cut(z)).sum() / len(z)) == pytest.approx(8, rel=0.1)


def test_dead_features_come_back() -> None:
    torch.manual_seed(0)
    dictionary = Dictionary(32, 64, k=4, dead_after=1000, device=torch.device("cpu"))
    with torch.no_grad():
        dictionary.bias[:16] = -0.5
    centres = torch.nn.functional.normalize(torch.randn(48, 32), dim=1)
    silent = []
    for _ in range(400):
        x = centres[torch.randint(48, (512,))] + 0.05 * torch.randn(512, 32)
        dictionary.backward(x)
        silent.append(int((dictionary.quiet > 1000).sum()))
        dictionary.step(5e-3)
    assert max(silent) >= 16
    assert silent[-1] <= max(silent) / 2


def test_the_buffer_mixes_and_loses_nothing() -> None:
    source = (torch.arange(start, start + 10)[:, None].float() for start in range(0, 10_000, 10))
    torch.manual_seed(0)
    buffer = ShuffleBuffer(source, 100)
    batches = buffer.batches(20)
    seen = torch.cat([next(batches) for _ in range(40)]).flatten()
    assert len(seen.unique()) == len(seen)
    assert (seen[:20].diff().abs() > 1).float().mean() > 0.8
