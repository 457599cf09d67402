"""The engine process: requests on stdin, events on stdout, one JSON line each; the log goes to stderr.

Three threads, so that nothing the writer does waits for something else. The main one reads requests, opens feature
libraries, and ends the process when its input ends. The *librarian* answers Search and Inspect, which need no model;
until a model is asked for, PyTorch is not even imported. The *desk* does everything with a model, one request at a
time; between two tokens it looks at what has arrived, moves faders, stops, and answers Read.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import queue
import sys
import threading
import traceback
from collections import deque
from typing import TYPE_CHECKING, BinaryIO

import undersong
from undersong.core import messages as m
from undersong.core.errors import EngineError, LibraryError, Stopped, UndersongError
from undersong.engine.library import FeatureLibrary

if TYPE_CHECKING:
    from undersong.engine.engine import Engine, Writing

log = logging.getLogger(__name__)

ENVIRONMENT = {
    # Threads that wait for work give their core up soon, or a busy machine becomes forty times slower
    "GOMP_SPINCOUNT": "1000",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
}


class Server:
    """Takes requests in and sends events out; owns the open feature library."""

    def __init__(self, out: BinaryIO) -> None:
        self.out = out
        self.sending = threading.Lock()
        self.library: FeatureLibrary | LibraryError = LibraryError("No feature library is open. Load a model first.")
        self.desk = Desk(self)
        self.lookups: queue.SimpleQueue[m.Search | m.Inspect] = queue.SimpleQueue()

    def send(self, event: m.Event) -> None:
        """Write one event."""
        line = m.to_line(event).encode()
        with self.sending:
            self.out.write(line)
            self.out.flush()

    def serve(self, lines: BinaryIO) -> None:
        """Announce the protocol and take requests until the end of input."""
        self.send(m.Ready(0, m.PROTOCOL, undersong.__version__))
        for work in (self.desk.work, self.answer_lookups):
            threading.Thread(target=work, daemon=True).start()
        for line in lines:
            try:
                self.receive(m.parse_request(line.decode("utf-8", "replace")))
            except m.UnknownMessage as problem:
                self.send(m.Failed(problem.id, "unknown", str(problem)))

    def receive(self, request: m.Request) -> None:
        """Give a request to the thread it is for."""
        if isinstance(request, (m.Search, m.Inspect)):
            self.lookups.put(request)
            return
        if isinstance(request, m.Load):
            self.open_library(request)
        self.desk.inbox.put(request)

    def open_library(self, request: m.Load) -> None:
        """Open the library of a model at once, so that the writer can search while the model loads."""
        if not request.library:
            self.library = LibraryError("This model has no feature library, so its qualities cannot be searched.")
            return
        try:
            self.library = FeatureLibrary.open(request.library)
        except LibraryError as error:
            self.library = error
            self.send(m.Notice(request.id, str(error)))

    def answer_lookups(self) -> None:
        """What the librarian does all day."""
        while True:
            request = self.lookups.get()
            try:
                self.send(self.looked_up(request))
            except Exception as error:  # the thread must live on
                self.send(failure(request.id, error))

    def looked_up(self, request: m.Search | m.Inspect) -> m.Event:
        """The answer of the library; raises LibraryError if there is none."""
        library = self.library
        if isinstance(library, LibraryError):
            raise LibraryError(str(library), library.detail)
        if isinstance(request, m.Search):
            return library.search(request.query, request.limit, request.id)
        return m.Inspected(request.id, library.card(request.feature))


class Desk:
    """Does the work that needs a model, one request at a time."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.inbox: queue.SimpleQueue[m.Request] = queue.SimpleQueue()
        self.waiting: deque[m.Request] = deque()
        self.engine: Engine | None = None

    def work(self) -> None:
        """Take one request after the other, for ever."""
        while True:
            self.attempt(self.waiting.popleft() if self.waiting else self.inbox.get())

    def attempt(self, request: m.Request) -> None:
        """Carry a request out; whatever goes wrong becomes its Failed."""
        try:
            if isinstance(request, m.Load):
                self.load(request)
            elif isinstance(request, m.Generate):
                self.generate(request)
            elif isinstance(request, m.Read):
                self.server.send(self.ready_engine().read(request))
            elif isinstance(request, m.Unload):
                self.ready_engine().unload()
                self.server.send(m.Unloaded(request.id))
            # Levels, Watch and Stop that come too late have nothing to act on
        except Exception as error:  # the one place where anything at all becomes a sentence
            self.server.send(failure(request.id, error))

    def ready_engine(self) -> Engine:
        """The engine; importing PyTorch waits until it is needed first."""
        if self.engine is None:
            from undersong.engine.engine import Engine

            self.engine = Engine()
        return self.engine

    def load(self, request: m.Load) -> None:
        """Load a model; a Stop that arrives meanwhile acts at the next stage."""

        def report(stage: str, fraction: float) -> None:
            self.server.send(m.Progress(request.id, stage, fraction))
            if any(isinstance(r, m.Stop) for r in self.arrived(request.id)):
                raise Stopped("Loading was stopped.")

        report("Waking PyTorch", 0.0)
        engine = self.ready_engine()
        library = self.server.library
        self.server.send(engine.load(request, 0 if isinstance(library, LibraryError) else library.size, report))

    def generate(self, request: m.Generate) -> None:
        """Write, looking between two tokens at what has arrived."""
        writing = self.ready_engine().write(request)
        self.listen(writing)
        for event in writing.events():
            self.server.send(event)
            self.listen(writing)

    def listen(self, writing: Writing) -> None:
        """Let requests to the writing act and answer Read requests; the rest waits."""
        for request in self.arrived(writing.request.id):
            try:
                writing.turn(request)
            except UndersongError as error:
                self.server.send(m.Notice(request.id, str(error)))
        for request in [r for r in self.waiting if isinstance(r, m.Read)]:
            self.waiting.remove(request)
            self.attempt(request)

    def arrived(self, id: int) -> list[m.Levels | m.Watch | m.Stop]:
        """Requests without a reply of their own that speak to request ``id``, taken out of what waits."""
        while not self.inbox.empty():
            self.waiting.append(self.inbox.get())
        found = [r for r in self.waiting if r.id == id and isinstance(r, (m.Levels, m.Watch, m.Stop))]
        for request in found:
            self.waiting.remove(request)
        return found


def failure(id: int, error: Exception) -> m.Failed:
    """An exception as the event that ends its request."""
    trace = "".join(traceback.format_exception(error))
    if not isinstance(error, UndersongError):
        log.error("request %s: %s", id, trace)
        if "torch" in sys.modules:
            from undersong.engine.memory import as_out_of_memory

            error = as_out_of_memory(error) or error
    if isinstance(error, UndersongError):
        return m.Failed(id, error.code, str(error), error.detail)
    sentence = "The engine met something it did not expect and gave this up. The details say what; please report them."
    return m.Failed(id, EngineError.code, sentence, trace)


def main() -> int:
    """Run the engine process on stdin and stdout."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints goes to the log, not between the events
    faulthandler.enable(sys.stderr)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        Server(out).serve(sys.stdin.buffer)
    except BrokenPipeError:
        log.warning("the window has gone")
    os._exit(0)  # at once, also in the middle of a forward pass: there is nothing to save here
