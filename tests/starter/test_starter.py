"""The starter that ships: plain Hugging Face and SAELens files, true to its card."""

from __future__ import annotations

import json
import lzma
import math
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from models.recipe.activations import is_text
from models.recipe.card import card
from models.recipe.evaluate import greedy, loss, residuals_at, unexplained
from undersong.core import paths
from undersong.engine.library import FeatureLibrary
from undersong.engine.sae import Sae
from undersong.engine.sae_formats import load_sae

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its own imports are deprecated
    import sae_lens

PARTS = ("language_model/model.safetensors", "sae/sae_weights.safetensors", "library.sqlite", "measured.json")
HELD_OUT = Path(__file__).with_name("held_out_classics.txt.xz")
EXCERPT = 200


@pytest.fixture(scope="module")
def folder() -> Path:
    """The starter's folder, all there."""
    found = paths.starter()
    if missing := ", ".join(part for part in PARTS if not (found / part).is_file()):
        pytest.fail(f"The starter is incomplete, {missing} missing: run the steps in models/recipe/README.md.")
    return found


@pytest.fixture(scope="module")
def model(folder: Path) -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(folder / "language_model", dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(folder / "language_model")


@pytest.fixture(scope="module")
def sae(folder: Path) -> Sae:
    return load_sae(folder / "sae")


@pytest.fixture(scope="module")
def measured(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "measured.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rows(tokenizer: PreTrainedTokenizerBase) -> torch.Tensor:
    """Excerpts (n, EXCERPT) from classics the model was not trained on."""
    excerpts = lzma.decompress(HELD_OUT.read_bytes()).decode().split("\n<|endoftext|>\n")
    ids = [tokenizer(excerpt)["input_ids"][:EXCERPT] for excerpt in excerpts]
    return torch.tensor([row for row in ids if len(row) == EXCERPT])


@pytest.fixture(scope="module")
def special(tokenizer: PreTrainedTokenizerBase) -> torch.Tensor:
    return torch.tensor([tokenizer.bos_token_id, tokenizer.eos_token_id])


def test_it_is_small_and_plain(folder: Path) -> None:
    weights = folder / "language_model" / "model.safetensors"
    assert weights.stat().st_size <= 32_000_000
    with safe_open(weights, "pt") as file:
        kinds = {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
    assert kinds == {"BF16"}
    assert "auto_map" not in json.loads((folder / "language_model" / "config.json").read_text())
    assert (folder / "library.sqlite").stat().st_size <= 10_000_000


def test_every_text_begins_with_bos_and_comes_back_whole(tokenizer: PreTrainedTokenizerBase) -> None:
    text = 'The café was "shut", he said — naïve 🙂\n\nToday 12 foxes…'
    ids = tokenizer(text)["input_ids"]
    assert ids[0] == tokenizer.bos_token_id
    assert tokenizer.decode(ids, skip_special_tokens=True) == text


def test_greedy_text_is_what_the_card_shows(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, measured: dict[str, Any]
) -> None:
    for opening, written in measured["greedy"].items():
        found = greedy(model, tokenizer, opening, 10)
        assert len(found) > len(opening) + 10
        assert written.startswith(found)


def test_the_language_model_is_as_good_as_its_card_says(
    model: PreTrainedModel, rows: torch.Tensor, measured: dict[str, Any]
) -> None:
    nats = measured["language_model"]["held_out"]["classics"]["loss"]
    assert len(rows) >= 30
    assert loss(model, rows) == pytest.approx(nats, abs=0.3)
    assert measured["language_model"]["held_out"]["tinystories"]["perplexity"] < 12


def test_sae_lens_reads_the_same_activations(
    folder: Path, model: PreTrainedModel, sae: Sae, rows: torch.Tensor, special: torch.Tensor
) -> None:
    theirs = sae_lens.SAE.load_from_disk(folder / "sae")
    x = residuals_at(model, rows[:8], sae.layer, special)
    with torch.no_grad():
        assert torch.allclose(sae.encode(x), theirs.encode(x), atol=1e-5 * float(x.norm(dim=1).max()))
        assert torch.allclose(sae.reconstruct(x), theirs(x), atol=1e-5 * float(x.norm(dim=1).max()))
    assert torch.allclose(sae.decoder, theirs.W_dec, atol=1e-6)
    assert theirs.cfg.metadata.hook_name == f"blocks.{sae.layer}.hook_resid_post"


def test_the_dictionary_is_as_good_as_its_card_says(
    model: PreTrainedModel, sae: Sae, rows: torch.Tensor, special: torch.Tensor, measured: dict[str, Any]
) -> None:
    x = residuals_at(model, rows, sae.layer, special)
    assert len(x) == int(is_text(rows, special).sum())
    numbers = measured["sae"]
    assert unexplained(sae, x) == pytest.approx(numbers["fvu_by_corpus"]["classics"], abs=0.05)
    assert float((sae.encode(x) > 0).sum(1).float().mean()) == pytest.approx(numbers["l0"], rel=0.2)
    assert float(x.norm(dim=1).median()) == pytest.approx(numbers["median_norm"], rel=0.15)


def test_the_dictionary_fits_only_its_own_place(
    model: PreTrainedModel, sae: Sae, rows: torch.Tensor, special: torch.Tensor
) -> None:
    here, before, after = (
        unexplained(sae, residuals_at(model, rows[:16], block, special))
        for block in (sae.layer, sae.layer - 1, sae.layer + 1)
    )
    assert here < 0.3
    assert here < min(before, after)


def test_decoder_rows_are_units(sae: Sae) -> None:
    assert torch.allclose(sae.decoder.norm(dim=1), torch.ones(sae.d_sae), atol=1e-5)


def test_the_library_belongs_to_the_dictionary(folder: Path, sae: Sae) -> None:
    library = FeatureLibrary.open(folder / "library.sqlite")
    belongs, size = library.meta["sae"], library.d_sae
    library.close()
    assert (belongs, size) == (sae.id, sae.d_sae)


def test_the_card_is_written_from_the_numbers(folder: Path) -> None:
    assert (folder / "README.md").read_text(encoding="utf-8") == card(folder)
    assert len((folder / "CREDITS.tsv").read_text(encoding="utf-8").splitlines()) > 100


def test_the_wanted_numbers_are_reached_or_the_card_says_so(folder: Path, measured: dict[str, Any]) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    sae, perplexity = measured["sae"], measured["language_model"]["held_out"]["tinystories"]["perplexity"]
    short = [
        perplexity > 8,
        sae["fvu"] > 0.25,
        sae["recovered_zero"] < 0.95,
        sae["recovered_mean"] < 0.95,
        sae["dead"] >= 0.1,
        not math.isclose(sae["l0"], sae["k"], rel_tol=0.15),
    ]
    assert text.count("**falls short**") >= sum(short)
