"""A small scripted engine that speaks the real protocol, for tests of the window: ``python tests/fakes/engine.py``.

Standard library and ``undersong.core`` only, no torch. What it writes depends only on the request, so that tests can
expect it. Environment variables make it misbehave:

``FAKE_SPEED``         steps a second (default 200)
``FAKE_LOAD_SECONDS``  how long loading takes (default 0.05)
``FAKE_PROTOCOL``      protocol number to announce
``FAKE_FAIL_LOAD``     sentence with which every load fails
``FAKE_CRASH``         step of a generation at which the process dies; or ``start`` or ``load``
``FAKE_HANG``          step of a generation at which the process stops answering; or ``start`` or ``load``
"""

from __future__ import annotations

import os
import queue
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import undersong
from undersong.core import messages as m
from undersong.core.errors import LibraryError, RequestError, Stopped, UndersongError
from undersong.core.features import Example
from undersong.core.mixing import Fader, audible, coefficient

SAE, UNIT, CONTEXT = "fake-sae", 4.0, 512
LABELS = (
    "the sea, ships and shores", "someone about to cry", "old-fashioned diction", "dialogue with a question",
    "rain and wet weather", "kings and queens", "anger rising", "a small animal", "food on the table",
    "fear in the dark", "snow and cold", "a long journey", "someone laughing", "night falling", "a secret kept",
    "counting things",
)  # fmt: skip
FEATURES = 3 * len(LABELS)
PLAIN = tuple(re.findall(r"\S+", "the old man walked along the road and looked at the small house where he had lived"))
STEERED = tuple(
    re.findall(r"\S+", "waves salt tide 🌊 harbour gulls foam drifting boat anchor sails storm spray shore")
)


@dataclass
class Writing:
    """One generation under way."""

    request: m.Generate
    panes: list[m.Pane]
    watch: tuple[int, ...]
    step: int = 0
    words: list[int] = field(default_factory=list)
    reasons: dict[int, m.Reason] = field(default_factory=dict)


