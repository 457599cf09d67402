"""The take that is being written: asks for it, gathers its words, passes fader moves on, and knows when it is done.

Words arrive faster than anyone reads; they are shown together every 33 ms. A take has a base pane and a steered one.
Writing on where a take stopped needs two requests when its texts differ, because one request continues one prompt: the
steered text goes on first, then the plain one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QTimer, Signal

from undersong.core.messages import Failed, Finished, Generate, Levels, Pane, Reason, Stop, Tokens, Watch
from undersong.core.mixing import Mix
from undersong.core.sampling import Sampling
from undersong.core.story import count_words
from undersong.core.takes import Take
from undersong.ui.conversation import Conversation

FLUSH_MS = 33
"""Words and fader moves are gathered this long."""
LATE_FLUSH = 3
"""After a slow flush the next one waits this many times as long as it took."""
SLOW_FLUSH_MS = 12.0


@dataclass(frozen=True, slots=True)
class Run:
    """One request of a take."""

    prompt: str
    """What is continued."""
    rows: tuple[int, ...]
    """Pane that each row of the request writes into; -1 for a row that only has to be there."""
    words: int
    """Most words to write."""


def new_run(opening: str, words: int) -> list[Run]:
    """The run of a fresh take."""
    return [Run(opening, (0, 1), words)]


def runs_onward(take: Take, words: int) -> list[Run]:
    """The runs that let a take go on where its panes stopped; empty when both came to an end of their own."""

    def left(text: str) -> int:
        rest = words - count_words(text)
        return rest if rest > 0 else words

    base, steered = take.panes[0], take.panes[1]
    ended = ("end", "context")
    if base.text == steered.text:
        return [] if base.reason in ended else [Run(take.opening + base.text, (0, 1), left(base.text))]
    # A pane that has already as many words as were asked for waits for one that was cut short
    cut_short = [p for p in (base, steered) if p.reason in ("stopped", "")]
    runs = []
    for pane, rows in ((steered, (-1, 1)), (base, (0,))):
        if pane.reason not in ended and (not cut_short or pane in cut_short):
            runs.append(Run(take.opening + pane.text, rows, left(pane.text)))
    return runs


class Stream(QObject):
    """Writes one take at a time.

    Signals: ``flushed(list[Tokens])`` with texts by pane; ``ended(Finished)`` with reasons by pane; ``refused(Failed)``
    when the engine would not write. After each of them ``take`` is up to date.
    """

    flushed = Signal(object)
    ended = Signal(object)
    refused = Signal(object)

    def __init__(self, conversation: Conversation, playable: Callable[[Mix], Mix], parent: QObject) -> None:
        """``playable`` leaves out the faders that the loaded dictionary does not know."""
        super().__init__(parent)
        self.take: Take | None = None
        self.mix = Mix()
        self.speed = 0.0
        self._playable = playable
        self._conversation = conversation
        self._sampling = Sampling()
        self._watched: tuple[int, ...] = ()
        self._runs: list[Run] = []
        self._id = 0
        self._steps = 0
        self._seconds = 0.0
        self._tokens: list[int] = []
        self._pending: list[Tokens] = []
        self._levels_due = False
        self._timer = QTimer(self, singleShot=True, interval=FLUSH_MS)
        self._timer.timeout.connect(self.flush)

    @property
    def running(self) -> bool:
        """True while a take is being written."""
        return bool(self._runs)

    def begin(self, take: Take, runs: list[Run], mix: Mix, sampling: Sampling, watched: tuple[int, ...]) -> None:
        """Write ``take``; its panes may already hold text."""
        self.take, self.mix, self._sampling, self._watched = take, mix, sampling, watched
        self._runs, self._pending = list(runs), []
        self._steps, self._seconds, self._tokens = 0, 0.0, [0] * len(take.panes)
        self._ask()

    def stop(self) -> None:
        """Ask the engine to stop at the next word."""
        if self._runs:
            del self._runs[1:]
            self._conversation.say(Stop(self._id))

    def steer(self, mix: Mix) -> None:
        """The mix was moved: tell the engine soon, the newest only."""
        self.mix = mix
        if self._runs:
            self._levels_due = True
            if not self._timer.isActive():
                self._timer.start()

    def watch(self, features: tuple[int, ...]) -> None:
        """Read other features from the next word on."""
        if self._runs and features != self._watched:
            self._conversation.say(Watch(self._id, features))
        self._watched = features

    def receive(self, event: object) -> bool:
        """Take an event if it belongs to this take; says whether it did."""
        if not self._runs or getattr(event, "id", 0) != self._id:
            return False
        if isinstance(event, Tokens):
            self._pending.append(event)
            if not self._timer.isActive():
                self._timer.start()
        elif isinstance(event, Finished):
            self._on_finished(event)
        elif isinstance(event, Failed):
            self.flush()
            self._runs = []
            self.refused.emit(event)
        else:
            return False
        return True

    def break_off(self) -> None:
        """The engine has gone: keep what has arrived."""
        self.flush()
        self._timer.stop()
        self._runs = []

    def flush(self) -> None:
        """Show what has arrived and pass fader moves on."""
        began = time.monotonic()
        if self._levels_due:
            self._send_levels()
        if self._pending and self._runs and self.take is not None:
            arrived, self._pending = [self._by_pane(t) for t in self._pending], []
            texts = [pane.text + "".join(t.texts[i] for t in arrived) for i, pane in enumerate(self.take.panes)]
            panes = tuple(replace(pane, text=text) for pane, text in zip(self.take.panes, texts, strict=True))
            self.take = replace(self.take, panes=panes)
            self._steps += len(arrived)
            self.speed = arrived[-1].speed
            self.flushed.emit(arrived)
        cost = 1000 * (time.monotonic() - began)
        self._timer.setInterval(max(FLUSH_MS, round(LATE_FLUSH * cost)) if cost > SLOW_FLUSH_MS else FLUSH_MS)

    def _ask(self) -> None:
        run = self._runs[0]
        self._id = self._conversation.next_id()
        mix = self._playable(self.mix)
        panes = tuple(Pane("mix", mix.faders, mix.master) if row else Pane("base") for row in range(len(run.rows)))
        sampling = replace(self._sampling, words=run.words)
        self._conversation.say(Generate(self._id, run.prompt, panes, sampling, self._watched))

    def _send_levels(self) -> None:
        self._levels_due = False
        if not self._runs or self.take is None:
            return
        rows = self._runs[0].rows
        if 1 in rows:
            mix = self._playable(self.mix)
            self._conversation.say(Levels(self._id, rows.index(1), mix.faders, mix.master))
            self.take = replace(self.take, changes=(*self.take.changes, self._steps + len(self._pending)))

    def _by_pane(self, tokens: Tokens) -> Tokens:
        """The same step with texts and readings in the order of the take's panes."""
        rows = self._runs[0].rows
        count = len(self._tokens)
        if rows == tuple(range(count)):
            return tokens
        row_of = {pane: row for row, pane in enumerate(rows) if pane >= 0}
        nothing = (0.0,) * len(tokens.watched)
        return replace(
            tokens,
            texts=tuple(tokens.texts[row_of[pane]] if pane in row_of else "" for pane in range(count)),
            ended=tuple(rows[row] for row in tokens.ended if rows[row] >= 0),
            readings=tuple(tokens.readings[row_of[pane]] if pane in row_of else nothing for pane in range(count))
            if tokens.readings
            else (),
        )

    def _on_finished(self, event: Finished) -> None:
        self.flush()
        if self.take is None:
            return
        run = self._runs.pop(0)
        self._seconds += event.seconds
        panes = list(self.take.panes)
        for row, pane in enumerate(run.rows):
            if pane >= 0:
                panes[pane] = replace(panes[pane], reason=event.reasons[row])
                self._tokens[pane] += event.tokens[row]
        self.take = replace(self.take, panes=tuple(panes))
        if self._runs:
            self._ask()
            return
        reasons: tuple[Reason, ...] = tuple(pane.reason or "stopped" for pane in panes)
        panes = [replace(pane, reason=reason) for pane, reason in zip(panes, reasons, strict=True)]
        state = "stopped" if "stopped" in reasons else "whole"
        self.take = replace(self.take, panes=tuple(panes), state=state)
        self.ended.emit(Finished(event.id, reasons, tuple(self._tokens), self._seconds))
