"""What the window shows now: the opening, the mix, the takes, what was searched, and how the engine is.

Panels get a ``Session``, read its properties, connect to its signals (each states a fact) and call its methods; they
never see the engine nor each other. The state itself is a ``SessionState``, saved within a second of each change.
The moves on the mix are in ``mix_moves``, writing takes in ``writing``, the talk with the engine in ``conversation``.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Signal

from undersong.core import paths
from undersong.core.features import FeatureCard
from undersong.core.messages import (
    Event,
    Failed,
    Inspect,
    Inspected,
    Loaded,
    Notice,
    Progress,
    Reading,
    Results,
    Search,
)
from undersong.core.project import SessionFile, SessionState
from undersong.core.sampling import Sampling
from undersong.core.settings import Settings
from undersong.ui.autosave import Autosave
from undersong.ui.conversation import Conversation, EngineState, Failure, ModelChoice
from undersong.ui.engine_process import EngineProcess
from undersong.ui.heat import PaneReading
from undersong.ui.writing import Writing

__all__ = ["EngineState", "Failure", "ModelChoice", "PaneReading", "Session"]

log = logging.getLogger(__name__)


class Session(Writing):
    """All that the window shows; ``Session()`` works without engine and file, for tests and pictures."""

    opening_changed = Signal()
    title_changed = Signal()
    sampling_changed = Signal()
    state_changed = Signal()
    progress_changed = Signal(object)
    results_arrived = Signal(object)
    look_up_arrived = Signal(object)
    card_arrived = Signal(object)
    inspect_cleared = Signal()
    heat_changed = Signal()
    failure_changed = Signal(object)
    saved_changed = Signal()
    settings_changed = Signal()
    theme_changed = Signal()

    def __init__(
        self,
        engine: EngineProcess | None = None,
        file: SessionFile | None = None,
        state: SessionState | None = None,
        settings: Settings | None = None,
    ) -> None:
        state = state or SessionState()
        conversation = Conversation(engine)
        super().__init__(state, conversation)
        conversation.setParent(self)
        self.settings = settings or Settings()
        self.results: Results | None = None
        self.card: FeatureCard | None = None
        self.autosave = Autosave(file, state, self)
        self._search_id = 0
        self._look_up_id = 0
        self._inspect_id = 0
        conversation.event_arrived.connect(self._on_event)
        conversation.state_changed.connect(self.state_changed)
        conversation.progress_changed.connect(self.progress_changed)
        conversation.failure_changed.connect(self.failure_changed)
        self.saving_due.connect(self.autosave.touch)
        self.running_grown.connect(self.autosave.touch_running)
        self.autosave.changed.connect(self.saved_changed)
        self.focus_changed.connect(self.heat_changed)
        self.reading_arrived.connect(self.heat_changed)

    @property
    def opening(self) -> str:
        """The writer's opening."""
        return self.saved.opening

    @property
    def title(self) -> str:
        """The story's name."""
        return self.saved.title

    @property
    def sampling(self) -> Sampling:
        """How words are drawn."""
        return self.saved.sampling

    @property
    def seed_locked(self) -> bool:
        """True when every take uses the same seed."""
        return self.saved.seed_locked

    @property
    def query(self) -> str:
        """What stands in the search field."""
        return self.saved.query

    @property
    def heat_shown(self) -> bool:
        """True when words are coloured by the shown feature."""
        return self.saved.heat_shown

    @property
    def link_panes(self) -> bool:
        """True when both panes scroll together."""
        return self.saved.link_panes

    @property
    def failure(self) -> Failure | None:
        """What went wrong and is not dealt with yet."""
        return self._conversation.failure

    @property
    def progress(self) -> Progress | None:
        """How far the loading of the model is."""
        return self._conversation.progress

    @property
    def seconds_left(self) -> int:
        """About how long loading still takes; -1 when that is not known."""
        return self._conversation.seconds_left

    @property
    def engine_log(self) -> str:
        """The last lines of the engine's log."""
        return self._conversation.log

    @property
    def engine_process_id(self) -> int:
        """The system's number of the engine process, 0 when there is none."""
        return self._conversation.process_id

    @property
    def model(self) -> ModelChoice:
        """The chosen model: the writer's, or the starter."""
        starter = paths.starter()
        if not self.saved.model:
            return ModelChoice(str(starter / "language_model"), str(starter / "sae"), str(starter / "library.sqlite"))
        return ModelChoice(self.saved.model, self.saved.sae, self.saved.library)

    @property
    def uses_starter(self) -> bool:
        """True when the bundled model is chosen."""
        return not self.saved.model

    def load_model(self, choice: ModelChoice | None = None) -> None:
        """Load the chosen model; without an argument the one this session uses."""
        if choice is not None:
            self.saved.model, self.saved.sae, self.saved.library = choice.model, choice.sae, choice.library
            self.saving_due.emit()
        self._conversation.load(self.model)

    def load_starter(self) -> None:
        """Load the bundled model."""
        self.load_model(ModelChoice("", "", ""))

    def dismiss_failure(self) -> None:
        """The writer has read the failure."""
        self._conversation.fail(None)

    def search(self, query: str) -> None:
        """Find qualities by words, an empty query lists the most useful; answers to older queries are dropped."""
        if query != self.saved.query:
            self.saved.query = query
            self.saving_due.emit()
        if self.loaded is not None:
            self._search_id = self._conversation.next_id()
            self._conversation.say(Search(self._search_id, query))

    def look_up(self, query: str, limit: int) -> None:
        """Find qualities beside the search panel's own search; the answer comes as ``look_up_arrived``."""
        if self.loaded is not None:
            self._look_up_id = self._conversation.next_id()
            self._conversation.say(Search(self._look_up_id, query, limit))

    def inspect(self, feature: int) -> None:
        """Show everything known of a feature, and its heat."""
        self._inspected = feature
        known = self.cards.get(feature)
        if known is not None:
            self._inspect_id = 0
            self.card = known
            self.card_arrived.emit(known)
        else:
            self._inspect_id = self._conversation.next_id()
            self._conversation.say(Inspect(self._inspect_id, feature))
        self.focus_changed.emit()

    def clear_inspect(self) -> None:
        """Look at no quality but the focused channel's."""
        self._inspected, self._inspect_id, self.card = -1, 0, None
        self.inspect_cleared.emit()
        self.focus_changed.emit()

    def add_from_card(self) -> None:
        """Put the inspected feature into the mix."""
        if self.card is not None:
            self.add_feature(self.card.feature, self.card.label)

    def toggle_heat(self) -> None:
        """Colour words by the shown feature, or do not."""
        self.saved.heat_shown = not self.saved.heat_shown
        self.heat_changed.emit()
        self.saving_due.emit()

    def set_link_panes(self, linked: bool) -> None:
        """Scroll both panes together, or do not."""
        self.saved.link_panes = linked
        self.saving_due.emit()

    def set_opening(self, text: str) -> None:
        """Make ``text`` the opening."""
        if text != self.saved.opening:
            self.saved.opening = text
            self.opening_changed.emit()
            self.saving_due.emit()

    def set_title(self, title: str) -> None:
        """Call the story something else."""
        if title.strip() and title != self.saved.title:
            self.saved.title = title.strip()
            self.title_changed.emit()
            self.saving_due.emit()

    def set_sampling(self, **changes: Any) -> None:
        """Change how words are drawn; a value out of range changes nothing and becomes a notice."""
        sampling = replace(self.saved.sampling, **changes)
        problem = sampling.problem()
        if problem:
            self.notice_arrived.emit(problem)
        elif sampling != self.saved.sampling:
            self.saved.sampling = sampling
            self.saving_due.emit()
        self.sampling_changed.emit()

    def set_seed_locked(self, locked: bool) -> None:
        """Use the same seed for every take, or draw a new one each time."""
        self.saved.seed_locked = locked
        self.sampling_changed.emit()
        self.saving_due.emit()

    def set_settings(self, **changes: Any) -> None:
        """Change what holds for every session."""
        self.settings = replace(self.settings, **changes)
        self.settings_changed.emit()

    def set_layout(self, name: str, value: str) -> None:
        """Remember a part of the window's layout."""
        if self.saved.layout.get(name) != value:
            self.saved.layout[name] = value
            self.saving_due.emit()

    def close(self) -> None:
        """Save, let go of the file, and end the engine; a text that is being written is cut short and kept."""
        self._stream.break_off()
        self.autosave.close()
        self._conversation.close()

    def _on_event(self, event: Event) -> None:
        if self._stream.receive(event):
            return
        if isinstance(event, Results):
            self._on_results(event)
        elif isinstance(event, Reading):
            self._on_reading(event)
        elif isinstance(event, Inspected):
            self._on_inspected(event)
        elif isinstance(event, Loaded):
            self._on_loaded(event)
        elif isinstance(event, Notice):
            self.notice_arrived.emit(event.message)
        elif isinstance(event, Failed):
            self._on_failed(event)

    def _on_results(self, results: Results) -> None:
        self._labels.update({hit.feature: hit.label for hit in results.hits})
        if results.id == self._search_id:
            self.results = results
            self.results_arrived.emit(results)
        elif results.id == self._look_up_id:
            self.look_up_arrived.emit(results)

    def _on_inspected(self, event: Inspected) -> None:
        card = event.card
        self.cards[card.feature] = card
        self._labels[card.feature] = card.label
        if event.id == self._inspect_id:
            self.card = card
            self.card_arrived.emit(card)
        if card.feature == self.shown_feature:
            self.heat_changed.emit()

    def _on_loaded(self, loaded: Loaded) -> None:
        if self.loaded is not None and self.loaded.sae != loaded.sae:
            self.cards.clear()
            self._labels.clear()
            self.clear_inspect()
        self.loaded = loaded
        self._show(self._desk())  # qualities found while the model was still loading belong to it
        strangers = [fader.label for fader in self.mix.faders if fader.feature.sae != loaded.sae]
        if strangers:
            self.notice_arrived.emit(
                self.tr("Made for another dictionary, so silent with this one: {0}.").format(", ".join(strangers))
            )
        self.search(self.query)
        self._look_at_shown()
        if self._go_on:
            self._go_on = False
            self.resume()

    def _on_failed(self, failed: Failed) -> None:
        """Reading and quiet inspecting may fail in silence; what the writer asked for may not."""
        self._reads.pop(failed.id, None)
        if failed.id in (self._search_id, self._inspect_id):
            self.notice_arrived.emit(failed.message)
        else:
            log.warning("Request %d failed: %s %s", failed.id, failed.message, failed.detail)
