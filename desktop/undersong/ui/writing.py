"""Takes: asking for one, stopping it, letting it go on, looking back at older ones, and the heat on their words."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Signal

from undersong.core.features import FeatureCard
from undersong.core.messages import Failed, Finished, Inspect, Pane, Read, Reading, Tokens
from undersong.core.mixing import Fader, FeatureRef, Mix
from undersong.core.project import SessionState
from undersong.core.recipe import Recipe, digest
from undersong.core.takes import PaneText, Take
from undersong.ui.conversation import Conversation, EngineState, Failure
from undersong.ui.engine_process import Outcome
from undersong.ui.heat import Heat, read_pane
from undersong.ui.mix_moves import DEFAULT_LEVEL, MixMoves
from undersong.ui.stream import Run, Stream, new_run, runs_onward

SEEDS = 10_000
"""New seeds are drawn below this: short enough to read out."""
ALONE = "alone"
"""Name of a pane that tries one quality without the mix."""


class Writing(MixMoves):
    """The mixes and the takes made with them.

    Signals, beside those of MixMoves: ``stream_started(tuple[Pane])`` (the panes may already hold text: see ``take``),
    ``tokens_arrived(list[Tokens])`` at most 30 times a second, ``stream_finished(Finished)`` however it ended,
    ``reading_arrived(PaneReading)`` with exact heat, ``levels_arrived(dict[int, float])`` feature to 0 … 1 on the
    newest words, ``takes_changed()`` when another take is shown or the list changed, ``notice_arrived(str)``.
    """

    stream_started = Signal(object)
    tokens_arrived = Signal(object)
    stream_finished = Signal(object)
    reading_arrived = Signal(object)
    levels_arrived = Signal(object)
    takes_changed = Signal()
    notice_arrived = Signal(str)
    running_grown = Signal()

    def __init__(self, state: SessionState, conversation: Conversation) -> None:
        super().__init__(state)
        self.cards: dict[int, FeatureCard] = {}
        self._conversation = conversation
        self._labels: dict[int, str] = {}
        self._stream = Stream(conversation, self._playable, self)
        self._reads: dict[int, tuple[str, int]] = {}
        self._asked: set[int] = set()
        self._next: Callable[[], None] | None = None
        self._go_on = False
        self._show_heat_of(self.take)
        self._stream.flushed.connect(self._on_flushed)
        self._stream.ended.connect(self._on_stream_ended)
        self._stream.refused.connect(self._on_refused)
        conversation.broke_off.connect(self._on_broke_off)
        self.mix_changed.connect(self._on_mix_moved)
        self.focus_changed.connect(self._look_at_shown)

    @property
    def take(self) -> Take | None:
        """The take on screen: the one being written, or the one that was chosen."""
        if self.saved.running is not None:
            return self.saved.running
        return next((take for take in self.saved.takes if take.id == self.saved.shown), None)

    @property
    def takes(self) -> tuple[Take, ...]:
        """All takes, oldest first, the one being written last."""
        return (*self.saved.takes, self.saved.running) if self.saved.running is not None else self.saved.takes

    @property
    def take_number(self) -> int:
        """Place of the take on screen among all, from 1; 0 when there is none."""
        shown = self.take
        return next((i for i, take in enumerate(self.takes, 1) if shown is not None and take.id == shown.id), 0)

    @property
    def speed(self) -> float:
        """Tokens a second in each pane, lately."""
        return self._stream.speed

    @property
    def state(self) -> EngineState:
        """What the engine can do now."""
        return self._conversation.state

    @property
    def can_resume(self) -> bool:
        """True when the take on screen can go on where it stopped."""
        take = self.take
        if take is None or self.state is EngineState.STREAMING:
            return False
        return bool(runs_onward(take, self.saved.sampling.words))

    def heat(self, pane: int) -> tuple[list[str], list[float]]:
        """Pieces of a pane's text, and how strongly the shown feature shows on each, 0 … 1."""
        return self._heat.of(pane, self.shown_feature, self._peak(self.shown_feature))

    def label_of(self, feature: int) -> str:
        """The name of a feature, as far as it is known here."""
        position = self.position_of(feature)
        if position >= 0:
            return self.mix.faders[position].label
        return self._labels.get(feature, f"#{feature}")

    def generate(self) -> None:
        """Write a new take with the mix; the seed stays if it is locked, else a new one is drawn."""
        self._write_anew(draw=not self.saved.seed_locked)

    def another_take(self) -> None:
        """Write a new take with a new seed, locked or not."""
        self._write_anew(draw=True)

    def try_alone(self, feature: int) -> None:
        """Write a take with one feature only, at its default level; the mix stays as it is."""
        if self.loaded is None:
            return
        label = self.label_of(feature)
        fader = Fader(FeatureRef(self.loaded.sae, feature), DEFAULT_LEVEL, unit=self.loaded.unit, label=label)
        self._write_anew(draw=False, alone=Mix(name=label, faders=(fader,)))

    def stop(self) -> None:
        """Stop at the next word; what was written stays."""
        self._next = None
        self._stream.stop()

    def resume(self) -> None:
        """Let the take on screen go on where it stopped.

        Each text goes on from its own last word and from the opening it was written for; nothing that was there is
        changed. Where the two texts differ the steered one is written first and the plain one after it. The mix acts
        as it stands now.
        """
        take = self.take
        if take is None or not self.can_resume or self.state is not EngineState.READY:
            return
        runs = runs_onward(take, self.saved.sampling.words)
        writing = {row for run in runs for row in run.rows}
        panes = tuple(replace(p, reason="") if i in writing else p for i, p in enumerate(take.panes))
        self.saved.takes = tuple(other for other in self.saved.takes if other.id != take.id)
        mix = take.recipe.mix if take.panes[1].name == ALONE else self.mix
        self._begin(replace(take, panes=panes, state="running"), runs, mix)

    def restart_and_continue(self) -> None:
        """Start the engine again and let the text go on that was cut short."""
        self._go_on = True
        self._conversation.start_again()

    def retry_engine(self) -> None:
        """Start the engine again, or load the model again."""
        self._conversation.start_again()

    def keep_take(self, pane: int = 1) -> None:
        """Keep the take on screen for ever, or no longer; a take is kept whole, whichever pane asks."""
        shown = self.take
        if shown is None or self.saved.running is not None:
            return
        kept = replace(shown, kept=not shown.kept)
        self.saved.takes = tuple(kept if take.id == kept.id else take for take in self.saved.takes)
        self.takes_changed.emit()
        self.saving_due.emit()

    def show_take(self, offset: int) -> None:
        """Show the take so many places later; negative for earlier."""
        if self.saved.running is not None or not self.saved.takes:
            return
        place = min(max(self.take_number - 1 + offset, 0), len(self.saved.takes) - 1)
        self.show_take_of(self.saved.takes[place].id)

    def show_take_of(self, take_id: str) -> None:
        """Show a take by its id."""
        if self.saved.running is None and take_id != self.saved.shown:
            self.saved.shown = take_id
            self._show_heat_of(self.take)
            self._look_at_shown()
            self.takes_changed.emit()
            self.saving_due.emit()

    def _write_anew(self, draw: bool, alone: Mix | None = None) -> None:
        if self._stream.running:
            self._next = lambda: self._write_anew(draw, alone)
            self._stream.stop()
            return
        problem = self._problem()
        if problem:
            self.notice_arrived.emit(problem)
            return
        if draw:
            self.saved.sampling = replace(self.saved.sampling, seed=random.randrange(1, SEEDS))
        opening, sampling, loaded = self.saved.opening, self.saved.sampling, self.loaded
        mix = self.mix if alone is None else alone
        recipe = Recipe(loaded.model if loaded else "", loaded.sae if loaded else "", mix, sampling, digest(opening))
        panes = (PaneText("base"), PaneText("mix" if alone is None else ALONE))
        self._begin(Take(opening, panes, recipe), new_run(opening, sampling.words), mix)

    def _problem(self) -> str:
        """A sentence about why nothing can be written now, or an empty one."""
        if self.state is not EngineState.READY:
            return self.tr("The model is not ready yet; you can go on writing, searching and mixing.")
        if not self.saved.opening.strip():
            return self.tr("Write an opening first, a sentence or two; the model goes on from there.")
        return self.saved.sampling.problem()

    def _begin(self, take: Take, runs: list[Run], mix: Mix) -> None:
        self.saved.running, self.saved.shown = take, take.id
        self._show_heat_of(take)
        self._conversation.fail(None)
        self._stream.begin(take, runs, mix, self.saved.sampling, self._features())
        self._conversation.set_streaming(True)
        playable = self._playable(mix)
        shown = (Pane("base"), Pane(take.panes[1].name, playable.faders, playable.master))
        self.stream_started.emit(shown)
        self.takes_changed.emit()
        self.saving_due.emit()

    def _on_flushed(self, arrived: list[Tokens]) -> None:
        self.saved.running = self._stream.take
        newest: dict[int, float] = {}
        for tokens in arrived:
            self._heat.add(tokens)
            if tokens.readings:
                for feature, value in zip(tokens.watched, tokens.readings[-1], strict=True):
                    newest[feature] = max(newest.get(feature, 0.0), value)
        self.tokens_arrived.emit(arrived)
        if newest:
            self.levels_arrived.emit({f: min(1.0, v / (self._peak(f) or v or 1.0)) for f, v in newest.items()})
        self.running_grown.emit()

    def _on_stream_ended(self, finished: Finished) -> None:
        self._put_away(self._stream.take)
        self._conversation.set_streaming(False)
        self.stream_finished.emit(finished)
        self.takes_changed.emit()
        following, self._next = self._next, None
        if following is not None:
            following()
        else:
            self._look_at_shown()

    def _on_refused(self, failed: Failed) -> None:
        take = self._stream.take
        if take is not None and take.length() == 0:
            self.saved.running = None
            self.saved.shown = self.saved.takes[-1].id if self.saved.takes else ""
        else:
            self._put_away(take.interrupted() if take else None)
        self._next = None
        self._conversation.set_streaming(False)
        self._show_heat_of(self.take)
        self._look_at_shown()
        self.stream_finished.emit(Finished(failed.id, ("stopped", "stopped"), (0, 0), 0.0))
        self.takes_changed.emit()
        if failed.code == "request":
            self.notice_arrived.emit(failed.message)
        else:
            advice = self.tr("Your text and mix are safe.")
            self._conversation.fail(Failure("writing", failed.message, advice, failed.detail))

    def _on_broke_off(self, outcome: Outcome) -> None:
        self._reads.clear()
        self._asked.clear()
        self._next = None
        if not self._stream.running:
            return
        self._stream.break_off()
        take = self._stream.take
        self._put_away(take.interrupted() if take else None)
        self.stream_finished.emit(Finished(0, ("stopped", "stopped"), (0, 0), 0.0))
        self.takes_changed.emit()

    def _put_away(self, take: Take | None) -> None:
        """Move the take that was being written among the others."""
        self.saved.running = None
        if take is not None:
            self.saved.takes = (*self.saved.takes, take)
            self.saved.shown = take.id
        self.saving_due.emit()

    def _on_mix_moved(self) -> None:
        take = self._stream.take
        if self._stream.running and take is not None and take.panes[1].name != ALONE:
            self._stream.steer(self.mix)

    def _look_at_shown(self) -> None:
        """Have the shown feature and those of the mix read, on what is being written or on what is there."""
        features = self._features()
        for feature in features:
            if feature not in self.cards and self.loaded is not None:
                self._conversation.say(Inspect(self._conversation.next_id(), feature))
        if self._stream.running:
            self._stream.watch(features)
            return
        take = self.take
        fresh = tuple(feature for feature in features if feature not in self._asked)
        if take is None or not fresh or self.state is not EngineState.READY:
            return
        self._asked.update(fresh)
        for number, pane in enumerate(take.panes):
            if pane.text:
                request = Read(self._conversation.next_id(), take.opening + pane.text, fresh)
                self._reads[request.id] = (take.id, number)
                self._conversation.say(request)

    def _on_reading(self, reading: Reading) -> None:
        take_id, number = self._reads.pop(reading.id, ("", 0))
        take = self.take
        if take is None or take.id != take_id or self._stream.running:
            return
        pane = read_pane(number, reading, take.opening, take.panes[number].text)
        self._heat.set_exact(pane)
        self.reading_arrived.emit(pane)

    def _features(self) -> tuple[int, ...]:
        """Features to read: those of the mix that the loaded dictionary has, and the shown one."""
        sae = self.loaded.sae if self.loaded else ""
        wanted = [fader.feature.index for fader in self.mix.faders if fader.feature.sae == sae]
        if self._inspected >= 0:
            wanted.append(self._inspected)
        return tuple(dict.fromkeys(wanted))

    def _playable(self, mix: Mix) -> Mix:
        """The mix without faders of other dictionaries than the loaded one."""
        sae = self.loaded.sae if self.loaded else ""
        return replace(mix, faders=tuple(fader for fader in mix.faders if fader.feature.sae == sae))

    def _peak(self, feature: int) -> float:
        card = self.cards.get(feature)
        return card.max_activation if card is not None else 0.0

    def _show_heat_of(self, take: Take | None) -> None:
        self._heat = Heat(tuple(pane.text for pane in take.panes) if take else ())
        self._asked.clear()
