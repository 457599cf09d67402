"""Saving without being asked: everything within a second, so that neither process can lose a word by being killed."""

from __future__ import annotations

import logging

from PySide6.QtCore import QObject, QTimer, Signal

from undersong.core.errors import ProjectError
from undersong.core.project import SessionFile, SessionState

log = logging.getLogger(__name__)

SETTLE_MS = 400
"""Longest time between a change and its being written."""
RUNNING_MS = 800
"""The same for a text that is being written."""


class Autosave(QObject):
    """Writes a session state to its file soon after every change; without a file it does nothing.

    Signals: ``changed()`` when ``words`` or ``problem`` changed.
    """

    changed = Signal()

    def __init__(self, file: SessionFile | None, state: SessionState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.problem = ""
        """A sentence while saving fails, else empty."""
        self._file = file
        self._state = state
        self._whole = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._whole.timeout.connect(self.save)
        self._running = QTimer(self, singleShot=True, interval=RUNNING_MS)
        self._running.timeout.connect(self._save_running)

    @property
    def pending(self) -> bool:
        """True while a change waits to be written."""
        return self._whole.isActive()

    def touch(self) -> None:
        """Something changed; write the session soon."""
        if self._file is not None and not self._whole.isActive():
            self._whole.start()
            self.changed.emit()

    def touch_running(self) -> None:
        """The text being written has grown; write it soon."""
        if self._file is not None and not self._running.isActive():
            self._running.start()

    def save(self) -> None:
        """Write the whole session now; a failure becomes ``problem`` and is tried again at the next change."""
        self._whole.stop()
        self._running.stop()
        if self._file is None:
            return
        try:
            self._file.save(self._state)
        except ProjectError as error:
            self._fail(error)
        else:
            self.problem = ""
            self.changed.emit()

    def close(self) -> None:
        """Write the session for the last time and let go of its file."""
        self.save()
        if self._file is not None:
            self._file.close()
        self._file = None

    def _save_running(self) -> None:
        if self._file is None or self._state.running is None:
            return
        try:
            self._file.save_running(self._state.running)
        except ProjectError as error:
            self._fail(error)

    def _fail(self, error: ProjectError) -> None:
        log.warning("%s (%s)", error, error.detail)
        self.problem = str(error)
        self.changed.emit()
