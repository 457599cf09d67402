"""The engine: the one holder of a model. It loads, writes and reads; it keeps nothing of the writer's work."""

from __future__ import annotations

import gc
import math
import platform
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch
import transformers

from undersong.core import messages as m
from undersong.core.errors import RequestError, Unsupported, WontFit
from undersong.core.mixing import Fader
from undersong.core.sampling import Sampling
from undersong.engine import load, memory, selftest
from undersong.engine.decode import Generation, Step
from undersong.engine.fuse import fuse
from undersong.engine.load import LanguageModel
from undersong.engine.pack import pack_if_faster
from undersong.engine.prompt import cut_sentence, encode
from undersong.engine.readings import read_text
from undersong.engine.sae import Sae
from undersong.engine.sae_formats import load_sae

Report = Callable[[str, float], None]
"""Told the stage and the fraction done; may raise to stop."""

LEAST_ROOM = 64
"""Tokens always kept free for new text, if the model can hold twice as many."""
TOKENS_A_WORD = 1.6
"""Tokens reserved for each word asked for."""
SPEED_STEPS = 24
"""The speed shown is that of this many newest steps."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model and its dictionary, in use."""

    model: LanguageModel
    sae: Sae
    unit: float
    """Raw coefficient of fader level 1.0."""


class Engine:
    """Holds at most one model with its dictionary."""

    def __init__(self) -> None:
        self.loaded: Loaded | None = None
        torch.set_num_threads(max(1, (psutil.cpu_count(logical=False) or 1) - 1))

    def load(self, request: m.Load, features: int, report: Report) -> m.Loaded:
        """Replace what is loaded; ``features`` is the library's size. Raises ModelError, or what ``report`` raises."""
        self.unload()
        folder = Path(request.model)
        device = load.choose_device(request.device)
        report("Reading the tokenizer", 0.1)
        tokenizer = load.load_tokenizer(folder)
        report("Reading the weights", 0.2)
        self.require_room(folder, device)
        network = load.load_network(folder, device)
        model = load.assemble(folder, tokenizer, network)
        report("Reading the dictionary", 0.6)
        sae = load_sae(request.sae)
        require_fit(sae, model)
        sae = sae.to(device)
        report("Getting ready to write quickly", 0.8)
        fuse(network)
        pack_if_faster(network)
        report("Checking itself", 0.9)
        story = selftest.probe(model, sae)
        checks = selftest.run(model, sae, story)
        self.loaded = Loaded(model, sae, story.unit(sae.layer))
        return described(request.id, self.loaded, features, checks)

    def require_room(self, folder: Path, device: torch.device) -> None:
        """Raise WontFit if the weights need more memory than is free."""
        needed = load.parameters(folder) * (4 if device.type == "cpu" else 2)
        free = memory.free(device)
        if needed > free:
            raise WontFit(
                f"This model needs about {needed / memory.GIGABYTE:.1f} GB of memory and only "
                f"{free / memory.GIGABYTE:.1f} GB are free. Close other programs or choose a smaller model."
            )

    def unload(self) -> None:
        """Give the model's memory back."""
        if self.loaded is None:
            return
        self.loaded = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def need(self) -> Loaded:
        """What is loaded; raises RequestError if nothing is."""
        if self.loaded is None:
            raise RequestError("No model is loaded yet. Load one first.")
        return self.loaded

    def write(self, request: m.Generate) -> Writing:
        """Begin to write; raises RequestError with a sentence for whatever is wrong with the request."""
        return Writing(self.need(), request)

    def read(self, request: m.Read) -> m.Reading:
        """How strongly features show along a text."""
        loaded = self.need()
        found = read_text(loaded.model, loaded.sae, request.text, request.features)
        values = tuple(tuple(row) for row in found.values)
        return m.Reading(request.id, request.features, tuple(found.pieces), values, found.start)


