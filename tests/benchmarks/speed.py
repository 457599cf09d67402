"""How fast both panes are written together, against one stream of ``transformers.generate`` with the same model.

    python -m tests.benchmarks.speed

Both write 128 tokens after the same opening with the same sampling, one after the other, many times over; what is shown
are medians. Ours is measured with everything the window gets: two panes, a mix on one, one quality read on every
token, each step turned into its line of the protocol. ``generate`` runs twice over: with the weights as they are stored
and in the engine's precision.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.benchmarks.report import table, write_section
from undersong.core import paths
from undersong.core.messages import Generate, Load, Pane, Tokens, to_line
from undersong.core.mixing import Fader, FeatureRef
from undersong.core.sampling import Sampling
from undersong.engine.engine import Engine, Writing

PROMPT = "One morning, Tom found a small box under his bed. He opened it and"
TOKENS = 128
ROUNDS = 9


def panes_together(engine: Engine) -> float:
    """Tokens a second in each of two panes."""
    loaded = engine.need()
    fader = Fader(FeatureRef(loaded.sae.id, 17), 0.7, unit=loaded.unit)
    panes = (Pane("base"), Pane("mix", (fader,)))
    request = Generate(1, PROMPT, panes, Sampling(words=10 * TOKENS), watch=(17,))
    began = time.perf_counter()
    events = (event for event in Writing(loaded, request).events() if isinstance(event, Tokens))
    steps = sum(len(to_line(event)) > 0 for event in islice(events, TOKENS))
    return steps / (time.perf_counter() - began)


def one_stream(folder: Path, device: torch.device, dtype: torch.dtype | str) -> Callable[[], float]:
    """A function that measures the tokens a second of one ``transformers.generate`` stream."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    network: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    network.to(device).eval()
    ids = tokenizer(PROMPT, return_tensors="pt").to(device)
    usual = Sampling()

    def measure() -> float:
        torch.manual_seed(usual.seed)
        began = time.perf_counter()
        network.generate(
            **ids, min_new_tokens=TOKENS, max_new_tokens=TOKENS, do_sample=True, temperature=usual.temperature,
            top_p=usual.top_p, top_k=0,
        )  # fmt: skip
        return TOKENS / (time.perf_counter() - began)

    return measure


def main() -> None:
    """Measure and write the section of RESULTS.md."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--starter", type=Path, default=paths.starter(), help="folder of model and SAE")
    arguments.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    asked = arguments.parse_args()
    folder, engine = asked.starter / "language_model", Engine()
    engine.load(Load(0, str(folder), str(asked.starter / "sae"), "", asked.device), 0, lambda stage, _: print(stage))
    model = engine.need().model
    contenders = {
        "Undersong, two panes together, each": lambda: panes_together(engine),
        f"transformers.generate, one stream, {model.dtype}": one_stream(folder, model.device, model.dtype),
        "transformers.generate, one stream, as stored": one_stream(folder, model.device, "auto"),
    }
    speeds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(ROUNDS + 1):
        for name, measure in contenders.items():
            speed = measure()
            if number:  # the first round warms up
                speeds[name].append(speed)
        print(f"round {number} of {ROUNDS}", flush=True)
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    rows = [[name, f"{medians[name]:.1f}", f"{min(values):.1f} … {max(values):.1f}"] for name, values in speeds.items()]
    ours, *theirs = medians.values()
    verdict = f"Each of our two panes is {ours / max(theirs):.2f} times as fast as the faster single stream."
    explained = (__doc__ or "").split("\n\n", 2)[2].strip()
    head = ("what", "tokens a second, median", f"least … most of {ROUNDS}")
    text = "\n\n".join([explained, table(head, rows), verdict])
    print(text)
    write_section("speed", "Two panes against one stream", "python -m tests.benchmarks.speed", text)


if __name__ == "__main__":
    main()
