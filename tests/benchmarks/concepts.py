"""Twenty concepts: does a quality found by searching bring what its name promises, and what does it cost?

    python -m tests.benchmarks.concepts

The concepts, their word forms and all openings stand in ``concepts.json``, which was committed before any text had
been steered. For each concept two qualities are measured: the *first* search hit whose label is clear, and the *best of
ten*, chosen among the ten first hits, clear or not, by four other openings (the greatest rise that costs at most 0.5
nat), as a writer chooses by listening.
Each is set to level 0.7 and writes 16 openings × 3 seeds × 64 tokens, beside the unsteered model and a random direction
of the same norm, all rows in one forward pass with the same chance. Counted are concept words per 100 words; the
interval is a 95 % bootstrap over openings of the rise above the unsteered text. Fluency is the mean negative
log-likelihood per token (nats) of each text under the unsteered model. A concept *rises clearly* if the whole interval
lies above zero and the loss of fluency is at most 0.5 nat.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tests.benchmarks.report import table, write_section
from undersong.core import paths
from undersong.core.features import Hit
from undersong.core.messages import Load, Pane
from undersong.core.mixing import Fader, FeatureRef
from undersong.core.sampling import Sampling
from undersong.engine.decode import Generation
from undersong.engine.engine import Engine, Loaded
from undersong.engine.library import FeatureLibrary
from undersong.engine.prompt import encode

LEVEL = 0.7
SEEDS = (11, 22, 33)
TOKENS = 64
CALIBRATION_SEEDS = (44, 55, 66, 77, 88)
AMONG = 10
MOST_LOSS = 0.5
RESAMPLES = 10_000
WANTED = 14


@dataclass(frozen=True)
class Concept:
    """Something a writer looks for."""

    name: str
    search: str
    words: frozenset[str]

    def count(self, text: str) -> int:
        """Concept words in a text."""
        return sum(word in self.words for word in words_of(text))


@dataclass(frozen=True)
class Texts:
    """What one row wrote: for every opening, its texts (one a seed) and their negative log-likelihoods."""

    texts: list[list[str]]
    nll: np.ndarray
    """[opening][seed], nats a token."""

    def counts(self, concept: Concept) -> np.ndarray:
        """[opening]: concept words and all words over the seeds, (openings, 2)."""
        pairs = [[(concept.count(text), len(words_of(text))) for text in of_opening] for of_opening in self.texts]
        return np.array(pairs).sum(1)


Push = Tensor
"""What is added to a row's residual stream (d_model,); zeros leave the row unsteered."""


def words_of(text: str) -> list[str]:
    """The words of a text, in small letters."""
    return re.findall(r"[a-z]+", text.lower().replace("’", "'").replace("'s", ""))


def write(loaded: Loaded, prompts: Sequence[str], seeds: Sequence[int], pushes: Sequence[Push]) -> list[Texts]:
    """Let every push write every prompt with every seed, all pushes in step."""
    texts: list[list[list[str]]] = [[] for _ in pushes]
    nll = np.zeros((len(pushes), len(prompts), len(seeds)))
    for p, prompt in enumerate(prompts):
        for of_row in texts:
            of_row.append([])
        for s, seed in enumerate(seeds):
            written = write_once(loaded, prompt, seed, pushes)
            nll[:, p, s] = likelihoods(loaded, prompt, written)
            for of_row, text in zip(texts, written, strict=True):
                of_row[p].append(text)
        print(f"  {p + 1} of {len(prompts)} openings", flush=True)
    return [Texts(of_row, of_nll) for of_row, of_nll in zip(texts, nll, strict=True)]


