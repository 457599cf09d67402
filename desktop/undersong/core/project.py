"""The writer's session on disk; the only module that writes it.

A session folder holds ``session.json``, ``running.json`` (the take being written: small, so it is saved each second),
``backups/`` (the newest three and the last of each of the past days) and ``lock``. Every file is replaced at one
stroke, so a process may be killed at any moment. A file that cannot be read is set aside, never deleted.
"""

from __future__ import annotations

import contextlib
import datetime
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from undersong.core.errors import ProjectError
from undersong.core.files import FolderLock, set_aside, write_whole
from undersong.core.mixing import Mix
from undersong.core.plain import from_plain, to_plain
from undersong.core.sampling import Sampling
from undersong.core.story import Story
from undersong.core.takes import Take, remembered

T = TypeVar("T")

VERSION = 1
NEWEST_BACKUPS = 3
DAILY_BACKUPS = 14
BACKUP_EVERY = datetime.timedelta(minutes=10)

MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""Version → function that turns a state of that version into one of the next."""


@dataclass(slots=True)
class SessionState:
    """All that the window shows and must show again at the next start; changes over time."""

    title: str = "Untitled"
    """The story's name."""
    story: Story = field(default_factory=Story)
    """The opening, with the origins of its words."""
    mix_a: Mix = field(default_factory=Mix)
    """The one mix."""
    mix_b: Mix = field(default_factory=Mix)
    """The other, to compare with."""
    which: Literal["a", "b"] = "a"
    """Which of the two is on the desk."""
    takes: tuple[Take, ...] = ()
    """Oldest first."""
    shown: str = ""
    """Id of the take on show; empty when there is none."""
    running: Take | None = None
    """The take being written."""
    sampling: Sampling = field(default_factory=Sampling)
    """How words are drawn."""
    seed_locked: bool = False
    """True: each generation uses the same seed; False: each draws a new one."""
    query: str = ""
    """What stands in the search field."""
    model: str = ""
    """Folder of the language model; empty for the starter."""
    sae: str = ""
    """Folder of the SAE; empty for the starter's."""
    library: str = ""
    """Feature library; empty for the starter's."""
    heat_shown: bool = True
    """Colour words by how strongly the chosen quality shows."""
    link_panes: bool = True
    """Scroll both panes together."""
    layout: dict[str, str] = field(default_factory=dict)
    """Window geometry and splitters by name, base64."""

    @property
    def opening(self) -> str:
        """The opening's text; setting it keeps the origins of what did not change."""
        return self.story.text

    @opening.setter
    def opening(self, text: str) -> None:
        self.story.rewrite(text)

    @property
    def mix(self) -> Mix:
        """The mix on the desk."""
        return self.mix_a if self.which == "a" else self.mix_b

    @mix.setter
    def mix(self, mix: Mix) -> None:
        if self.which == "a":
            self.mix_a = mix
        else:
            self.mix_b = mix


