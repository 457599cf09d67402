"""The engine as a child process of the terminal: start it, ask it, listen to its answers."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from undersong.core import messages as m
from undersong.core.errors import Crashed, ProtocolMismatch, TimedOut, UndersongError
from undersong.core.paths import engine_command

START_SECONDS = 90.0
"""Longest wait for the engine's first word."""
CLOSE_SECONDS = 2.0
"""Longest wait for the engine to leave when its input has ended."""
LOG_CHARACTERS = 2000


class EngineClient:
    """A running engine; use it as a context, and it is gone afterwards."""

    def __init__(self, command: Sequence[str] = ()) -> None:
        """Start the engine and wait until it listens; raises EngineError."""
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the engine writes to it)
        self._events: queue.SimpleQueue[m.Event | None] = queue.SimpleQueue()
        self._numbers = count(1)
        # A group of its own: Ctrl+C in the terminal must reach only us, so that the engine can stop in good order
        apart: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        self._process = subprocess.Popen(
            [*(command or engine_command())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            **apart,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        try:
            self._greet()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> EngineClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the engine: by closing its input, and if it stays, by force."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        try:
            self._process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join()
        self._stdout.close()
        self._log.close()

    def number(self) -> int:
        """A number for the next request."""
        return next(self._numbers)

    def send(self, request: m.Request) -> None:
        """Write one request; an engine that is gone is noticed by ``events``."""
        with contextlib.suppress(OSError):
            self._stdin.write(m.to_line(request).encode("utf-8", "surrogatepass"))
            self._stdin.flush()

    def events(self, id: int) -> Iterator[m.Event]:
        """What the engine says of request ``id``, up to the event that ends it; raises what went wrong."""
        while True:
            event = self._events.get()
            if event is None:
                raise self._crash()
            if event.id != id:
                continue
            if isinstance(event, m.Failed):
                raise UndersongError(event.message, event.detail)
            yield event
            if isinstance(event, m.TERMINAL):
                return

    def ask(self, request: m.Request) -> Any:
        """Send a request and wait for the event that ends it."""
        self.send(request)
        return list(self.events(request.id))[-1]

    @property
    def _stdin(self) -> Any:
        return self._process.stdin

    @property
    def _stdout(self) -> Any:
        return self._process.stdout

    def _listen(self) -> None:
        for line in self._stdout:
            with contextlib.suppress(m.UnknownMessage):  # a newer engine may say more than we know
                self._events.put(m.parse_event(line.decode("utf-8", "replace")))
        self._events.put(None)

    def _greet(self) -> None:
        try:
            ready = self._events.get(timeout=START_SECONDS)
        except queue.Empty:
            raise TimedOut(f"The engine did not answer within {START_SECONDS:.0f} seconds.", self._log_tail()) from None
        if ready is None:
            raise self._crash()
        if not isinstance(ready, m.Ready) or ready.protocol != m.PROTOCOL:
            raise ProtocolMismatch(
                f"The engine speaks another protocol than this program, which speaks {m.PROTOCOL}. "
                "Install both from the same version of Undersong."
            )

    def _crash(self) -> Crashed:
        code = self._process.wait()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return Crashed(f"The engine ended without being asked to ({how}). Start again.", self._log_tail())

    def _log_tail(self) -> str:
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace")[-LOG_CHARACTERS:]