def write_once(loaded: Loaded, prompt: str, seed: int, pushes: Sequence[Push]) -> list[str]:
    """One text a push, with the application's own decoder."""
    ids = encode(loaded.model, prompt, loaded.model.context).ids
    sampling = Sampling(seed=seed, words=10 * TOKENS)
    generation = Generation(loaded.model, loaded.sae, ids, [Pane(str(i)) for i in range(len(pushes))], sampling)
    steering = generation.steering
    for row, push in enumerate(pushes):
        steering.shift[row] = push
        steering.steered[row] = bool(push.any())
    steering.silent = not steering.steered.any()
    pieces = [step.texts for step in islice(generation.steps(), TOKENS)]
    rest = [row.detokenizer.finish() if row.reason is None else "" for row in generation.rows]
    return ["".join(texts) for texts in zip(*pieces, rest, strict=True)]


@torch.inference_mode()
def likelihoods(loaded: Loaded, prompt: str, texts: Sequence[str]) -> np.ndarray:
    """Mean negative log-likelihood (nats a token) of each text after the prompt under the unsteered model."""
    model = loaded.model
    skip = len(encode(model, prompt, model.context).ids)
    ids = [encode(model, prompt + text, model.context).ids for text in texts]
    longest = max(map(len, ids))
    padded = torch.tensor([row + [0] * (longest - len(row)) for row in ids], device=model.device)
    odds = model.network(padded).logits[:, skip - 1 : -1].float().log_softmax(-1)
    own = -odds.gather(-1, padded[:, skip:, None])[..., 0]  # (texts, tokens)
    lengths = torch.tensor([max(1, len(row) - skip) for row in ids], device=model.device)
    inside = torch.arange(own.shape[1], device=model.device) < lengths[:, None]
    return ((own * inside).sum(1) / lengths).cpu().numpy()


def push_of(loaded: Loaded, feature: int) -> Push:
    """What a fader at the benchmark's level adds."""
    fader = Fader(FeatureRef(loaded.sae.id, feature), LEVEL, unit=loaded.unit)
    return fader.level * fader.unit * loaded.sae.direction(feature)


def random_push(loaded: Loaded, number: int) -> Push:
    """A random direction, as long as what a fader adds."""
    direction = torch.randn(loaded.sae.d_in, generator=torch.Generator().manual_seed(1000 + number))
    return (LEVEL * loaded.unit * direction / direction.norm()).to(loaded.model.device)


def candidates(library: FeatureLibrary, concept: Concept) -> list[Hit]:
    """The first hits of the concept's search."""
    return list(library.search(concept.search, AMONG, 0).hits)


def first_clear(library: FeatureLibrary, concept: Concept) -> Hit:
    """The first hit whose label is clear; if there is none, the first hit."""
    hits = library.search(concept.search, 200, 0).hits
    return next((hit for hit in hits if hit.clear), hits[0])


def calibrate(loaded: Loaded, found: list[list[Hit]], concepts: list[Concept], prompts: list[str]) -> list[Hit]:
    """Of each concept's candidates the one that raises it most on other openings at a bearable cost."""
    flat = [hit for hits in found for hit in hits]
    zero = torch.zeros(loaded.sae.d_in, device=loaded.model.device)
    base, *tried = write(loaded, prompts, CALIBRATION_SEEDS, [zero, *(push_of(loaded, h.feature) for h in flat)])
    results = iter(tried)
    chosen = []
    for concept, hits in zip(concepts, found, strict=True):
        scored = []
        for hit in hits:
            texts = next(results)
            loss = float(texts.nll.mean() - base.nll.mean())
            rise = rate(texts.counts(concept)) - rate(base.counts(concept))
            scored.append((loss <= MOST_LOSS, rise if loss <= MOST_LOSS else -loss, hit))
        chosen.append(max(scored, key=lambda score: score[:2])[2])
    return chosen


def rate(counts: np.ndarray) -> float:
    """Concept words per 100 words."""
    return 100 * counts[..., 0].sum() / max(1, counts[..., 1].sum())


