"""Asking for a model folder and its dictionary; whether they are any good is for the engine to say."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from undersong.ui.session import ModelChoice

LIBRARY = "library.sqlite"


def ask_for_model(parent: QWidget) -> ModelChoice | None:
    """The folders the writer chooses, or None when they think better of it."""
    chosen = QFileDialog.getExistingDirectory(parent, parent.tr("Folder of the language model"))
    if not chosen:
        return None
    folder = Path(chosen)
    if (folder / "language_model").is_dir() and (folder / "sae").is_dir():
        return ModelChoice(str(folder / "language_model"), str(folder / "sae"), library_in(folder))
    sae = QFileDialog.getExistingDirectory(
        parent, parent.tr("Folder of its dictionary (sparse autoencoder)"), str(folder.parent)
    )
    if not sae:
        return None
    return ModelChoice(str(folder), sae, library_in(Path(sae)) or library_in(Path(sae).parent))


def library_in(folder: Path) -> str:
    """The feature library in a folder, or nothing."""
    return str(folder / LIBRARY) if (folder / LIBRARY).is_file() else ""
