"""The engine as a child process: start it, speak JSON lines with it, and say in a sentence how it ended.

Nothing else in the window knows that there is a process. ``EngineProcess`` owns the ``QProcess``, cuts its output into
messages (bytes first, so that a UTF-8 character split between two reads is never broken), keeps the last lines of its
log for the curious, and never blocks the window. It knows nothing of models, mixes or takes.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

from undersong.core import messages
from undersong.core.messages import PROTOCOL, TERMINAL, Event, Ready, Request, Stop, UnknownMessage
from undersong.core.paths import engine_command

log = logging.getLogger(__name__)

START_SECONDS = 90.0
"""Longest wait for the first word of the engine; importing torch from a cold disk takes a while."""
STOP_SECONDS = 5.0
"""Longest wait for a request to end after it was asked to stop."""
CLOSE_SECONDS = 1.0
"""Longest wait for the process to leave by itself after its input was closed."""
LOG_LINES = 100
LOG_BYTES = 1_000_000

_SIGNALS = {
    4: "It met an instruction this processor does not have.",
    6: "It gave up on an internal fault.",
    8: "It divided by zero.",
    9: "It was ended from outside, most often because the computer ran out of memory.",
    11: "It touched memory that was not its own.",
    15: "It was asked to end by the system.",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the engine process ended; ``str()`` is what to tell the writer."""

    why: str
    """What happened, in plain words, after “The engine stopped.”"""
    expected: bool = False
    """True when the window itself had asked for the end."""
    code: int = 0
    """Exit code, or the number of the signal that ended it."""
    log: str = ""
    """The last lines the engine wrote to its log."""

    def __str__(self) -> str:
        return f"The engine stopped. {self.why}"


