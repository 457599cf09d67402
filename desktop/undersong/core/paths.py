"""Where things lie and how they start; the one place that knows the layouts: checkout, wheel, frozen bundle."""

from __future__ import annotations

import os
import sys
from pathlib import Path

APPLICATION = "undersong"


def root() -> Path:
    """The folder that holds ``resources`` and ``models``: frozen bundle, installed package, or checkout."""
    if getattr(sys, "frozen", False):
        return Path(getattr(sys, "_MEIPASS", Path(sys.executable).parent))
    package = Path(__file__).resolve().parents[1]
    return package if (package / "resources").is_dir() else package.parents[1]


def resource(*parts: str) -> Path:
    """A file under ``resources``."""
    return root().joinpath("resources", *parts)


def starter() -> Path:
    """The bundled starter: ``language_model``, ``sae`` and ``library.sqlite`` lie in it."""
    return root() / "models" / "starter"


def engine_command() -> list[str]:
    """The command that starts the engine of this installation."""
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "undersong"]
    return [*program, "engine"]


def data_folder() -> Path:
    """Where the writer's session is kept; ``UNDERSONG_HOME`` overrides. Not created here."""
    if chosen := os.environ.get("UNDERSONG_HOME"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", Path.home() / "AppData/Roaming")) / "Undersong"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/Undersong"
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local/share")) / APPLICATION


def log_folder() -> Path:
    """Where the engine's log goes."""
    return data_folder() / "logs"