class FakeEngine:
    """Answers requests one at a time; between the steps of a generation it looks at what has arrived."""

    def __init__(self, out: int) -> None:
        self.out = os.fdopen(out, "wb")
        self.inbox: queue.Queue[str | None] = queue.Queue()
        self.waiting: deque[m.Load | m.Unload | m.Generate | m.Read] = deque()
        self.loaded = False
        self.library = False
        self.current: Writing | None = None
        self.stopped: set[int] = set()

    def send(self, event: m.Event) -> None:
        """Write one event."""
        self.out.write(m.to_line(event).encode())
        self.out.flush()

    def run(self) -> None:
        """Announce, then serve until the end of input."""
        self.misbehave("start")
        protocol = int(os.environ.get("FAKE_PROTOCOL", m.PROTOCOL))
        self.send(m.Ready(0, protocol, undersong.__version__))
        while True:
            self.receive(self.inbox.get())
            while self.waiting:
                self.attempt(self.waiting.popleft())

    def receive(self, line: str | None) -> None:
        """Act at once on what may act at once; queue the rest."""
        if line is None:
            os._exit(0)
        try:
            request = m.parse_request(line)
        except m.UnknownMessage as problem:
            self.send(m.Failed(problem.id, "unknown", str(problem)))
            return
        if isinstance(request, (m.Load, m.Unload, m.Generate)) or (isinstance(request, m.Read) and not self.current):
            self.waiting.append(request)
        elif isinstance(request, m.Stop):
            self.stopped.add(request.id)
        elif isinstance(request, (m.Levels, m.Watch)):
            self.turn(request)
        else:
            self.attempt(request)

    def attempt(self, request: m.Request) -> None:
        """Carry a request out and turn its error into ``Failed``."""
        try:
            if isinstance(request, m.Load):
                self.load(request)
            elif isinstance(request, m.Unload):
                self.loaded = False
                self.send(m.Unloaded(request.id))
            elif isinstance(request, m.Generate):
                self.generate(request)
            elif isinstance(request, m.Search):
                self.send(self.search(request))
            elif isinstance(request, m.Read):
                self.send(self.read(request))
            elif isinstance(request, m.Inspect):
                self.need_library()
                self.check_features((request.feature,))
                self.send(m.Inspected(request.id, card(request.feature)))
        except UndersongError as error:
            self.send(m.Failed(request.id, error.code, str(error), error.detail))

    def listen(self, seconds: float) -> None:
        """Receive what arrives during ``seconds``."""
        until = time.monotonic() + seconds
        while True:
            try:
                self.receive(self.inbox.get(timeout=max(0.0, until - time.monotonic())))
            except queue.Empty:
                return

    def load(self, request: m.Load) -> None:
        """Take a while, report stages, be stoppable."""
        self.misbehave("load")
        self.loaded, self.library = False, True
        seconds = float(os.environ.get("FAKE_LOAD_SECONDS", "0.05"))
        for i, stage in enumerate(("Reading the weights", "Reading the dictionary", "Checking itself")):
            self.send(m.Progress(request.id, stage, i / 3))
            self.listen(seconds / 3)
            if request.id in self.stopped:
                raise Stopped("Loading was stopped.")
        if sentence := os.environ.get("FAKE_FAIL_LOAD"):
            raise UndersongError(sentence, "as FAKE_FAIL_LOAD asked")
        self.loaded = True
        names = ("zero", "hook", "variance", "cache")
        checks = tuple(m.Check(name, True, f"The {name} check passed.") for name in names)
        name = os.path.basename(request.model) or "fake"
        event = m.Loaded(
            request.id, name, SAE, "cpu", "float32", 4, 6, 384, FEATURES, CONTEXT, UNIT, FEATURES, 3e8,
            {"python": sys.version.split()[0], "torch": "none"}, checks,
        )  # fmt: skip
        self.send(event)

    def turn(self, request: m.Levels | m.Watch) -> None:
        """Faders and watched features, from the next step on."""
        writing = self.current
        if writing is None or writing.request.id != request.id:
            return
        try:
            if isinstance(request, m.Watch):
                self.check_features(request.features)
                writing.watch = request.features
            else:
                self.check_pane(request.pane, request.faders, len(writing.panes))
                old = writing.panes[request.pane]
                writing.panes[request.pane] = m.Pane(old.name, request.faders, request.master)
        except RequestError as error:
            self.send(m.Notice(request.id, str(error)))

    def generate(self, request: m.Generate) -> None:
        """Write every pane, a word a step."""
        self.check(request)
        started = time.monotonic()
        rows = len(request.panes)
        writing = self.current = Writing(request, list(request.panes), request.watch, words=[0] * rows)
        pause = 1 / float(os.environ.get("FAKE_SPEED", "200"))
        for tokens in self.steps(writing):
            self.send(tokens)
            self.listen(pause)
        self.current = None
        reasons: tuple[m.Reason, ...] = tuple(writing.reasons.get(row, "stopped") for row in range(rows))
        self.send(m.Finished(request.id, reasons, tuple(writing.words), time.monotonic() - started))

    def steps(self, writing: Writing) -> Iterator[m.Tokens]:
        """The events of a generation, until every pane has its words or it is stopped."""
        request = writing.request
        while len(writing.reasons) < len(writing.panes) and request.id not in self.stopped:
            self.misbehave(str(writing.step))
            texts = [""] * len(writing.panes)
            ended = []
            for row, pane in enumerate(writing.panes):
                if row not in writing.reasons:
                    texts[row] = " " + word(request.sampling.seed + writing.step, pane)
                    writing.words[row] += 1
                    if writing.words[row] >= request.sampling.words:
                        writing.reasons[row] = "words"
                        ended.append(row)
            values = tuple(tuple(strength(writing.step + row, f) for f in writing.watch) for row in range(len(texts)))
            readings = values if writing.step and writing.watch else ()
            watched = writing.watch if readings else ()
            yield m.Tokens(request.id, writing.step, tuple(texts), tuple(ended), readings, watched, 81.0)
            writing.step += 1

    def check(self, request: m.Generate) -> None:
        """Refuse what the real engine refuses."""
        if not self.loaded:
            raise RequestError("No model is loaded yet.")
        if not request.prompt.strip():
            raise RequestError("The opening is empty. Write a few words for the model to go on from.")
        if sentence := request.sampling.problem():
            raise RequestError(sentence)
        if not request.panes or request.panes[0].faders:
            raise RequestError("The first pane is the text without the mix; it cannot have faders.")
        for row, pane in enumerate(request.panes):
            self.check_features(tuple(f.feature.index for f in pane.faders) if row else ())
        self.check_features(request.watch)
        if len(request.prompt) > 4 * CONTEXT:
            total = len(request.prompt.split())
            self.send(m.Notice(request.id, f"Your opening is about {total:,} words; this model can hold about 380."))

    def check_pane(self, pane: int, faders: tuple[Fader, ...], panes: int) -> None:
        """A pane that may be steered, with features that exist."""
        if not 0 < pane < panes:
            raise RequestError("The first pane is the text without the mix; it cannot have faders.")
        self.check_features(tuple(f.feature.index for f in faders))

    def check_features(self, features: tuple[int, ...]) -> None:
        """Refuse numbers that are not in the dictionary."""
        for number in features:
            if not 0 <= number < FEATURES:
                raise RequestError(f"There is no quality number {number}; this dictionary has 0 to {FEATURES - 1}.")

    def need_library(self) -> None:
        """Refuse to look things up before anything was loaded."""
        if not self.library:
            raise LibraryError("No feature library is open yet. Load a model first.")

    def search(self, request: m.Search) -> m.Results:
        """Features whose label contains a word of the query, or all of them."""
        self.need_library()
        words = request.query.lower().split()
        scored = [(sum(w in label(i) for w in words) / max(1, len(words)), i) for i in range(FEATURES)]
        found = sorted((s for s in scored if s[0] > 0 or not words), key=lambda s: (-s[0], s[1]))
        chosen = (found or scored[:5])[: request.limit]
        hits = tuple(hit(number, match) for match, number in chosen)
        return m.Results(request.id, request.query, hits, FEATURES, nearest=not found)

    def read(self, request: m.Read) -> m.Reading:
        """The text cut into words, with made-up activations."""
        if not self.loaded:
            raise RequestError("No model is loaded yet.")
        self.check_features(request.features)
        pieces = tuple(re.findall(r"\s*\S+|\s+$", request.text))
        start = max(0, len(pieces) - CONTEXT)
        left_out = sum(map(len, pieces[:start]))
        values = tuple(tuple(strength(i, f) for i in range(len(pieces) - start)) for f in request.features)
        return m.Reading(request.id, request.features, pieces[start:], values, left_out)

    def misbehave(self, now: str) -> None:
        """Crash or hang if the environment asks for it at this moment."""
        if os.environ.get("FAKE_CRASH") == now:
            os._exit(9)
        if os.environ.get("FAKE_HANG") == now:
            time.sleep(3600)


