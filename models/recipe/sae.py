"""Step 4: train the sparse autoencoder on the language model's residual stream.

BatchTopK (Bussmann et al. 2024): over a batch only the k·batch greatest activations are kept; in use one learned
threshold does the same, so the result is written as a JumpReLU dictionary in SAELens' own form. The gradients are
written out by hand: the activations are 3072 wide, and on a CPU every pass over them that is saved counts.

Run: ``python -m models.recipe.sae --work FOLDER --minutes 20``
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedTokenizerFast

from models.recipe.activations import WINDOW, ShuffleBuffer, load_blocks, mixed_windows, residuals

SEED = 20261121
AUXILIARY_WEIGHT = 1 / 32
AUXILIARY_TOKENS = 1024


@dataclass
class Normalisation:
    """Makes residual vectors centred, with a mean squared length of one."""

    mean: Tensor
    """(d_in,) subtracted first."""
    scale: float
    """Then multiplied by this."""

    def __call__(self, x: Tensor) -> Tensor:
        return (x.float() - self.mean) * self.scale


def normalisation_of(x: Tensor) -> Normalisation:
    """The normalisation that vectors x (n, d_in) need; prints how far off-centre they were."""
    mean = x.float().mean(0)
    centred = x.float() - mean
    # Above 2 an encoder that is not centred loses many features at the start ("feature death", 2026)
    print(f"‖mean‖ / ‖deviation‖ = {float(mean.norm() / centred.square().mean(0).sum().sqrt()):.2f}", flush=True)
    return Normalisation(mean, float(centred.square().sum(1).mean().rsqrt()))


class Dictionary:
    """The autoencoder in training, on normalised vectors: float32 weights, bf16 matrix products.

    Owns weights, optimiser and, for every feature, the tokens since it last fired.
    """

    def __init__(self, d_in: int, d_sae: int, k: int, dead_after: int, device: torch.device) -> None:
        rows = functional.normalize(torch.randn(d_sae, d_in), dim=1).to(device)
        self.k, self.dead_after = k, dead_after
        self.encoder, self.decoder = rows.clone().requires_grad_(), rows.requires_grad_()
        self.bias = torch.zeros(d_sae, device=device, requires_grad=True)
        self.decoder_bias = torch.zeros(d_in, device=device, requires_grad=True)
        self.weights = [self.encoder, self.decoder, self.bias, self.decoder_bias]
        self.optimiser = torch.optim.Adam(self.weights, betas=(0.9, 0.999), fused=True)
        self.quiet = torch.zeros(d_sae, dtype=torch.long, device=device)

    def cut(self, z: Tensor) -> float:
        """The value above which k of every row of z (batch, d_sae) lie on average, from every 32nd row."""
        sample = z[::32].float().flatten()
        kept = max(1, round(self.k * len(sample) / z.shape[1]))
        return max(0.0, float(torch.kthvalue(sample, len(sample) - kept).values))

    @torch.no_grad()
    def backward(self, x: Tensor) -> float:
        """Set the gradients of the mean squared error on x (batch, d_in); returns the error as a share of variance."""
        small = x.bfloat16()
        encoder, decoder = self.encoder.bfloat16(), self.decoder.bfloat16()
        z = functional.linear(small, encoder, self.bias.bfloat16())
        floor = self.cut(z)
        activations = functional.threshold(z, floor, 0.0)
        error = torch.addmm(self.decoder_bias.bfloat16(), activations, decoder).float() - x
        upstream = (error * (2 / len(x))).bfloat16()
        to_z = torch.ops.aten.threshold_backward(upstream @ decoder.T, z, floor)
        self.decoder.grad = (activations.T @ upstream).float()
        self.decoder_bias.grad = upstream.sum(0).float()
        self.encoder.grad = (to_z.T @ small).float()
        self.bias.grad = to_z.sum(0).float()
        self.quiet += len(x)
        self.quiet[self.bias.grad != 0] = 0  # a feature that fired has a gradient, and this needs no further pass
        if bool((self.quiet > self.dead_after).any()):
            self.revive(small[:AUXILIARY_TOKENS], -error[:AUXILIARY_TOKENS])
        return float(error.square().sum() / x.square().sum())

    @torch.enable_grad()
    def revive(self, x: Tensor, error: Tensor) -> None:
        """Add the gradient of the auxiliary loss: the error of x (tokens, d_in) rebuilt by dead features (Gao 2024)."""
        dead = (self.quiet > self.dead_after).nonzero()[:, 0]
        z = functional.relu(functional.linear(x.float(), self.encoder[dead], self.bias[dead]))
        most = min(len(dead), x.shape[1] // 2)
        kept = z.topk(most, dim=1)
        rebuilt = torch.zeros_like(z).scatter(1, kept.indices, kept.values) @ self.decoder[dead]
        (AUXILIARY_WEIGHT * (rebuilt - error).square().sum() / error.square().sum()).backward()

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move the weights along the gradients, the decoder rows on the unit sphere."""
        assert self.decoder.grad is not None
        along = (self.decoder.grad * self.decoder).sum(1, keepdim=True)
        self.decoder.grad -= along * self.decoder
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        self.optimiser.param_groups[0]["lr"] = rate
        self.optimiser.step()
        self.decoder /= self.decoder.norm(dim=1, keepdim=True)

    @torch.no_grad()
    def threshold(self, batches: Iterator[Tensor], count: int = 100) -> float:
        """Mean cut over ``count`` normalised batches: what stands in for the batch in use.

        Usually a running average kept while training; taken afterwards it does not lag behind the weights.
        """
        encoder, bias = self.encoder.bfloat16(), self.bias.bfloat16()
        cuts = [self.cut(functional.linear(next(batches).bfloat16(), encoder, bias)) for _ in range(count)]
        return sum(cuts) / count

    def state(self) -> dict:
        """All that is needed to carry on."""
        weights = [w.detach() for w in self.weights]
        return {"weights": weights, "quiet": self.quiet, "optimiser": self.optimiser.state_dict()}

    @torch.no_grad()
    def restore(self, state: dict) -> None:
        """Take up a saved state."""
        self.quiet = state["quiet"]
        self.optimiser.load_state_dict(state["optimiser"])
        for weight, saved in zip(self.weights, state["weights"], strict=True):
            weight.copy_(saved)