class Writing:
    """One generation under way: ``events`` does the work, the other methods act from the next token on."""

    def __init__(self, loaded: Loaded, request: m.Generate) -> None:
        self.loaded, self.request = loaded, request
        if sentence := request.sampling.problem():
            raise RequestError(sentence)
        if not request.prompt.strip():
            raise RequestError("The opening is empty. Write a few words for the model to go on from.")
        if not request.panes:
            raise RequestError("There is nothing to write: the request has no panes.")
        self.check_faders(request.panes[0].faders, base=True)
        for pane in request.panes[1:]:
            self.check_faders(pane.faders)
        loaded.sae.checked(request.watch)
        model = loaded.model
        encoded = encode(model, request.prompt, model.context - room(model, request.sampling), at_word=True)
        self.notice = cut_sentence(model, request.prompt, encoded)
        in_word = not request.prompt[-1].isspace()
        self.generation = Generation(
            model, loaded.sae, encoded.ids, request.panes, request.sampling, request.watch, in_word
        )

    def check_faders(self, faders: tuple[Fader, ...], base: bool = False) -> None:
        """Raise RequestError for faders on the base pane and features that this dictionary does not have."""
        if base and faders:
            raise RequestError("The first pane is the text without the mix; it cannot have faders.")
        sae = self.loaded.sae
        sae.checked([f.feature.index for f in faders])
        for fader in faders:
            if fader.feature.sae != sae.id:
                raise RequestError(
                    f"The fader “{fader.label or fader.feature.index}” belongs to another dictionary "
                    f"({fader.feature.sae}); the one in use is {sae.id}. Take it out of the mix, or load its model."
                )

    def events(self) -> Iterator[m.Event]:
        """Write; the last event is Finished."""
        id, started = self.request.id, time.monotonic()
        if self.notice:
            yield m.Notice(id, self.notice)
        times: deque[float] = deque([started], maxlen=SPEED_STEPS + 1)
        for number, step in enumerate(self.generation.steps()):
            times.append(time.monotonic())
            speed = (len(times) - 1) / max(1e-6, times[-1] - times[0])
            yield as_tokens(id, number, step, speed)
        rows = self.generation.rows
        reasons: tuple[m.Reason, ...] = tuple(row.reason or "stopped" for row in rows)
        yield m.Finished(id, reasons, tuple(row.tokens for row in rows), time.monotonic() - started)

    def turn(self, request: m.Levels | m.Watch | m.Stop) -> None:
        """Move faders, change what is read, or stop; raises RequestError for what does not exist."""
        if isinstance(request, m.Stop):
            self.generation.stopped = True
        elif isinstance(request, m.Watch):
            self.loaded.sae.checked(request.features)
            self.generation.watched = request.features
        else:
            if not 0 <= request.pane < len(self.generation.panes):
                raise RequestError(f"There is no pane number {request.pane}.")
            self.check_faders(request.faders, base=request.pane == 0)
            self.generation.set(request.pane, request.faders, request.master)


def room(model: LanguageModel, sampling: Sampling) -> int:
    """Tokens to keep free for new text: enough for the words asked for, but never more than half the context."""
    return min(model.context // 2, max(LEAST_ROOM, math.ceil(TOKENS_A_WORD * sampling.words)))


def require_fit(sae: Sae, model: LanguageModel) -> None:
    """Raise WrongSae or Unsupported unless the dictionary reads a place this model has."""
    sae.require_fit(model.anatomy.d_model, len(model.anatomy.blocks))
    if sae.hook != "resid_post":
        raise Unsupported(
            f"The dictionary reads “{sae.hook}”; this version can only use dictionaries of the residual stream."
        )


def as_tokens(id: int, number: int, step: Step, speed: float) -> m.Tokens:
    """A step as the event the window gets."""
    readings = tuple(tuple(row) for row in step.readings)
    return m.Tokens(id, number, tuple(step.texts), tuple(step.ended), readings, step.watched, speed)


def described(id: int, loaded: Loaded, features: int, checks: tuple[m.Check, ...]) -> m.Loaded:
    """What the window is told of a loaded model."""
    model, sae, device = loaded.model, loaded.sae, loaded.model.device
    modules = (torch, transformers)
    return m.Loaded(
        id=id,
        model=model.name,
        sae=sae.id,
        device="cpu" if device.type == "cpu" else torch.cuda.get_device_name(device),
        dtype=str(model.dtype).removeprefix("torch."),
        layer=sae.layer,
        layers=len(model.anatomy.blocks),
        d_model=sae.d_in,
        d_sae=sae.d_sae,
        context=model.context,
        unit=loaded.unit,
        features=features,
        memory=memory.used(device),
        versions={"python": platform.python_version()} | {x.__name__: x.__version__ for x in modules},
        checks=checks,
    )
