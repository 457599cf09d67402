"""The writer's settings, one small TOML file that may be edited by hand."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from undersong.core.errors import ProjectError
from undersong.core.files import set_aside, write_whole
from undersong.core.plain import from_plain


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for every session."""

    theme: Literal["system", "light", "dark"] = "system"
    """The window's colours."""
    prose_size: int = 17
    """Size of the writing in pixels, 10 … 40."""
    threads: int = 0
    """Processor cores the engine may use; 0 leaves one free for the window."""
    motion: bool = True
    """Let things fade in and out."""

    def problem(self) -> str:
        """A sentence about the first setting out of range, or an empty string."""
        if not 10 <= self.prose_size <= 40:
            return "prose_size must lie between 10 and 40"
        if not 0 <= self.threads <= 1024:
            return "threads must be 0 (leave one free) or a number of cores"
        return ""


def load_settings(path: Path) -> tuple[Settings, str]:
    """The settings in ``path`` and a sentence if they could not be read; such a file is set aside.

    Raises ProjectError when the file may not be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Settings(), ""
    except OSError as error:
        raise ProjectError(f"{path} may not be read: {error.strerror}.", str(error)) from error
    try:
        settings = from_plain(Settings, tomllib.loads(content.decode()))
        if problem := settings.problem():
            raise ValueError(problem)
    except ValueError as error:
        return Settings(), f"The settings could not be read ({error}); they were set aside as {set_aside(path)}."
    return settings, ""


def save_settings(path: Path, settings: Settings) -> None:
    """Write the settings; raises ProjectError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProjectError(f"No settings can be saved in {path.parent}: {error.strerror}.", str(error)) from error
    # For texts, whole numbers, true and false, JSON's notation is TOML's
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in asdict(settings).items()]
    write_whole(path, "".join(lines).encode())