def exported(dictionary: Dictionary, normalisation: Normalisation, threshold: float) -> dict[str, Tensor]:
    """SAELens' tensors, for raw residual vectors: centring and scale are folded in and decoder rows stay units."""
    encoder, decoder, bias, decoder_bias = (w.detach().float().cpu() for w in dictionary.weights)
    mean, scale = normalisation.mean.cpu(), normalisation.scale
    return {
        "W_enc": encoder.T.contiguous(),
        "b_enc": bias / scale - encoder @ mean,
        "W_dec": decoder.contiguous(),
        "b_dec": decoder_bias / scale + mean,
        "threshold": torch.full_like(bias, threshold / scale),
    }


def settings(args: argparse.Namespace, d_in: int, tokens: int) -> dict:
    """SAELens' ``cfg.json``."""
    return {
        "architecture": "jumprelu",
        "d_in": d_in,
        "d_sae": args.d_sae,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": False,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": {
            "sae_lens_version": "6.54.12",
            "model_name": "undersong-starter",
            "hook_name": f"blocks.{args.layer}.hook_resid_post",
            "hf_hook_name": f"model.layers.{args.layer}",
            "prepend_bos": True,
            "context_size": WINDOW,
            "exclude_special_tokens": True,
            "training_architecture": "batchtopk",
            "training_architecture_details": {
                "k": args.k,
                "training_tokens": tokens,
                "density_tokens": args.density_tokens,
            },
        },
    }


@torch.no_grad()
def firing_shares(tensors: dict[str, Tensor], batches: Iterator[Tensor], tokens: int) -> Tensor:
    """Share of ``tokens`` training tokens on which each feature (d_sae,) fires, in threshold mode."""
    fired, seen = torch.zeros_like(tensors["threshold"]), 0
    while seen < tokens:
        x = next(batches).float().cpu()
        z = functional.linear(x, tensors["W_enc"].T, tensors["b_enc"])
        fired += (z > tensors["threshold"]).sum(0)
        seen += len(x)
    return fired / seen


def rate_factor(progress: float, step: int) -> float:
    """Warm-up over 500 steps or the first 5 %, level, then straight down to nothing over the last half."""
    return min(1.0, max((step + 1) / 500, progress / 0.05), 2 * max(0.0, 1 - progress))


