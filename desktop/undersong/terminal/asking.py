"""What every command does first: start the engine, load the model, find the qualities that were asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from undersong.core import messages as m
from undersong.core import paths
from undersong.core.errors import RequestError, UndersongError
from undersong.core.features import Hit
from undersong.terminal.engine_client import EngineClient
from undersong.terminal.show import Screen

NEAREST_NAMED = 3


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model to load; the starter unless something else is named."""

    model: str = ""
    """Folder of the language model."""
    sae: str = ""
    """Folder or file of the dictionary."""
    library: str = ""
    """Feature library."""
    device: str = "auto"
    """``auto``, ``cpu`` or ``cuda``."""

    def request(self, id: int) -> m.Load:
        """The request that loads it; raises RequestError if a model is named without its dictionary."""
        if self.model and not self.sae:
            raise RequestError("A dictionary belongs to one model: name it with --sae when you name --model.")
        starter = paths.starter()
        model = self.model or str(starter / "language_model")
        sae = self.sae or str(starter / "sae")
        # The starter's names for qualities mean nothing in another dictionary
        library = self.library or ("" if self.sae else str(starter / "library.sqlite"))
        model, sae, library = (str(Path(place).expanduser()) if place else "" for place in (model, sae, library))
        return m.Load(id, model, sae, library, self.device)


def begin_loading(engine: EngineClient, choice: ModelChoice) -> int:
    """Ask for the model without waiting for it; searching works meanwhile. Returns the request's number."""
    request = choice.request(engine.number())
    engine.send(request)
    return request.id


def finish_loading(engine: EngineClient, id: int, screen: Screen) -> m.Loaded:
    """Wait for the model, showing how far it is."""
    with screen.aside.status("Loading the model …") as status:
        for event in engine.events(id):
            if isinstance(event, m.Progress):
                status.update(f"{event.stage} … {event.fraction:.0%}")
            elif isinstance(event, m.Notice):
                screen.say(event.message)
            elif isinstance(event, m.Loaded):
                return event
    raise UndersongError("The engine did not say whether the model was loaded.")


def find(engine: EngineClient, asked: str, screen: Screen) -> Hit:
    """The quality that ``asked`` means: a number, or words, of which the first hit is taken and named."""
    if number := re.fullmatch(r"#?(\d+)", asked.strip()):
        card = engine.ask(m.Inspect(engine.number(), int(number[1]))).card
        return Hit(card.feature, card.label, 1.0, card.density, clear=card.clear)
    results: m.Results = engine.ask(m.Search(engine.number(), asked, 10))
    if results.nearest or not results.hits:
        near = ", ".join(f"#{hit.feature} “{hit.label}”" for hit in results.hits[:NEAREST_NAMED])
        sentence = f"No quality matches “{asked}”. Try other words."
        raise RequestError(f"{sentence} The nearest are {near}." if near else sentence)
    hit = results.hits[0]
    screen.say(f"“{asked}” is taken to mean quality #{hit.feature}, “{hit.label}” (a guessed name).")
    return hit
