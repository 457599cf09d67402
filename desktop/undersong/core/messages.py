"""The protocol between window and engine: this module *is* the specification.

One JSON object a line, UTF-8, no NaN, floats rounded to four significant digits. ``type`` names the class below, ``id``
is chosen by the window and ties every event to the request that caused it; ``id`` 0 belongs to no request.

Requests (window → engine)::

    {"type": "Load", "id": 1, "model": "…/language_model", "sae": "…/sae", "library": "…/library.sqlite"}
    {"type": "Unload", "id": 2}
    {"type": "Generate", "id": 3, "prompt": "Once upon a time", "sampling": {…}, "watch": [17],
     "panes": [{"name": "base"}, {"name": "mix", "faders": […], "master": 1.0}]}
    {"type": "Levels", "id": 3, "pane": 1, "faders": […], "master": 1.0}       no reply; acts from the next token
    {"type": "Watch", "id": 3, "features": [17, 40]}                           no reply; acts from the next token
    {"type": "Stop", "id": 3}                              no reply of its own; request 3 finishes as "stopped"
    {"type": "Search", "id": 4, "query": "the sea", "limit": 200}
    {"type": "Read", "id": 5, "text": "The boat went down.", "features": [17, 40]}
    {"type": "Inspect", "id": 6, "feature": 17}

Events (engine → window); the ones marked * end their request, and every request that has a reply gets exactly one::

    {"type": "Ready", "id": 0, "protocol": 1, "version": "0.1.0"}              once, first
    {"type": "Progress", "id": 1, "stage": "Reading the weights", "fraction": 0.4}
    {"type": "Notice", "id": 3, "message": "Your opening is longer than …"}
    {"type": "Loaded", "id": 1, "model": "starter", "sae": "…", "layer": 3, …} *
    {"type": "Unloaded", "id": 2} *
    {"type": "Tokens", "id": 3, "step": 0, "texts": [" there", " the"], "ended": [], "readings": [], "speed": 81.0}
    {"type": "Finished", "id": 3, "reasons": ["words", "end"], "tokens": [41, 39], "seconds": 0.9} *
    {"type": "Results", "id": 4, "query": "the sea", "hits": […], "total": 3072} *
    {"type": "Reading", "id": 5, "features": [17], "pieces": ["The", " boat"], "values": [[0, 1.2]]} *
    {"type": "Inspected", "id": 6, "card": {…}} *
    {"type": "Failed", "id": 3, "code": "request", "message": "The opening is empty. …", "detail": ""} *

Levels, Watch and Stop carry the id of the generation they speak to; one that has already finished is ignored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, get_args

from undersong.core.features import FeatureCard, Hit
from undersong.core.mixing import Fader
from undersong.core.plain import from_plain, to_plain
from undersong.core.sampling import Sampling

PROTOCOL = 1
SIGNIFICANT_DIGITS = 4

Reason = Literal["words", "end", "stopped", "context"]


@dataclass(frozen=True, slots=True)
class Pane:
    """One stream of a generation; the first pane has no faders and is the base."""

    name: str
    """``base``, ``mix``, …"""
    faders: tuple[Fader, ...] = ()
    """What steers it."""
    master: float = 1.0
    """Whole-mix level."""


@dataclass(frozen=True, slots=True)
class Load:
    """Load a language model, its SAE and its feature library, replacing what is loaded."""

    id: int
    model: str
    """Folder in Hugging Face form."""
    sae: str
    """SAE folder or file."""
    library: str = ""
    """Feature library file; empty if there is none."""
    device: str = "auto"
    """``auto``, ``cpu`` or ``cuda``."""


@dataclass(frozen=True, slots=True)
class Unload:
    """Give the model's memory back."""

    id: int


@dataclass(frozen=True, slots=True)
class Generate:
    """Continue the prompt in every pane, in step."""

    id: int
    prompt: str
    """The opening, without BOS."""
    panes: tuple[Pane, ...]
    """What to write side by side; the first is the base."""
    sampling: Sampling
    """How words are drawn, the same in every pane."""
    watch: tuple[int, ...] = ()
    """Features to read on every generated token."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Set one pane's faders, from the next token on."""

    id: int
    pane: int
    """Index of the pane; 0 (the base) is refused."""
    faders: tuple[Fader, ...]
    master: float = 1.0


@dataclass(frozen=True, slots=True)
class Watch:
    """Change which features are read while streaming, from the next token on."""

    id: int
    features: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop the request with this id at its next token, or while loading at the next stage."""

    id: int


@dataclass(frozen=True, slots=True)
class Search:
    """Find features by words; an empty query lists the most useful ones first."""

    id: int
    query: str
    limit: int = 200


@dataclass(frozen=True, slots=True)
class Read:
    """How strongly features show on each token of a text."""

    id: int
    text: str
    features: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Inspect:
    """Everything the library knows of one feature."""

    id: int
    feature: int


Request = Load | Unload | Generate | Levels | Watch | Stop | Search | Read | Inspect


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the self-test."""

    name: str
    """``zero``, ``hook``, ``variance``, ``cache``."""
    passed: bool
    sentence: str
    """What was found, in plain words, with the number."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The engine has started and listens."""

    id: int
    protocol: int
    version: str