def train(args: argparse.Namespace) -> None:
    torch.manual_seed(SEED)
    torch.set_float32_matmul_precision("medium")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    folder, out = args.work / "language_model", args.work / "sae"
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    blocks = load_blocks(folder, args.layer, device)
    special = torch.tensor([tokenizer.bos_token_id, tokenizer.eos_token_id])
    dictionary = Dictionary(blocks.config.hidden_size, args.d_sae, args.k, args.dead_after, device)
    checkpoint, state = args.work / "sae.checkpoint.pt", None
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True, map_location=device)
        dictionary.restore(state["dictionary"])
        print(f"carrying on after {state['tokens']:,} tokens", flush=True)
    seen = state["tokens"] if state else 0
    source = mixed_windows(args.work, tokenizer.bos_token_id, SEED + seen)
    buffer = ShuffleBuffer(residuals(blocks, source, special), args.buffer)
    normalisation = Normalisation(*state["normalisation"]) if state else normalisation_of(buffer.rows)
    batches = buffer.batches(args.batch)
    tokens = loop(args, dictionary, normalisation, batches, state, checkpoint)
    tensors = exported(dictionary, normalisation, dictionary.threshold(map(normalisation, batches)))
    shares = firing_shares(tensors, batches, args.density_tokens)
    out.mkdir(exist_ok=True)
    save_file(tensors, out / "sae_weights.safetensors")
    save_file({"sparsity": torch.log10(shares + 1e-10)}, out / "sparsity.safetensors")
    (out / "cfg.json").write_text(json.dumps(settings(args, blocks.config.hidden_size, tokens), indent=1))
    print(f"{out}: L0 {float(shares.sum()):.1f}, never fired {float((shares == 0).float().mean()):.1%}", flush=True)


def loop(
    args: argparse.Namespace,
    dictionary: Dictionary,
    normalisation: Normalisation,
    batches: Iterator[Tensor],
    state: dict | None,
    checkpoint: Path,
) -> int:
    """Train until the tokens or the minutes are used up; returns the tokens seen over all sittings."""
    tokens, before = (state["tokens"], state["seconds"]) if state else (0, 0.0)
    started = last_saved = time.monotonic()
    share, step = 0.0, tokens // args.batch

    def seconds() -> float:
        return before + time.monotonic() - started

    def progress() -> float:
        return max(tokens / args.tokens, seconds() / (60 * args.minutes))

    while (done := progress()) < 1:
        now = dictionary.backward(normalisation(next(batches)))
        share = 0.98 * share + 0.02 * now if share else now
        dictionary.step(args.rate * rate_factor(done, step))
        tokens, step = tokens + args.batch, step + 1
        if step % 50 == 0:
            dead = float((dictionary.quiet > args.dead_after).float().mean())
            report = f"FVU {share:.4f}  dead {dead:.1%}  {tokens / seconds():,.0f} tokens/s"
            print(f"{tokens:,} tokens  {done:5.1%}  {report}", flush=True)
        if time.monotonic() - last_saved > args.save_every:
            kept = {"dictionary": dictionary.state(), "normalisation": (normalisation.mean, normalisation.scale)}
            temporary = checkpoint.with_suffix(".tmp")
            torch.save(kept | {"tokens": tokens, "seconds": seconds()}, temporary)
            temporary.replace(checkpoint)
            last_saved = time.monotonic()
    checkpoint.unlink(missing_ok=True)
    return tokens


def main() -> None:
    parser = argparse.ArgumentParser(description="Step 4: train the sparse autoencoder.")
    parser.add_argument("--work", type=Path, required=True, help="folder of steps 1 to 3")
    parser.add_argument("--layer", type=int, default=3, help="index of the block after which it reads")
    parser.add_argument("--d-sae", type=int, default=3072, help="features")
    parser.add_argument("--k", type=int, default=32, help="features a token, on average")
    parser.add_argument("--tokens", type=int, default=40_000_000, help="training tokens at most")
    parser.add_argument("--minutes", type=float, default=math.inf, help="training time at most, over all sittings")
    parser.add_argument("--batch", type=int, default=2048, help="tokens a step")
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--buffer", type=int, default=1 << 18, help="vectors in the shuffle buffer")
    parser.add_argument(
        "--dead-after", type=int, default=400_000, help="tokens without firing that make a feature dead"
    )
    parser.add_argument("--density-tokens", type=int, default=1_000_000, help="tokens on which densities are counted")
    parser.add_argument("--save-every", type=float, default=300, help="seconds between checkpoints")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