class SessionFile:
    """The session in a folder, held by one process at a time."""

    def __init__(self, folder: Path) -> None:
        """Lock ``folder``, creating it if need be; raises ProjectLocked or ProjectError."""
        self.folder = folder
        self._path = folder / "session.json"
        self._running = folder / "running.json"
        self._backups = folder / "backups"
        self._lock = FolderLock(folder)
        self._refused: ProjectError | None = None
        for left_over in folder.glob(".*.part"):
            left_over.unlink(missing_ok=True)

    def close(self) -> None:
        """Let another process have the session."""
        self._lock.release()

    def load(self) -> tuple[SessionState, str]:
        """The session and a sentence about anything unusual; a damaged file is set aside and a backup taken.

        Raises ProjectError when a newer Undersong wrote the session, or it may not be read: it is left alone.
        """
        notices: list[str] = []
        try:
            state = self._read_or_recover(notices)
            cut_short = self._cut_short(state, notices)
        except ProjectError as error:
            self._refused = error
            raise
        if cut_short:
            state.takes = (*state.takes, cut_short.interrupted())
            state.shown = cut_short.id
            notices.append("The last text was interrupted while it was being written; what there was of it is kept.")
        state.running = None
        return state, " ".join(notices)

    def save(self, state: SessionState) -> None:
        """Write the whole session; raises ProjectError, and then what was saved before is untouched."""
        if self._refused:
            raise self._refused
        with contextlib.suppress(OSError, ProjectError):  # the words come first; the next save tries again
            self._back_up()
        state = replace(state, takes=remembered(state.takes))
        write_whole(self._path, _to_bytes(state))
        with contextlib.suppress(OSError):  # left behind it does no harm: its take is known
            self._running.unlink(missing_ok=True)

    def save_running(self, take: Take) -> None:
        """Write only the take that is being written: quick enough for every second; ``save`` supersedes it."""
        if self._refused:
            raise self._refused
        write_whole(self._running, _to_bytes(take))

    def _read_or_recover(self, notices: list[str]) -> SessionState:
        if not self._path.exists():
            return SessionState()
        try:
            return _read(SessionState, self._path)
        except ValueError as error:
            reason = str(error)
        aside = set_aside(self._path)
        notices.append(f"The saved session could not be read ({reason}) and was set aside as {aside}.")
        for backup in reversed(self._backup_files()):
            try:
                state = _read(SessionState, backup)
            except (ValueError, ProjectError):
                continue
            when = _when(backup).strftime("%d %B %Y, %H:%M").lstrip("0")
            notices.append(f"The backup of {when} was opened instead.")
            return state
        notices.append("There was no backup to open, so this is a new session.")
        return SessionState()

    def _cut_short(self, state: SessionState, notices: list[str]) -> Take | None:
        """The take that was being written when the last process ended, in its longest form."""
        found = [state.running] if state.running else []
        if self._running.exists():
            try:
                found.append(_read(Take, self._running))
            except ValueError as error:
                aside = set_aside(self._running)
                notices.append(f"The text that was being written could not be read ({error}); it is in {aside}.")
        known = {take.id for take in state.takes}
        return max((take for take in found if take.id not in known), key=Take.length, default=None)

    def _backup_files(self) -> list[Path]:
        """Oldest first; their names are their times."""
        return sorted(self._backups.glob("session-*.json"))

    def _back_up(self) -> None:
        """Keep the present file if the newest backup is old; thin the backups out."""
        now = datetime.datetime.now()
        kept = self._backup_files()
        if not self._path.exists() or (kept and abs(now - _when(kept[-1])) < BACKUP_EVERY):
            return
        self._backups.mkdir(exist_ok=True)
        write_whole(self._backups / f"session-{now:%Y-%m-%d-%H%M%S}.json", self._path.read_bytes())
        kept = self._backup_files()
        last_of_day = {_when(path).date(): path for path in kept}
        wanted = {*kept[-NEWEST_BACKUPS:], *list(last_of_day.values())[-DAILY_BACKUPS:]}
        for path in kept:
            if path not in wanted:
                path.unlink(missing_ok=True)


def _when(backup: Path) -> datetime.datetime:
    """The time in a backup's name; the beginning of time if someone renamed it."""
    try:
        return datetime.datetime.strptime(backup.stem, "session-%Y-%m-%d-%H%M%S")
    except ValueError:
        return datetime.datetime.min


def _to_bytes(value: SessionState | Take) -> bytes:
    # Text pasted from elsewhere may hold half a surrogate pair: it is kept as it is rather than lost
    try:
        whole = {"format": "undersong", "version": VERSION, "state": to_plain(value)}
    except ValueError as error:
        raise ProjectError(f"The session cannot be saved: {error}. What was saved before is untouched.") from error
    return json.dumps(whole, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass")


def _read(kind: type[T], path: Path) -> T:
    """What a file of this folder holds; raises ValueError if it is damaged, ProjectError if it is not for us."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ProjectError(f"{path} may not be read: {error.strerror}. It was left as it is.", str(error)) from error
    try:
        whole = json.loads(content.decode("utf-8", "surrogatepass"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as error:
        raise ValueError("it is not whole" if content else "it is empty") from error
    if not isinstance(whole, dict) or not isinstance(whole.get("version"), int) or "state" not in whole:
        raise ValueError("it is not a session of Undersong")
    if whole["version"] > VERSION:
        raise ProjectError(
            f"{path} was written by a newer Undersong (format {whole['version']}; this one reads up to {VERSION}). "
            "It was left as it is; open it with the newer version, or set UNDERSONG_HOME to another folder."
        )
    plain = whole["state"]
    for version in range(whole["version"], VERSION):
        plain = MIGRATIONS[version](plain)
    return from_plain(kind, plain)
