"""Speaks the protocol with an engine process, real or scripted, as the window would."""

from __future__ import annotations

import os
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, TypeVar

from undersong.core import messages as m

LONGEST_WAIT = 120.0
"""Seconds after which a silent engine fails a test; importing PyTorch takes long on a busy machine."""

E = TypeVar("E")


@dataclass
class Client:
    """One engine process; every event it ever sent is in ``seen``, in order."""

    process: subprocess.Popen[bytes]
    sae: str = ""
    """Id of the loaded dictionary."""
    features: int = 0
    """How many features it has."""
    load_fields: dict[str, str] = field(default_factory=dict)
    """What a good Load request names."""
    seen: list[m.Event] = field(default_factory=list)
    arriving: queue.SimpleQueue[m.Event | None] = field(default_factory=queue.SimpleQueue)
    listener: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()

    @classmethod
    def start(cls, command: list[str], **environment: str) -> Client:
        """Start an engine."""
        everything = os.environ | {"OMP_NUM_THREADS": "1"} | environment
        pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
        return cls(subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere, env=everything))

    def listen(self) -> None:
        """Parse every line as strictly as the window does; None says that there will be no more."""
        for line in self.output:
            self.arriving.put(m.parse_event(line.decode("utf-8")))
        self.arriving.put(None)

    @property
    def input(self) -> IO[bytes]:
        """Where requests go."""
        assert self.process.stdin is not None
        return self.process.stdin

    @property
    def output(self) -> IO[bytes]:
        """Where events come from."""
        assert self.process.stdout is not None
        return self.process.stdout

    def send(self, *requests: m.Request) -> None:
        """Send requests in one go."""
        self.send_lines(*(m.to_line(request) for request in requests))

    def send_lines(self, *lines: str) -> None:
        """Send anything."""
        self.input.write("".join(lines).encode("utf-8"))
        self.input.flush()

    def events(self) -> Iterator[m.Event]:
        """Events as they come, until the engine's output ends."""
        while (event := self.arriving.get(timeout=LONGEST_WAIT)) is not None:
            self.seen.append(event)
            yield event

    def until(self, wanted: Callable[[m.Event], bool]) -> m.Event:
        """The first new event for which ``wanted`` holds."""
        return next(event for event in self.events() if wanted(event))

    def wait(self, kind: type[E], id: int) -> E:
        """The first new event of a kind for a request."""
        event = self.until(lambda event: isinstance(event, kind) and event.id == id)
        assert isinstance(event, kind)
        return event

    def ask(self, request: m.Request) -> m.Event:
        """Send a request and wait for the event that ends it."""
        self.send(request)
        return self.until(lambda event: event.id == request.id and isinstance(event, m.TERMINAL))

    def of(self, id: int) -> list[m.Event]:
        """Everything seen so far for a request."""
        return [event for event in self.seen if event.id == id]

    def texts(self, id: int) -> list[str]:
        """The joined texts of a generation's panes."""
        return ["".join(row) for row in zip(*(e.texts for e in self.of(id) if isinstance(e, m.Tokens)), strict=True)]

    def load(self) -> m.Loaded:
        """Load the good model and remember what it is."""
        loaded = self.ask(m.Load(1, **self.load_fields, device="cpu"))
        assert isinstance(loaded, m.Loaded), loaded
        self.sae, self.features = loaded.sae, loaded.d_sae
        return loaded

    def close(self) -> None:
        """End it, whatever state it is in."""
        self.process.kill()
        self.process.wait()
        self.listener.join()
        self.input.close()
        self.output.close()