def word(number: int, pane: m.Pane) -> str:
    """The ``number``-th word of a pane; every third one is steered when a fader acts."""
    faders = audible(pane.faders, pane.master)
    if faders and number % 3 == 0:
        push = sum(abs(coefficient(f, pane.master)) for f in faders)
        return STEERED[(number + int(10 * push)) % len(STEERED)]
    return PLAIN[number % len(PLAIN)]


def label(feature: int) -> str:
    """Its made-up name."""
    return LABELS[feature % len(LABELS)] + ("", ", again", ", once more")[feature // len(LABELS)]


def strength(position: int, feature: int) -> float:
    """A made-up activation, 0 on most words."""
    return max(0.0, ((position * 7 + feature * 13) % 11) - 6.0)


def hit(feature: int, match: float) -> m.Hit:
    """A feature as a search result."""
    spark = tuple(strength(i, feature) / 4 for i in range(22))
    return m.Hit(feature, label(feature), match, 0.002 * (feature % 9 + 1), spark, feature % 7 != 5)


def card(feature: int) -> m.FeatureCard:
    """A feature's card."""
    pieces = tuple(f" {w}" for w in PLAIN)
    values = tuple(strength(i, feature) / 4 for i in range(len(pieces)))
    near = tuple(hit((feature + i) % FEATURES, 0.6 - i / 10) for i in (1, 2, 3))
    examples = (Example(pieces, values),) * 4
    return m.FeatureCard(
        feature, label(feature), feature % 7 != 5, 0.91, 0.002 * (feature % 9 + 1), 4.0,
        tuple(STEERED[:10]), tuple(PLAIN[:10]), near, examples,
    )  # fmt: skip


def main() -> None:
    """Read lines on a thread of its own, serve on the main one."""
    engine = FakeEngine(os.dup(1))
    os.dup2(2, 1)

    def listen() -> None:
        for line in sys.stdin.buffer:
            engine.inbox.put(line.decode("utf-8", "replace"))
        engine.inbox.put(None)
        time.sleep(0.2)
        os._exit(0)  # the main thread hangs, as it was told to

    threading.Thread(target=listen, daemon=True).start()
    engine.run()


if __name__ == "__main__":
    main()
