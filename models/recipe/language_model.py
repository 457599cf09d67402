"""Step 3: train the starter language model, a small Llama, on the token files of step 2.

Hidden matrices are trained with Muon, everything else with AdamW; bf16 autocast on the CPU or on CUDA; a checkpoint
every few minutes, and a run that finds one carries on from it. The learning rate is constant after a warm-up and falls
to nothing over the last part of the run (``--decay``), so a checkpoint made before the decay can be trained further.

Run: ``python -m models.recipe.language_model --work FOLDER --minutes 60``
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from models.recipe.corpus import SUB_CORPORA
from models.recipe.tokenizer import CONTEXT, REPEATS

SEED = 20261120


def config_for(tokenizer: PreTrainedTokenizerFast, layers: int, width: int, heads: int) -> LlamaConfig:
    """The model's shape; the feed-forward width is 8/3 of ``width``, rounded up to a multiple of 64."""
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=64 * math.ceil(width * 8 / 3 / 64),
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        # PyTorch's fused attention has a slow backward pass on the CPU: 71 ms a layer against 13 ms for plain matmuls
        attn_implementation="sdpa" if torch.cuda.is_available() else "eager",
        initializer_range=0.02,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id,
    )


@dataclass
class Rows:
    """Rows of training tokens in a reproducible order, each beginning with BOS as the model always sees it in use."""

    streams: list[np.ndarray]
    """One token stream per sub-corpus."""
    repeats: list[int]
    """How often each stream is seen in one epoch."""
    bos: int
    """Id of the token every row begins with."""

    def epoch(self, number: int) -> np.ndarray:
        """Rows of one epoch, shuffled, cut at another offset each time; shape (rows, CONTEXT), uint16."""
        rng = np.random.default_rng(SEED + number)
        parts = []
        for stream, repeats in zip(self.streams, self.repeats, strict=True):
            for _ in range(repeats):
                shifted = stream[rng.integers(0, CONTEXT) :]
                count = max(1, len(shifted) // (CONTEXT - 1))
                body = np.resize(shifted, count * (CONTEXT - 1)).reshape(count, CONTEXT - 1)
                parts.append(np.concatenate([np.full((count, 1), self.bos, np.uint16), body], axis=1))
        rows = np.concatenate(parts)
        return rows[rng.permutation(len(rows))]


def optimisers(model: LlamaForCausalLM, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the blocks, AdamW for the embedding and the norms."""
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "layers." in n]
    chosen = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in chosen]
    # The 0.2·√max(shape) scaling lets both optimisers share one learning rate and weight decay (Moonlight report)
    muon = torch.optim.Muon(matrices, lr=rate, weight_decay=0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    adam = torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.95), weight_decay=0.0)
    return [muon, adam]


def learning_rate_factor(progress: float, decay: float) -> float:
    """Trapezoid: warm-up over the first 2 %, level, then down to 2 % over the last ``decay`` of the run."""
    if progress < 0.02:
        return max(0.01, progress / 0.02)
    if progress > 1 - decay:
        return max(0.02, (1 - progress) / decay)
    return 1.0


def loss_of(model: LlamaForCausalLM, ids: torch.Tensor) -> torch.Tensor:
    """Mean next-token cross-entropy of rows ``ids`` (rows, CONTEXT), in nats."""
    with torch.autocast(ids.device.type, torch.bfloat16):
        logits = model(ids[:, :-1], use_cache=False).logits
    return functional.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten())


@torch.no_grad()
def held_out_losses(model: LlamaForCausalLM, work: Path, bos: int, rows: int = 40) -> dict[str, float]:
    """Held-out loss in nats per token for each sub-corpus, on the first ``rows`` rows."""
    losses = {}
    device = next(model.parameters()).device
    for name in SUB_CORPORA:
        stream = np.load(work / f"{name}.held_out.npy")
        count = max(1, min(rows, len(stream) // (CONTEXT - 1)))
        body = np.resize(stream, count * (CONTEXT - 1)).reshape(count, CONTEXT - 1).astype(np.int64)
        ids = torch.from_numpy(np.concatenate([np.full((count, 1), bos), body], axis=1)).to(device)
        losses[name] = sum(float(loss_of(model, part)) * len(part) for part in ids.split(8)) / count
    return losses


def save_model(model: LlamaForCausalLM, folder: Path) -> None:
    """Write config, bf16 weights and generation defaults in Hugging Face form."""
    copy = LlamaForCausalLM(model.config)
    copy.load_state_dict(model.state_dict())
    copy = copy.to(torch.bfloat16)
    copy.generation_config = GenerationConfig(
        do_sample=True,
        temperature=0.8,
        top_p=0.95,
        bos_token_id=model.config.bos_token_id,
        eos_token_id=model.config.eos_token_id,
        pad_token_id=model.config.pad_token_id,
    )
    copy.save_pretrained(folder)


@dataclass
class Run:
    """Where a training run stands; saved with every checkpoint."""

    step: int = 0
    """Optimiser steps done."""
    epoch: int = 0
    """Epoch being read."""
    row: int = 0
    """Rows of that epoch already used."""
    seconds: float = 0.0
    """Training time spent, in seconds, over all sittings."""


def checkpoint_path(work: Path) -> Path:
    return work / "language_model.checkpoint.pt"


def save_checkpoint(work: Path, model: LlamaForCausalLM, parts: list[torch.optim.Optimizer], run: Run) -> None:
    """Write model, optimisers and position, then rename, so that an interrupted write leaves the old one."""
    target = checkpoint_path(work)
    temporary = target.with_suffix(".tmp")
    torch.save(
        {"model": model.state_dict(), "optimisers": [o.state_dict() for o in parts], "run": vars(run)}, temporary
    )
    temporary.replace(target)


def train(args: argparse.Namespace) -> None:
    torch.manual_seed(SEED)
    torch.set_float32_matmul_precision("medium")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    folder = args.work / "language_model"
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    model = LlamaForCausalLM(config_for(tokenizer, args.layers, args.width, args.heads)).to(device)
    parts, run = optimisers(model, args.rate), Run()
    if checkpoint_path(args.work).exists():
        state = torch.load(checkpoint_path(args.work), weights_only=True, map_location=device)
        model.load_state_dict(state["model"])
        for part, saved in zip(parts, state["optimisers"], strict=True):
            part.load_state_dict(saved)
        run = Run(**state["run"])
        print(f"carrying on from step {run.step}", flush=True)
    streams = [np.load(args.work / f"{name}.train.npy") for name in SUB_CORPORA]
    rows = Rows(streams, [REPEATS[name] for name in SUB_CORPORA], tokenizer.bos_token_id)
    print(f"{model.num_parameters():,} parameters, {len(rows.epoch(0)):,} rows an epoch, on {device}", flush=True)
    loop(args, model, parts, rows, run)
    losses = held_out_losses(model, args.work, tokenizer.bos_token_id, rows=10_000)
    save_model(model, folder)
    tokens = run.step * args.batch * CONTEXT
    report = {"held_out_loss": losses, "tokens": tokens, "steps": run.step, "hours": run.seconds / 3600}
    (args.work / "language_model.json").write_text(json.dumps(report, indent=1))
    print(json.dumps(report, indent=1), flush=True)


def loop(args: argparse.Namespace, model: LlamaForCausalLM, parts: list, rows: Rows, run: Run) -> None:
    """Train until ``args.minutes`` or ``args.steps`` are used up; prints progress and saves checkpoints."""
    measure = torch.compile(loss_of) if args.compile else loss_of
    device = next(model.parameters()).device
    data, started, last_saved = rows.epoch(run.epoch), time.monotonic() - run.seconds, time.monotonic()
    while (progress := max((time.monotonic() - started) / (60 * args.minutes), run.step / args.steps)) < 1:
        if run.row + args.batch > len(data):
            run.epoch, run.row = run.epoch + 1, 0
            data = rows.epoch(run.epoch)
        batch = torch.from_numpy(data[run.row : run.row + args.batch].astype(np.int64)).to(device)
        run.row += args.batch
        total = 0.0
        pieces = batch.split(args.micro)
        for piece in pieces:
            loss = measure(model, piece) / len(pieces)
            loss.backward()
            total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for part in parts:
            for group in part.param_groups:
                group["lr"] = args.rate * learning_rate_factor(progress, args.decay)
            part.step()
            part.zero_grad(set_to_none=True)
        run.step, run.seconds = run.step + 1, time.monotonic() - started
        if run.step % 10 == 0:
            tokens = run.step * args.batch * CONTEXT
            print(
                f"step {run.step}  {progress:5.1%}  loss {total:.3f}  {tokens / run.seconds:,.0f} tokens/s", flush=True
            )
        if time.monotonic() - last_saved > args.save_every:
            save_checkpoint(args.work, model, parts, run)
            print(f"held out: {held_out_losses(model, args.work, rows.bos)}", flush=True)
            last_saved = time.monotonic()
    save_checkpoint(args.work, model, parts, run)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder of steps 1 and 2")
    parser.add_argument("--minutes", type=float, default=90, help="training time over all sittings")
    parser.add_argument("--steps", type=float, default=math.inf, help="optimiser steps at most")
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--heads", type=int, default=6)
    parser.add_argument("--batch", type=int, default=32, help="rows a step")
    parser.add_argument("--micro", type=int, default=8, help="rows a forward pass")
    parser.add_argument("--rate", type=float, default=3e-3, help="peak learning rate")
    parser.add_argument("--decay", type=float, default=0.4, help="share of the run over which the rate falls")
    parser.add_argument("--compile", action="store_true", help="1.4 times as fast; needs a C++ compiler")
    parser.add_argument("--save-every", type=float, default=600, help="seconds between checkpoints")
    args = parser.parse_args()
    train(args)


if __name__ == "__main__":
    main()
