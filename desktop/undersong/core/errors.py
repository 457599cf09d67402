"""What can go wrong, as a tree; every message is a sentence the writer can act on.

UndersongError
├── ProjectError            the writer's files
│   ├── ProjectLocked       another window has them open
│   └── ProjectDamaged      a file cannot be read; it was set aside
├── ModelError              a model or its dictionary
│   ├── ModelNotFound       a folder or file is missing or incomplete
│   ├── WrongSae            the dictionary does not belong to the model
│   ├── WontFit             not enough memory
│   └── Unsupported         a kind of model or dictionary this version cannot use
├── RequestError            a request asks for something that is not there (a feature number, an empty opening)
├── EngineError             the engine process
│   ├── OutOfMemory
│   ├── Crashed
│   ├── TimedOut
│   ├── Stopped             the writer stopped a load; not an error to show
│   └── ProtocolMismatch
└── LibraryError            the feature library

``code`` is what crosses the process boundary; ``detail`` is for the curious and for bug reports.
"""

from __future__ import annotations


class UndersongError(Exception):
    """Base of everything Undersong raises on purpose; ``str()`` is the sentence, ``detail`` the small print."""

    code = "error"

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class ProjectError(UndersongError):
    """The writer's files cannot be read or written."""

    code = "project"


class ProjectLocked(ProjectError):
    """Another window has the session open."""

    code = "project_locked"


class ProjectDamaged(ProjectError):
    """A session file cannot be read and was set aside."""

    code = "project_damaged"


class ModelError(UndersongError):
    """A model or its dictionary cannot be used."""

    code = "model"


class ModelNotFound(ModelError):
    """A model folder or one of its files is missing or incomplete."""

    code = "model_not_found"


class WrongSae(ModelError):
    """The dictionary was made for another model or another place in it."""

    code = "wrong_sae"


class WontFit(ModelError):
    """The model needs more memory than there is."""

    code = "wont_fit"


class Unsupported(ModelError):
    """A kind of model or dictionary that this version cannot use."""

    code = "unsupported"


class RequestError(UndersongError):
    """A request asks for something that is not there."""

    code = "request"


class EngineError(UndersongError):
    """The engine process failed."""

    code = "engine"


class OutOfMemory(EngineError):
    """The engine ran out of memory and gave the work up."""

    code = "out_of_memory"


class Crashed(EngineError):
    """The engine process ended without being asked to."""

    code = "crashed"


class TimedOut(EngineError):
    """The engine did not answer in time."""

    code = "timed_out"


class Stopped(EngineError):
    """The writer stopped the loading of a model; the window need not show it."""

    code = "stopped"


class ProtocolMismatch(EngineError):
    """Window and engine speak different versions of the protocol."""

    code = "protocol_mismatch"


class LibraryError(UndersongError):
    """The feature library is missing or damaged."""

    code = "library"
