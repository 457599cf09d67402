"""Step 7: measure the finished starter on held-out text; the model card is written from these numbers.

Run: ``python -m models.recipe.evaluate --work FOLDER --starter FOLDER``
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from models.recipe.activations import WINDOW, is_text, windows
from models.recipe.corpus import SUB_CORPORA
from models.recipe.steering import clean_share
from models.recipe.tokenizer import CONTEXT
from undersong.engine.blocks import find
from undersong.engine.hooks import Edit, Tap, hooked
from undersong.engine.sae import Sae
from undersong.engine.sae_formats import load_sae

SEED = 7
ROWS_AT_ONCE = 16
OPENINGS = ("Once upon a time there was a little fox who", "The old king looked out over the sea and")
SAMPLE_TOKENS = 60


def held_out(work: Path, name: str, bos: int, length: int, most: int) -> Tensor:
    """At most ``most`` rows ``BOS + text`` (rows, length) of a sub-corpus' held-out part."""
    stream = np.load(work / f"{name}.held_out.npy")
    count = min(most, max(1, len(stream) // (length - 1)))
    rows = windows(stream, bos, np.random.default_rng(SEED), length)
    return torch.from_numpy(np.stack([next(rows) for _ in range(count)]))


@torch.inference_mode()
def loss(model: PreTrainedModel, rows: Tensor, *, block: int = 0, edits: Sequence[Edit] = ()) -> float:
    """Mean next-token loss of rows (rows, length) in nats, with the output of ``block`` edited."""
    total = 0.0
    with hooked(find(model).blocks[block], *edits):
        for ids in rows.split(ROWS_AT_ONCE):
            logits = model(ids[:, :-1], use_cache=False).logits
            total += float(functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="sum"))
    return total / rows[:, 1:].numel()


@torch.inference_mode()
def residuals_at(model: PreTrainedModel, rows: Tensor, block: int, special: Tensor) -> Tensor:
    """Residual vectors (n, d_model) of the text positions of rows after ``block``."""
    tap, found = Tap(), []
    with hooked(find(model).blocks[block], tap):
        for ids in rows.split(ROWS_AT_ONCE):
            model(ids, use_cache=False, logits_to_keep=1)
            assert tap.last is not None
            found.append(tap.last[is_text(ids, special)])
    return torch.cat(found)


def unexplained(sae: Sae, x: Tensor) -> float:
    """Fraction of the variance of x (n, d_in) that the dictionary does not explain."""
    rest = sum(float((part - sae.reconstruct(part)).square().sum()) for part in x.split(4096))
    return rest / float((x - x.mean(0)).square().sum())


def language_model_numbers(model: PreTrainedModel, work: Path, bos: int, most: int) -> dict[str, Any]:
    """Held-out loss and perplexity of each sub-corpus, at the model's full context."""
    found: dict[str, Any] = {}
    for name in SUB_CORPORA:
        rows = held_out(work, name, bos, CONTEXT, most)
        nats = loss(model, rows)
        found[name] = {"tokens": rows[:, 1:].numel(), "loss": nats, "perplexity": math.exp(nats)}
        print(f"{name}: perplexity {math.exp(nats):.2f}", flush=True)
    return {"parameters": model.num_parameters(), "held_out": found}


def replaced(rows: Tensor, special: Tensor, change: Edit) -> Edit:
    """An edit for ``loss`` over ``rows`` that changes only text positions, batch after batch."""
    masks = iter([is_text(ids, special)[:, :-1, None] for ids in rows.split(ROWS_AT_ONCE)])

    def edit(x: Tensor) -> Tensor:
        return torch.where(next(masks), change(x), x)

    return edit


@torch.inference_mode()
def sae_numbers(model: PreTrainedModel, sae: Sae, rows: dict[str, Tensor], special: Tensor) -> dict[str, Any]:
    """How faithful the dictionary is on held-out rows (rows, WINDOW) of each sub-corpus."""
    everything = torch.cat(list(rows.values()))
    parts = {name: residuals_at(model, part, sae.layer, special) for name, part in rows.items()}
    x = torch.cat(list(parts.values()))
    fires = torch.stack([(sae.encode(part) > 0).sum(0) for part in x.split(4096)]).sum(0) / len(x)

    def patched(change: Edit) -> float:
        return loss(model, everything, block=sae.layer, edits=[replaced(everything, special, change)])

    plain, rebuilt = loss(model, everything), patched(sae.reconstruct)
    zero, mean = patched(torch.zeros_like), patched(lambda at: x.mean(0).expand_as(at))
    found = {
        "layer": sae.layer,
        "d_sae": sae.d_sae,
        "tokens": len(x),
        "fvu": unexplained(sae, x),
        "fvu_by_corpus": {name: unexplained(sae, part) for name, part in parts.items()},
        "fvu_other_layers": {
            str(block): unexplained(sae, residuals_at(model, everything, block, special))
            for block in (sae.layer - 1, sae.layer + 1)
            if 0 <= block < model.config.num_hidden_layers
        },
        "loss": plain,
        "loss_patched": rebuilt,
        "loss_zero": zero,
        "loss_mean": mean,
        "recovered_zero": (zero - rebuilt) / (zero - plain),
        "recovered_mean": (mean - rebuilt) / (mean - plain),
        "l0": float(fires.sum()),
        "dense": float((fires > 0.1).float().mean()),
        "median_norm": float(x.norm(dim=1).median()),
    }
    if sae.density is not None:
        found["dead"] = float((sae.density < 1e-9).float().mean())
    return found


@torch.inference_mode()
def greedy(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, opening: str, tokens: int) -> str:
    """The opening and the ``tokens`` the model writes after it when it always takes the likeliest."""
    ids = tokenizer(opening, return_tensors="pt")
    written = model.generate(**ids, do_sample=False, top_p=None, temperature=None, max_new_tokens=tokens)  # pyright: ignore[reportCallIssue]
    return str(tokenizer.decode(written[0], skip_special_tokens=True))


def reported(work: Path, name: str) -> dict[str, Any]:
    """What an earlier step wrote about itself."""
    return json.loads((work / f"{name}.json").read_text(encoding="utf-8"))


def main() -> None:
    parser = argparse.ArgumentParser(description="Step 7: measure the finished starter on held-out text.")
    parser.add_argument("--work", type=Path, required=True, help="folder with the token files of step 2")
    parser.add_argument("--starter", type=Path, required=True, help="folder with language_model and sae")
    parser.add_argument("--out", type=Path, help="file to write (default: measured.json in the starter)")
    parser.add_argument("--rows", type=int, default=10_000, help="rows a sub-corpus for the language model, at most")
    parser.add_argument("--windows", type=int, default=64, help="windows a sub-corpus for the dictionary")
    parser.add_argument("--features", type=int, default=200, help="features tried for steering")
    args = parser.parse_args()
    model = AutoModelForCausalLM.from_pretrained(args.starter / "language_model", dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(args.starter / "language_model")
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    special = torch.tensor([bos, eos])
    sae = load_sae(args.starter / "sae")
    rows = {name: held_out(args.work, name, bos, WINDOW, args.windows) for name in SUB_CORPORA}
    training = reported(args.work, "language_model")
    samples = {opening: greedy(model, tokenizer, opening, SAMPLE_TOKENS) for opening in OPENINGS}
    numbers = {"corpus": reported(args.work, "corpus"), "greedy": samples}
    numbers["language_model"] = language_model_numbers(model, args.work, bos, args.rows)
    numbers["language_model"] |= {"training_tokens": training["tokens"], "training_hours": training["hours"]}
    numbers["sae"] = sae_numbers(model, sae, rows, special)
    print(json.dumps(numbers["sae"], indent=1), flush=True)
    numbers["steering"] = clean_share(model, sae, rows, numbers["sae"]["median_norm"], args.features)
    print(json.dumps(numbers["steering"], indent=1), flush=True)
    details = json.loads((args.starter / "sae" / "cfg.json").read_text())["metadata"]["training_architecture_details"]
    numbers["sae"] |= details
    text = json.dumps(numbers, indent=1, ensure_ascii=False) + "\n"
    (args.out or args.starter / "measured.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
