"""Write with and without a mix, side by side."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from undersong.core import messages as m
from undersong.core.mixing import Fader, FeatureRef, Op
from undersong.core.sampling import Sampling
from undersong.core.story import count_words, parting_word
from undersong.terminal.asking import find
from undersong.terminal.engine_client import EngineClient
from undersong.terminal.show import HEAT, Screen, heat_style

REDRAW_SECONDS = 0.08
FRAME_LINES = 4
"""Lines of the screen that are not text while it grows."""
NAMES = ("Without the mix", "With the mix")
ENDS = {"words": "long enough", "end": "the story ended", "stopped": "stopped", "context": "the model is full"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A quality as it was asked for."""

    asked: str
    """Words, or a number."""
    level: float
    """-2 … 2."""
    op: Op = "add"
    """``ablate`` silences it."""


@dataclass(slots=True)
class Streams:
    """Two texts as they grow."""

    opening: str
    """What they continue."""
    faders: tuple[Fader, ...]
    """The mix."""
    heated: bool = False
    """Colour the words by the first fader's quality."""
    pieces: tuple[list[str], list[str]] = field(default_factory=lambda: ([], []))
    """[pane]: texts of the tokens so far."""
    values: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    """[pane]: activation of the first fader's quality on each token, one token late."""
    speed: float = 0.0
    """Tokens a second in each pane."""
    finished: m.Finished | None = None
    """How it ended."""

    def take(self, event: m.Tokens) -> None:
        """Add one step."""
        for pane, text in enumerate(event.texts):
            self.pieces[pane].append(text)
        for pane, reading in enumerate(event.readings):
            self.values[pane].append(reading[0])
        self.speed = event.speed

    def text(self, pane: int) -> str:
        """A pane's whole text after the opening."""
        return "".join(self.pieces[pane])

    def words(self, pane: int) -> int:
        """How many words a pane has added; what only completes the opening's last word is none."""
        return count_words(self.opening + self.text(pane)) - count_words(self.opening)

    def parting(self) -> int:
        """Number of the word at which the texts part ways, 0 if they do not."""
        return parting_word(self.text(0), self.text(1))


def faders_for(engine: EngineClient, loaded: m.Loaded, wanted: Sequence[Wanted], screen: Screen) -> tuple[Fader, ...]:
    """The mix that was asked for; raises RequestError for a quality that is not there."""
    faders = []
    for one in wanted:
        hit = find(engine, one.asked, screen)
        faders.append(Fader(FeatureRef(loaded.sae, hit.feature), one.level, one.op, loaded.unit, hit.label))
    return tuple(faders)


def stream(engine: EngineClient, streams: Streams, master: float, sampling: Sampling, screen: Screen) -> bool:
    """Write both texts while showing them; False if Ctrl+C stopped it, and then the text so far is kept."""
    panes = (m.Pane("base"), m.Pane("mix", streams.faders, master))
    watch = tuple(fader.feature.index for fader in streams.faders[:1]) if streams.heated else ()
    request = m.Generate(engine.number(), streams.opening, panes, sampling, watch)
    with _stop_on_interrupt(engine, request.id) as pressed:
        engine.send(request)
        steps = _steps(engine.events(request.id), streams, screen)
        if screen.as_json:
            for event in steps:
                screen.line(event="text", step=event.step, without=event.texts[0], **{"with": event.texts[1]})
        else:
            _draw(steps, streams, sampling, screen)
    return not pressed


def _steps(events: Iterable[m.Event], streams: Streams, screen: Screen) -> Iterator[m.Tokens]:
    """The steps of a generation, each already taken into ``streams``."""
    for event in events:
        if isinstance(event, m.Notice):
            screen.say(event.message)
        elif isinstance(event, m.Finished):
            streams.finished = event
        elif isinstance(event, m.Tokens):
            streams.take(event)
            yield event


def _draw(steps: Iterable[m.Tokens], streams: Streams, sampling: Sampling, screen: Screen) -> None:
    """Show both texts growing, and in the end, however it comes, whole."""
    with Live(console=screen.out, auto_refresh=False, vertical_overflow="visible") as live:
        drawn = 0.0
        try:
            for _ in steps:
                if screen.out.is_terminal and time.monotonic() - drawn > REDRAW_SECONDS:
                    drawn = time.monotonic()
                    live.update(side_by_side(streams, screen.out.height - FRAME_LINES), refresh=True)
        finally:
            live.update(Group(side_by_side(streams), summary(streams, sampling)), refresh=True)


@contextlib.contextmanager
def _stop_on_interrupt(engine: EngineClient, id: int) -> Iterator[list[int]]:
    """Ctrl+C asks the engine to stop, so that no word is lost; a second one ends everything. Yields the presses."""
    pressed: list[int] = []

    def on_interrupt(number: int, _: object) -> None:
        pressed.append(number)
        if len(pressed) > 1:
            raise KeyboardInterrupt
        engine.send(m.Stop(id))

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def side_by_side(streams: Streams, height: int = 0) -> Table:
    """Both texts in two columns; with a ``height`` only the last lines that fit."""
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(ratio=1)
    table.add_column(ratio=1)
    table.add_row(*(Panel(LastLines(_prose(streams, pane), height), title=name) for pane, name in enumerate(NAMES)))
    return table


@dataclass(frozen=True, slots=True)
class LastLines:
    """A text of which only the last lines are shown; 0 shows all."""

    text: Text
    """What to show."""
    height: int
    """Most lines."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = self.text.wrap(console, options.max_width)
        yield Text("\n").join(lines[-self.height :] if self.height > 0 else lines)


def _prose(streams: Streams, pane: int) -> Text:
    """One pane's text, the opening dimmed, the words with heat if wanted."""
    text = Text(streams.opening, style="dim", end="")
    values = streams.values[pane]
    most = max([*streams.values[0], *streams.values[1]], default=0.0)
    for place, piece in enumerate(streams.pieces[pane]):
        share = values[place] / most if place < len(values) and most > 0 else 0.0
        text.append(piece, style=f"not dim {heat_style(share)}")
    return text


def summary(streams: Streams, sampling: Sampling) -> Text:
    """What came of it, in one line for the texts and one for the mix."""
    words = " and ".join(str(streams.words(pane)) for pane in (0, 1))
    parting = streams.parting()
    parts = [
        f"parts ways at word {parting}" if parting else "both texts are the same so far",
        f"{words} words",
        f"{streams.speed:.0f} tokens a second each",
        f"seed {sampling.seed}",
    ]
    if streams.finished:
        parts.insert(1, " / ".join(ENDS[reason] for reason in streams.finished.reasons))
    text = Text(" · ".join(parts) + "\n", style="bold")
    for number, fader in enumerate(streams.faders):
        level = "silenced" if fader.op == "ablate" else f"{fader.level:+.2f}"
        style = HEAT if streams.heated and number == 0 else ""
        text.append(f"#{fader.feature.index} {fader.label or 'no name'}  {level}\n", style=style)
    return text


def result(streams: Streams, loaded: m.Loaded, master: float, sampling: Sampling) -> dict[str, object]:
    """Everything that came of it, for scripts."""
    ended = streams.finished
    return {
        "event": "finished",
        "without": streams.text(0),
        "with": streams.text(1),
        "parting_word": streams.parting(),
        "words": [streams.words(pane) for pane in (0, 1)],
        "reasons": ended.reasons if ended else (),
        "tokens": ended.tokens if ended else (),
        "seconds": ended.seconds if ended else 0.0,
        "model": loaded.model,
        "sae": loaded.sae,
        "faders": streams.faders,
        "master": master,
        "sampling": sampling,
    }
