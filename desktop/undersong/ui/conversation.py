"""What the window and its engine say to each other: numbers requests, follows the engine's state, starts it again.

``Conversation`` owns the state machine (starting, loading, ready, stopped, no model) and the rules about crashes: the
engine is started again by itself once when it dies while idle, never after a second crash within a minute, and never
is the request repeated that was running when it died. It knows nothing of mixes, takes or searching: every event that
does not change its state is passed on.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal

from PySide6.QtCore import QObject, Signal

from undersong.core.messages import Event, Failed, Load, Loaded, Notice, Progress, Ready, Request
from undersong.ui.engine_process import EngineProcess, Outcome

CALM_SECONDS = 60.0
"""Two crashes within this time are one too many: the engine stays stopped until the writer restarts it."""


class EngineState(Enum):
    """What the engine can do now."""

    STARTING = auto()
    LOADING = auto()
    READY = auto()
    STREAMING = auto()
    STOPPED = auto()
    """It crashed or is not running."""
    NO_MODEL = auto()
    """It runs, but has nothing to write with."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Something went wrong that stays on screen until it is dealt with."""

    kind: Literal["crashed", "load", "writing"]
    """What failed: the process, loading a model, or a generation."""
    message: str
    """A sentence for the writer."""
    advice: str = ""
    """A second sentence: why, or what to do next."""
    detail: str = ""
    """The small print: the engine's log or trace."""
    can_continue: bool = False
    """True when a text was cut short that can go on after a restart."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model to load, as folders on this computer."""

    model: str
    """Folder in Hugging Face form."""
    sae: str
    """Folder or file of the dictionary."""
    library: str = ""
    """Feature library, or empty."""


class Conversation(QObject):
    """The talk with one engine, restarts included; without an engine every request goes nowhere.

    Signals: ``state_changed()``; ``event_arrived(Event)`` for events that are not about the state;
    ``broke_off(Outcome)`` when the process has gone unasked, before the state says so.
    """

    state_changed = Signal()
    event_arrived = Signal(object)
    progress_changed = Signal(object)
    failure_changed = Signal(object)
    broke_off = Signal(object)

    def __init__(self, engine: EngineProcess | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = EngineState.NO_MODEL if engine is None else EngineState.STARTING
        self.loaded: Loaded | None = None
        self.failure: Failure | None = None
        self.progress: Progress | None = None
        self.version = ""
        self._engine = engine
        self._choice: ModelChoice | None = None
        self._greeted = False
        self._last_id = 0
        self._load_id = 0
        self._load_began = 0.0
        self._last_crash = float("-inf")
        if engine is not None:
            engine.event_arrived.connect(self._on_event)
            engine.ended.connect(self._on_ended)

    @property
    def log(self) -> str:
        """The last lines of the engine's log."""
        return self._engine.log if self._engine is not None else ""

    @property
    def process_id(self) -> int:
        """The system's number of the engine process, 0 when there is none."""
        return self._engine.process_id if self._engine is not None else 0

    def next_id(self) -> int:
        """A number for the next request."""
        self._last_id += 1
        return self._last_id

    def say(self, request: Request) -> None:
        """Send a request."""
        if self._engine is not None:
            self._engine.send(request)

    def load(self, choice: ModelChoice) -> None:
        """Load a model now or, while the engine is still starting, as soon as it listens."""
        self._choice = choice
        if self._engine is None or not self._engine.running or not self._greeted:
            return
        self._load_id = self.next_id()
        self._load_began = time.monotonic()
        self.loaded, self.progress = None, None
        self._set_failure(None)
        self._enter(EngineState.LOADING)
        self.say(Load(self._load_id, choice.model, choice.sae, choice.library))

    def start_again(self) -> None:
        """Start the engine if it is not running; load the chosen model again."""
        if self._engine is None:
            return
        self._set_failure(None)
        if self._engine.running:
            if self._choice is not None:
                self.load(self._choice)
            return
        self._greeted = False
        self._enter(EngineState.STARTING)
        self._engine.start()

    def kill(self, reason: str) -> None:
        """End the engine at once; the rest happens as after a crash, with ``reason`` as its sentence."""
        if self._engine is not None:
            self._engine.kill(reason)

    def set_streaming(self, streaming: bool) -> None:
        """Enter or leave the streaming state."""
        if self.state in (EngineState.READY, EngineState.STREAMING):
            self._enter(EngineState.STREAMING if streaming else EngineState.READY)

    def fail(self, failure: Failure | None) -> None:
        """Show a failure, or clear it."""
        self._set_failure(failure)

    def close(self) -> None:
        """End the engine for good; the conversation stays silent from here on."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.event_arrived.disconnect(self._on_event)
            engine.ended.disconnect(self._on_ended)
            engine.close()

    @property
    def seconds_left(self) -> int:
        """About how long loading still takes; -1 when that is not known."""
        if self.state is not EngineState.LOADING or self.progress is None or self.progress.fraction < 0.05:
            return -1
        spent = time.monotonic() - self._load_began
        return max(1, round(spent * (1 - self.progress.fraction) / self.progress.fraction))

    def _enter(self, state: EngineState) -> None:
        if state is not self.state:
            self.state = state
            self.state_changed.emit()

    def _set_failure(self, failure: Failure | None) -> None:
        if failure != self.failure:
            self.failure = failure
            self.failure_changed.emit(failure)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Ready):
            self._greeted, self.version = True, event.version
            if self._choice is not None:
                self.load(self._choice)
            else:
                self._enter(EngineState.NO_MODEL)
        elif isinstance(event, Progress) and event.id == self._load_id:
            self.progress = event
            self.progress_changed.emit(event)
        elif isinstance(event, Loaded) and event.id == self._load_id:
            # Whoever hears of the new state should find the session ready for it
            self.loaded, self.state = event, EngineState.READY
            self.event_arrived.emit(event)
            self.state_changed.emit()
        elif isinstance(event, Failed) and event.id == self._load_id:
            self._enter(EngineState.NO_MODEL)
            self._set_failure(Failure("load", event.message, detail=event.detail))
        else:
            self.event_arrived.emit(event)

    def _on_ended(self, outcome: Outcome) -> None:
        now = time.monotonic()
        again = now - self._last_crash < CALM_SECONDS
        self._last_crash = now
        was, self.loaded, self.progress, self._greeted = self.state, None, None, False
        self.broke_off.emit(outcome)
        if was is EngineState.READY and not again and self._engine is not None:
            self.event_arrived.emit(Notice(0, self.tr("{0} It was started again; nothing was lost.").format(outcome)))
            self._enter(EngineState.STARTING)
            self._engine.start()
            return
        self._enter(EngineState.STOPPED)
        streaming = was is EngineState.STREAMING
        message = self.tr("The engine stopped. Your text and mix are safe.")
        self._set_failure(Failure("crashed", message, outcome.why, outcome.log, streaming))