@dataclass(frozen=True, slots=True)
class Progress:
    """A long request is under way."""

    id: int
    stage: str
    """What is being done, in the writer's words."""
    fraction: float
    """0 … 1."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the writer should know; the request goes on."""

    id: int
    message: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model is ready to write."""

    id: int
    model: str
    """Its name."""
    sae: str
    """Id of the SAE, for FeatureRef."""
    device: str
    """``cpu`` or the GPU's name."""
    dtype: str
    layer: int
    """Index of the block after which the SAE reads and steers."""
    layers: int
    d_model: int
    d_sae: int
    context: int
    """Most tokens the model can hold."""
    unit: float
    """Raw coefficient of fader level 1.0 for features without measured zones: 0.5 × median residual norm."""
    features: int
    """Features in the library."""
    memory: float
    """Bytes the engine process uses now."""
    versions: dict[str, str]
    """Libraries and their versions."""
    checks: tuple[Check, ...]
    """The self-test."""


@dataclass(frozen=True, slots=True)
class Unloaded:
    """The model's memory was given back."""

    id: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """One step of a generation: the next piece of text of every pane."""

    id: int
    step: int
    """Counts from 0."""
    texts: tuple[str, ...]
    """One piece a pane; empty when a pane has ended or a character is still incomplete."""
    ended: tuple[int, ...] = ()
    """Panes that ended with this step."""
    readings: tuple[tuple[float, ...], ...] = ()
    """[pane][watched feature]: activation on the token of step - 1; empty at step 0 or when nothing is watched."""
    watched: tuple[int, ...] = ()
    """Which features ``readings`` speaks of."""
    speed: float = 0.0
    """Tokens a second in each pane, lately."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A generation has ended."""

    id: int
    reasons: tuple[Reason, ...]
    """Why each pane ended."""
    tokens: tuple[int, ...]
    """How many tokens each pane has."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Results:
    """What a search found, best first."""

    id: int
    query: str
    hits: tuple[Hit, ...]
    total: int
    """Features in the library."""
    nearest: bool = False
    """True when nothing matched the words and these are only the nearest."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How strongly features show on a text."""

    id: int
    features: tuple[int, ...]
    pieces: tuple[str, ...]
    """Token texts; joined they are the part of the text that was read."""
    values: tuple[tuple[float, ...], ...]
    """[feature][token], raw activations."""
    start: int = 0
    """Characters left out before the first piece because the text is longer than the model can hold."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """Everything the library knows of one feature."""

    id: int
    card: FeatureCard


@dataclass(frozen=True, slots=True)
class Failed:
    """A request could not be carried out."""

    id: int
    code: str
    """From core/errors.py."""
    message: str
    """A sentence the writer can act on."""
    detail: str = ""


Event = Ready | Progress | Notice | Loaded | Unloaded | Tokens | Finished | Results | Reading | Inspected | Failed
TERMINAL = (Loaded, Unloaded, Finished, Results, Reading, Inspected, Failed)
REQUESTS: dict[str, type] = {kind.__name__: kind for kind in get_args(Request)}
EVENTS: dict[str, type] = {kind.__name__: kind for kind in get_args(Event)}


class UnknownMessage(ValueError):
    """A line that is no message of this protocol; ``id`` is the line's own, or 0."""

    def __init__(self, sentence: str, id: int = 0) -> None:
        super().__init__(sentence)
        self.id = id


def to_line(message: Request | Event) -> str:
    """The message as one JSON line, newline included."""
    plain = {"type": type(message).__name__, **to_plain(message, SIGNIFICANT_DIGITS)}
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def parse_request(line: str) -> Request:
    """The request in a line; raises UnknownMessage."""
    return _parse(line, REQUESTS)


def parse_event(line: str) -> Event:
    """The event in a line; raises UnknownMessage."""
    return _parse(line, EVENTS)


def _parse(line: str, kinds: dict[str, type]) -> Any:
    try:
        plain = json.loads(line)
    except ValueError as error:
        raise UnknownMessage(f"This line is not JSON: {line[:80]!r}") from error
    if not isinstance(plain, dict):
        raise UnknownMessage(f"This line is not a message: {line[:80]!r}")
    number = plain.get("id", 0)
    number = number if isinstance(number, int) else 0
    kind = kinds.get(str(plain.get("type")))
    if kind is None:
        raise UnknownMessage(f"There is no message “{plain.get('type')}” in protocol {PROTOCOL}.", number)
    try:
        return from_plain(kind, plain, kind.__name__)
    except ValueError as error:
        raise UnknownMessage(str(error), number) from error