def interval(base: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """95 % bootstrap interval over openings of the rise in concept words per 100 words."""
    chance = np.random.default_rng(0)
    drawn = chance.integers(0, len(base), (RESAMPLES, len(base)))

    def rates(counts: np.ndarray) -> np.ndarray:
        sums = counts[drawn].sum(1)
        return 100 * sums[:, 0] / np.maximum(1, sums[:, 1])

    low, high = np.percentile(rates(other) - rates(base), [2.5, 97.5])
    return float(low), float(high)


def report(concepts: list[Concept], hits: list[Hit], base: Texts, steered: list[Texts], random: list[Texts]) -> str:
    """The table of one way of choosing, and how many concepts rise clearly."""
    rows, clear = [], 0
    for concept, hit, texts, control in zip(concepts, hits, steered, random, strict=True):
        low, high = interval(base.counts(concept), texts.counts(concept))
        loss = float(texts.nll.mean() - base.nll.mean())
        rises = low > 0 and loss <= MOST_LOSS
        clear += rises
        rows.append([
            f"{concept.name} (“{concept.search}”)",
            f"#{hit.feature} {hit.label}{'' if hit.clear else ' (unclear)'}",
            f"{rate(base.counts(concept)):.2f}",
            f"{rate(texts.counts(concept)):.2f}",
            f"{low:+.2f} … {high:+.2f}",
            f"{rate(control.counts(concept)):.2f}",
            f"{loss:+.2f}",
            f"{control.nll.mean() - base.nll.mean():+.2f}",
            "yes" if rises else "no",
        ])  # fmt: skip
    head = (
        "concept (search)", "quality", "unsteered", "steered", "rise, 95 %", "random",
        "loss, nat", "random's loss", "rises clearly",
    )  # fmt: skip
    return f"{clear} of {len(concepts)} rise clearly (wanted: {WANTED}).\n\n" + table(head, rows)


def main() -> None:
    """Measure and write the section of RESULTS.md."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--starter", type=Path, default=paths.starter(), help="folder of model, SAE and library")
    arguments.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    asked = arguments.parse_args()
    began = time.monotonic()
    fixed = json.loads(Path(__file__).with_name("concepts.json").read_text("utf-8"))
    concepts = [Concept(c["name"], c["search"], frozenset(c["words"].split())) for c in fixed["concepts"]]
    library = FeatureLibrary.open(asked.starter / "library.sqlite")
    engine = Engine()
    request = Load(0, str(asked.starter / "language_model"), str(asked.starter / "sae"), "", asked.device)
    engine.load(request, library.size, lambda stage, _: print(stage, flush=True))
    torch.set_num_threads(torch.get_num_threads() + 1)  # there is no window here to leave a core for
    loaded = engine.need()
    found = [candidates(library, concept) for concept in concepts]
    print("Choosing among ten with other openings", flush=True)
    best = calibrate(loaded, found, concepts, fixed["calibration_prompts"])
    first = [first_clear(library, concept) for concept in concepts]
    print("Measuring", flush=True)
    zero = torch.zeros(loaded.sae.d_in, device=loaded.model.device)
    qualities = list(dict.fromkeys(hit.feature for hit in (*first, *best)))
    pushes = [zero, *(push_of(loaded, f) for f in qualities), *(random_push(loaded, i) for i in range(len(concepts)))]
    base, *rest = write(loaded, fixed["prompts"], SEEDS, pushes)
    of_quality = dict(zip(qualities, rest[: len(qualities)], strict=True))
    random = rest[len(qualities) :]
    sections = [
        f"### {title}\n\n" + report(concepts, hits, base, [of_quality[h.feature] for h in hits], random)
        for title, hits in (("The first clear hit", first), ("The best of the first ten hits", best))
    ]
    explained = (__doc__ or "").split("\n\n", 2)[2].strip()
    seconds = f"It took {time.monotonic() - began:.0f} seconds."
    text = "\n\n".join([explained, *sections, f"Unsteered text: {base.nll.mean():.2f} nats a token. {seconds}"])
    print(text)
    write_section("concepts", "Twenty concepts", "python -m tests.benchmarks.concepts", text)


if __name__ == "__main__":
    main()
