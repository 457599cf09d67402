"""Step 8: write the starter's model card, README.md, from what was measured.

Run: ``python -m models.recipe.card --starter FOLDER --credits FILE``
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.recipe.corpus import SUB_CORPORA
from undersong.engine.library import FeatureLibrary

TEMPLATE = Path(__file__).with_name("card.template.md")


@dataclass(frozen=True, slots=True)
class Wish:
    """A number the starter should reach."""

    name: str
    """What it is, for the table."""
    value: float
    """What was measured."""
    wanted: str
    """The bound, in words."""
    met: bool
    """Whether it was reached."""
    why: str
    """Said under “Where it falls short” if it was not."""
    show: Callable[[float], str] = "{:.3f}".format
    """How the value is written."""

    def row(self) -> str:
        """A line of the table."""
        verdict = "reached" if self.met else "**falls short**"
        return f"| {self.name} | {self.show(self.value)} | {self.wanted} | {verdict} |"


def wishes(language: dict[str, Any], sae: dict[str, Any], steering: dict[str, Any]) -> list[Wish]:
    """Every number that has a bound, in the table's order."""
    perplexity = language["held_out"]["tinystories"]["perplexity"]
    more = "Longer training would lower it: it was still falling when the time was up."
    cut = "The part of the residual stream that the dictionary misses matters to the blocks after it; more features, a "
    cut += "larger k or longer training would recover more."
    percent = "{:.1%}".format
    return [
        Wish("TinyStories perplexity", perplexity, "≤ 8", perplexity <= 8, more, "{:.2f}".format),
        Wish("FVU, variance not explained", sae["fvu"], "≤ 0.25", sae["fvu"] <= 0.25, more),
        Wish("loss recovered, against zeros", sae["recovered_zero"], "≥ 0.95", sae["recovered_zero"] >= 0.95, cut),
        Wish("loss recovered, against the mean", sae["recovered_mean"], "≥ 0.95", sae["recovered_mean"] >= 0.95, cut),
        Wish(
            f"L0, features a token (k = {sae['k']})",
            sae["l0"],
            "within 15 % of k",
            abs(sae["l0"] / sae["k"] - 1) <= 0.15,
            "The threshold was set on training text, and held-out text needs another number of features.",
            "{:.1f}".format,
        ),
        Wish("dead features", sae["dead"], "< 10 %", sae["dead"] < 0.1, "They never came back in training.", percent),
        Wish(
            "features on more than a tenth of tokens", sae["dense"], "< 2 %", sae["dense"] < 0.02, "Such features say "
            "little about any one passage; they are marked common in the library.", percent,
        ),
        Wish(
            "features that steer cleanly",
            steering["features"]["clean"],
            "≥ 30 %",
            steering["features"]["clean"] >= 0.3,
            "In a model this small many features are about syntax or parts of words and change no theme.",
            "{:.0%}".format,
        ),
    ]  # fmt: skip


def labels_text(path: Path) -> str:
    """A paragraph on how well the labels predict where their features show; says so if nothing was measured."""
    if not path.exists():
        return "**Labels.** There is no library in this folder yet."
    library = FeatureLibrary.open(path)
    cards = [library.card(feature) for feature in range(library.d_sae)]
    library.close()
    scores = np.array([card.auroc for card in cards if card.auroc > 0])
    shown = [card for card in cards if card.density > 0]
    if not len(scores):
        return f"**Labels.** The labels of the {len(shown):,} features in the library have not been measured yet."
    tenth, quarter, median, upper = np.quantile(scores, [0.1, 0.25, 0.5, 0.75])
    unclear = sum(not card.clear for card in shown)
    good, poor = (scores >= 0.8).mean(), (scores < 0.7).mean()
    return (
        f"**Labels.** {len(shown):,} features fired and have a label; {len(scores):,} labels were measured by how well "
        f"they tell held-out windows where the feature shows from windows where it does not (detection AUROC): median "
        f"{median:.2f}, tenth percentile {tenth:.2f}, quartiles {quarter:.2f} and {upper:.2f}; {good:.0%} reach 0.8, "
        f"{poor:.0%} stay under 0.7. {unclear:,} features are marked unclear."
    )


def card(starter: Path) -> str:
    """The model card's text."""
    numbers = json.loads((starter / "measured.json").read_text(encoding="utf-8"))
    model = json.loads((starter / "language_model" / "config.json").read_text(encoding="utf-8"))
    language, sae, steering = numbers["language_model"], numbers["sae"], numbers["steering"]
    wanted = wishes(language, sae, steering)
    rows = [(name, language["held_out"][name]) for name in SUB_CORPORA]
    return TEMPLATE.read_text(encoding="utf-8").format(
        parameters=language["parameters"] / 1e6,
        layers=model["num_hidden_layers"],
        width=model["hidden_size"],
        context=model["max_position_embeddings"],
        vocabulary=model["vocab_size"],
        tokens=language["training_tokens"] / 1e6,
        hours=language["training_hours"],
        sae_tokens=sae["training_tokens"] / 1e6,
        sae_held_out=sae["tokens"],
        language_rows="\n".join(
            f"| {name} | {part['tokens']:,} | {part['loss']:.3f} | {part['perplexity']:.2f} |" for name, part in rows
        ),
        wanted_rows="\n".join(wish.row() for wish in wanted),
        shortcomings="\n".join(
            f"* {w.name}: {w.show(w.value)}, wanted {w.wanted}. {w.why}" for w in wanted if not w.met
        )
        or "* Every number above that has a bound reaches it; that makes it a good toy, not a good writer.",
        fvu_by_corpus=", ".join(f"{name} {value:.3f}" for name, value in sae["fvu_by_corpus"].items()),
        fvu_other_layers=" and ".join(f"{v:.3f} (block {k})" for k, v in sae["fvu_other_layers"].items()),
        clean=steering["features"]["clean"],
        fluent=steering["features"]["fluent"],
        loss_rise=steering["features"]["loss_rise_median"],
        random_clean=steering["random"]["clean"],
        samples="\n\n".join(f"> {text}".replace("\n", "\n> ") for text in numbers["greedy"].values()),
        labels=labels_text(starter / "library.sqlite"),
        **{name: described(numbers["corpus"][name]) for name in SUB_CORPORA},
        **{
            key: sae[key]
            for key in ("d_sae", "layer", "k", "density_tokens", "loss", "loss_patched", "loss_zero", "loss_mean")
        },
        **{key: steering[key] for key in ("tried", "level", "texts_each", "words")},
    )


def described(part: dict[str, int]) -> str:
    """How much of a sub-corpus was used."""
    documents = part["train_documents"] + part["held_out_documents"]
    return f"{documents:,} documents, {part['bytes'] / 1e6:.1f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description="Step 8: write the starter's model card from what was measured.")
    parser.add_argument("--starter", type=Path, required=True, help="folder with measured.json; README.md goes there")
    parser.add_argument("--credits", type=Path, help="table of the stories' authors, copied beside the card")
    args = parser.parse_args()
    (args.starter / "README.md").write_text(card(args.starter), encoding="utf-8")
    if args.credits:
        shutil.copyfile(args.credits, args.starter / "CREDITS.tsv")


if __name__ == "__main__":
    main()