class EngineProcess(QObject):
    """A running engine; one object may be started again after it has ended.

    Signals: ``event_arrived(Event)`` for every message but an ill-fitting Ready; ``ended(Outcome)`` exactly once for
    every start.
    """

    event_arrived = Signal(object)
    ended = Signal(object)

    def __init__(
        self,
        command: Sequence[str] = (),
        log_file: Path | None = None,
        start_seconds: float = START_SECONDS,
        stop_seconds: float = STOP_SECONDS,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._command = list(command) or engine_command()
        self._log_file = log_file
        self._stop_seconds = stop_seconds
        self._buffer = bytearray()
        self._log_tail = b""
        self._reason = ""
        self._closing = False
        self._stopping: set[int] = set()
        self._process: QProcess | None = None
        self._start_timer = self._single_shot(start_seconds, self._on_start_timeout)
        self._stop_timer = self._single_shot(stop_seconds, self._on_stop_timeout)

    @property
    def running(self) -> bool:
        """True from start() until the process has gone."""
        return self._process is not None

    @property
    def process_id(self) -> int:
        """The system's number of the process, 0 when there is none."""
        return int(self._process.processId()) if self._process is not None else 0

    @property
    def log(self) -> str:
        """The last hundred lines of the engine's log."""
        return "\n".join(self._log_tail.decode("utf-8", "replace").splitlines()[-LOG_LINES:])

    def start(self) -> None:
        """Start the engine; does nothing while one is running."""
        if self._process is not None:
            return
        self._buffer.clear()
        self._stopping.clear()
        self._reason, self._closing = "", False
        self._process = process = QProcess(self)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.SeparateChannels)
        process.readyReadStandardOutput.connect(self._on_output)
        process.readyReadStandardError.connect(self._on_log)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        self._trim_log_file()
        self._start_timer.start()
        process.start(self._command[0], self._command[1:])

    def send(self, request: Request) -> None:
        """Write one request; silently dropped when no engine is running, because its end was already told."""
        if self._process is None or self._closing:
            return
        if isinstance(request, Stop):
            self._stopping.add(request.id)
            self._stop_timer.start()
        self._process.write(messages.to_line(request).encode())

    def stop(self) -> None:
        """Ask the engine to leave by closing its input; kill it if it has not gone after a moment."""
        if self._process is None:
            return
        self._closing = True
        self._start_timer.stop()
        self._stop_timer.stop()
        self._process.closeWriteChannel()
        QTimer.singleShot(round(CLOSE_SECONDS * 1000), self._process, self._process.kill)

    def kill(self, reason: str = "") -> None:
        """End the process at once; ``reason`` becomes the outcome's ``why``."""
        if self._process is None:
            return
        self._reason = reason or self._reason
        self._process.kill()

    def close(self) -> None:
        """Leave no process behind: ask, wait a moment, then kill. For the very end, when the window has gone."""
        if self._process is None:
            return
        process = self._process
        self.stop()
        if not process.waitForFinished(round(CLOSE_SECONDS * 1000)):
            process.kill()
            process.waitForFinished()

    def _single_shot(self, seconds: float, slot: object) -> QTimer:
        timer = QTimer(self, singleShot=True, interval=round(seconds * 1000))
        timer.timeout.connect(slot)
        return timer

    def _on_output(self) -> None:
        if self._process is None:
            return
        self._buffer += bytes(self._process.readAllStandardOutput().data())
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = bytearray(rest)
        for line in lines:
            if line.strip():
                self._receive(line.decode("utf-8", "replace"))

    def _receive(self, line: str) -> None:
        try:
            event: Event = messages.parse_event(line)
        except UnknownMessage as unknown:
            log.warning("Ignored a line of the engine: %s", unknown)
            return
        if isinstance(event, Ready) and not self._fits(event):
            return
        if isinstance(event, TERMINAL):
            self._stopping.discard(event.id)
            if not self._stopping:
                self._stop_timer.stop()
        self.event_arrived.emit(event)

    def _fits(self, ready: Ready) -> bool:
        """Whether the engine speaks our protocol; if not, it is ended with a sentence."""
        self._start_timer.stop()
        if ready.protocol == PROTOCOL:
            return True
        self.kill(
            self.tr(
                "Its version {0} speaks protocol {1}, this window protocol {2}. "
                "Install both from the same version of Undersong."
            ).format(ready.version, ready.protocol, PROTOCOL)
        )
        return False

    def _on_log(self) -> None:
        if self._process is None:
            return
        written = bytes(self._process.readAllStandardError().data())
        self._log_tail = b"\n".join((self._log_tail + written).split(b"\n")[-LOG_LINES - 1 :])
        if self._log_file is None:
            return
        try:
            with self._log_file.open("ab") as file:
                file.write(written)
        except OSError as error:
            log.warning("The engine's log cannot be written: %s", error)
            self._log_file = None

    def _trim_log_file(self) -> None:
        """Start a new log file when the old one has grown long; the old one is kept beside it."""
        if self._log_file is None:
            return
        try:
            self._log_file.parent.mkdir(parents=True, exist_ok=True)
            if self._log_file.exists() and self._log_file.stat().st_size > LOG_BYTES:
                self._log_file.replace(self._log_file.with_suffix(".old.log"))
        except OSError as error:
            log.warning("The engine's log cannot be kept: %s", error)
            self._log_file = None

    def _on_start_timeout(self) -> None:
        self.kill(
            self.tr("It did not answer within {0} seconds and was ended.").format(
                round(self._start_timer.interval() / 1000)
            )
        )

    def _on_stop_timeout(self) -> None:
        self.kill(
            self.tr("It did not stop within {0} seconds when asked to, and was ended.").format(
                round(self._stop_seconds)
            )
        )

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._finish(self.tr("It could not be started: {0}").format(self._command[0]), code=-1)

    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._on_output()
        self._on_log()
        self._finish(self._why(code, status is QProcess.ExitStatus.CrashExit), code)

    def _why(self, code: int, crashed: bool) -> str:
        if self._reason:
            return self._reason
        if self._closing:
            return self.tr("It was closed.")
        if crashed:
            return _SIGNALS.get(code, self.tr("It was ended by signal {0}.").format(code))
        if code:
            return self.tr("It met an error it could not handle (exit code {0}).").format(code)
        return self.tr("It ended by itself.")

    def _finish(self, why: str, code: int) -> None:
        self._start_timer.stop()
        self._stop_timer.stop()
        self._stopping.clear()
        process, self._process = self._process, None
        if process is None:
            return
        process.deleteLater()
        self.ended.emit(Outcome(why, self._closing, code, self.log))
