"""Step 5: write the feature library from the language model, the dictionary and the token files.

Runs training text through both, and stores for every feature that shows: how often and how strongly, passages across
its range, the words its direction brings and takes away, its neighbours, and a label. Labels come from ``labels.tsv``
where that file was written for this very dictionary, otherwise from a rule that names the words a feature shows on.
Passages of held-out text for testing the labels go to ``label_windows.jsonl`` beside it.

Run: ``python -m models.recipe.library --work FOLDER``
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from models.recipe.activations import WINDOW, load_blocks, mixed_windows
from models.recipe.firings import CELL, Firings, collect, held_out_rows
from models.recipe.label_file import LABELS, read_labels
from models.recipe.passages import (
    STRONGEST,
    Pieces,
    automatic_label,
    bounds,
    choose_peaks,
    rarity,
    telling_words,
)
from undersong.core.features import Example, FeatureCard, Hit
from undersong.engine import blocks as anatomy
from undersong.engine.library import SPARK, Entry, Verdict, write_library
from undersong.engine.sae import Sae
from undersong.engine.sae_formats import load_sae

SEED = 20261122
NAME = "Undersong starter"
EXAMPLES = 12
NEIGHBOURS = 8
LENS_WORDS = 10
INDEX_WORDS = 12
TEST_BANDS = 4
PER_TEST_BAND = 2


@dataclass(frozen=True)
class Lens:
    """What each feature's direction does to the next word's logits, on words that stand by themselves."""

    words: list[str]
    """Text of each column, without its leading space."""
    scores: Tensor
    """(d_sae, words) z-scores of the logit change across features (steering-science.md §4.4)."""

    def extremes(self, feature: int, sign: int) -> tuple[tuple[str, ...], tuple[float, ...]]:
        """The words a feature makes likelier (sign 1) or unlikelier (−1), strongest first, with their z-scores."""
        found: dict[str, float] = {}
        values, columns = (sign * self.scores[feature]).topk(min(6 * LENS_WORDS, len(self.words)))
        known = set[str]()
        for value, column in zip(values.tolist(), columns.tolist(), strict=True):
            word = self.words[column]
            if word.lower() not in known and len(found) < LENS_WORDS:
                known.add(word.lower())
                found[word] = sign * value
        return tuple(found), tuple(found.values())


@torch.no_grad()
def lens_of(folder: Path, sae: Sae, pieces: Pieces, whole: np.ndarray, live: np.ndarray) -> Lens:
    """The logit lens of every decoder row, the final norm's weight folded in."""
    parts = anatomy.find(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32))
    gain = parts.norm.weight.detach() if isinstance(parts.norm.weight, Tensor) else 1.0
    effects = (sae.decoder.cpu() * gain) @ parts.unembedding.float().T
    effects -= effects.mean(1, keepdim=True)
    if whole.sum() < 4 * LENS_WORDS:  # a tokenizer of a few hundred entries has hardly any words
        whole = np.array([text.strip().isalpha() for text in pieces.texts])
    columns = np.flatnonzero(whole)
    effects = effects[:, torch.from_numpy(columns)]
    among = effects[torch.from_numpy(np.flatnonzero(live))]
    effects = (effects - among.mean(0)) / among.std(0, correction=0).clamp_min(1e-6)
    return Lens([pieces.texts[i].strip() for i in columns], effects)


def neighbours(sae: Sae, live: np.ndarray) -> dict[int, list[tuple[int, float]]]:
    """Live feature → the live features with the most similar decoder rows and the cosines."""
    numbers = torch.from_numpy(np.flatnonzero(live))
    rows = sae.decoder.cpu()[numbers]
    likeness = (rows @ rows.T).fill_diagonal_(-2)
    values, columns = likeness.topk(max(0, min(NEIGHBOURS, len(numbers) - 1)))
    return {
        int(feature): list(zip(numbers[found].tolist(), cosines.tolist(), strict=True))
        for feature, found, cosines in zip(numbers, columns, values, strict=True)
    }


def example_at(firings: Firings, special: list[int], pieces: Pieces, feature: int, peak: int, most: float) -> Example:
    """The passage around one firing, activations as shares of the feature's maximum."""
    begin, end = bounds(firings, special, peak)
    values = np.minimum(firings.along(feature, begin, end) / most, 1.0)
    return Example(tuple(pieces.of(firings.rows.ravel()[begin:end])), tuple(values.tolist()))


def shown(count: int) -> list[int]:
    """Which of ``count`` passages, strongest first, a library shows: the strongest, then evenly spread."""
    spread = np.linspace(STRONGEST, count - 1, min(EXAMPLES, count) - STRONGEST) if count > STRONGEST else []
    return [*range(min(STRONGEST, count)), *(round(float(rank)) for rank in spread)]


