"""Files that are either the old one or the new one, never half of each; and a lock that dies with its process."""

from __future__ import annotations

import contextlib
import datetime
import os
from pathlib import Path

from undersong.core.errors import ProjectError, ProjectLocked


def write_whole(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content`` at one stroke, raises ProjectError, the old one untouched."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(beside, path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise ProjectError(
            f"{path.name} could not be saved in {path.parent}: {error.strerror}. What was saved before is untouched. "
            "Make room there or allow writing, and saving goes on by itself.",
            str(error),
        ) from error


def _sync_folder(folder: Path) -> None:
    """Make a rename last; Windows does this by itself and has no way to ask."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def set_aside(path: Path) -> str:
    """Rename a damaged file to ``name.damaged-DATE.suffix`` beside itself; returns the new name."""
    stamp = datetime.datetime.now().strftime("%Y-%m-%d-%H%M%S-%f")
    aside = path.with_name(f"{path.stem}.damaged-{stamp}{path.suffix}")
    try:
        path.rename(aside)
    except OSError as error:
        raise ProjectError(
            f"{path} is damaged and could not be set aside: {error.strerror}. Move it away yourself and start again.",
            str(error),
        ) from error
    return aside.name


class FolderLock:
    """Holds a folder for this process until ``release`` or the end of the process, however it ends."""

    def __init__(self, folder: Path) -> None:
        """Create the folder if need be and lock it; raises ProjectLocked or ProjectError."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = open(folder / "lock", "a+b")  # noqa: SIM115 (stays open as long as the lock is held)
        except OSError as error:
            raise ProjectError(
                f"Nothing can be saved in {folder}: {error.strerror}. "
                "Allow writing there, or name another folder in UNDERSONG_HOME.",
                str(error),
            ) from error
        if not _try_lock(self._file.fileno()):
            self._file.close()
            raise ProjectLocked(
                "Undersong is already open with this session. Use that window, or close it and start again. "
                "To work on something else beside it, set UNDERSONG_HOME to another folder.",
                str(folder),
            )

    def release(self) -> None:
        """Let others have the folder; does nothing the second time."""
        self._file.close()


if os.name == "nt":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