def spark_of(example: Example) -> tuple[float, ...]:
    """SPARK activations of an example around its strongest token, as shares of that token's."""
    values = list(example.values)
    peak = values.index(max(values))
    begin = max(0, min(peak - SPARK * 2 // 3, len(values) - SPARK))
    kept = values[begin : begin + SPARK]
    return tuple(v / values[peak] for v in kept) + (0.0,) * (SPARK - len(kept))


def entries(firings: Firings, sae: Sae, lens: Lens, pieces: Pieces, verdicts: dict[int, Verdict]) -> Iterator[Entry]:
    """An entry for every feature that fired, with progress on the screen."""
    rng = np.random.default_rng(SEED)
    special = pieces.tokenizer.all_special_ids
    idf, density = rarity(firings.rows, pieces, rng), firings.density
    near = neighbours(sae, density > 0)
    for count, feature in enumerate(near):
        if count % 256 == 0:
            print(f"feature {count} of {len(near)}", flush=True)
        most = float(firings.of(feature)[1].max())
        peaks = choose_peaks(firings, feature, rng)
        passages = [example_at(firings, special, pieces, feature, peak, most) for peak in peaks]
        examples = tuple(passages[rank] for rank in shown(len(passages)))
        words = telling_words([(e.pieces, e.values) for e in passages], idf)
        promoted, strengths = lens.extremes(feature, 1)
        verdict = verdicts.get(feature) or Verdict(automatic_label(words, promoted), False, 0.0)
        card = FeatureCard(
            feature=feature,
            label=verdict.label,
            clear=verdict.clear,
            auroc=verdict.auroc,
            density=float(density[feature]),
            max_activation=most,
            promoted=promoted,
            suppressed=lens.extremes(feature, -1)[0],
            near=tuple(Hit(number, "", cosine, 0.0) for number, cosine in near[feature]),
            examples=examples,
        )
        yield Entry(card, spark_of(examples[0]), tuple(w for w in words if w[0].isalpha())[:INDEX_WORDS], strengths)


def label_windows(
    firings: Firings, near: dict[int, list[tuple[int, float]]], pieces: Pieces
) -> Iterator[dict[str, object]]:
    """For every feature, held-out passages in which it shows and others in which it does not.

    ``shows`` runs from strong to weak in bands of equal size; ``hard`` are passages where a neighbour shows strongly
    and the feature itself does not; ``other`` are any without it. All lie on one fixed grid, so that nothing in where
    a passage begins gives the answer away, and none crosses the end of a document.
    """
    rng = np.random.default_rng(SEED)
    cells = firings.rows.reshape(-1, CELL)
    marked = np.isin(cells, pieces.tokenizer.all_special_ids)
    marked[:: WINDOW // CELL, 0] = False
    fit = np.logical_not(marked.any(axis=1))

    def texts(chosen: np.ndarray) -> list[str]:
        return ["".join(pieces.of(cells[cell])) for cell in chosen]

    strongest = {}
    for feature in near:
        found = firings.peaks(feature)[0] // CELL
        strongest[feature] = found[fit[found]]
    for feature, close in near.items():
        bands = [rng.permutation(band)[:PER_TEST_BAND] for band in np.array_split(strongest[feature], TEST_BANDS)]
        without = fit.copy()
        without[firings.of(feature)[0] // CELL] = False
        rivals = np.unique([cell for number, _ in close for cell in strongest[number][:12] if without[cell]])
        hard = rng.permutation(rivals.astype(np.int64))[:TEST_BANDS]
        without[hard] = False
        other = rng.permutation(np.flatnonzero(without))[: 2 * TEST_BANDS]
        found = {"shows": texts(np.concatenate(bands)), "hard": texts(hard), "other": texts(other)}
        yield {"feature": feature, **found}


def build(args: argparse.Namespace) -> None:
    folder = args.work / "language_model"
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    sae, pieces = load_sae(args.work / "sae"), Pieces(tokenizer)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    blocks = load_blocks(folder, sae.layer, device)
    special = torch.tensor([tokenizer.bos_token_id, tokenizer.eos_token_id])
    batches = mixed_windows(args.work, tokenizer.bos_token_id, SEED)
    firings = collect(blocks, sae.to(device), batches, special, args.tokens)
    live = firings.density > 0
    print(f"{live.sum()} of {sae.d_sae} features show; L0 {firings.density.sum():.1f}", flush=True)
    whole = pieces.whole_words(firings.rows, max(2, firings.tokens // 150_000))
    lens = lens_of(folder, sae, pieces, whole, live)
    meta = {"model": NAME, "sae": sae.id, "d_sae": sae.d_sae, "tokens": firings.tokens}
    verdicts = read_labels(args.labels, sae.id)
    out = args.work / "library.sqlite"
    write_library(out, meta, entries(firings, sae, lens, pieces, verdicts))
    size = out.stat().st_size / 1e6
    print(f"{out}: {size:.1f} MB, {len(verdicts)} labels from {args.labels.name}", flush=True)
    held_out = collect(blocks, sae.to(device), held_out_rows(args.work, tokenizer.bos_token_id), special, args.tokens)
    with (args.work / "label_windows.jsonl").open("w", encoding="utf-8") as file:
        for record in label_windows(held_out, neighbours(sae, live), pieces):
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Step 5: write the feature library.")
    parser.add_argument("--work", type=Path, required=True, help="folder of steps 1 to 4; library.sqlite goes there")
    parser.add_argument("--tokens", type=int, default=3_000_000, help="training tokens to read")
    parser.add_argument("--labels", type=Path, default=LABELS, help="labels written by reading, if there are any")
    build(parser.parse_args())


if __name__ == "__main__":
    main()
