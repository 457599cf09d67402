"""Reading sparse autoencoders from disk; each family has a module and one line in ``FAMILIES``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from undersong.core.errors import ModelNotFound, Unsupported
from undersong.engine.sae import Sae
from undersong.engine.sae_formats import sae_lens
from undersong.engine.sae_formats.source import Source


@dataclass(frozen=True, slots=True)
class Family:
    """One way of writing a sparse autoencoder to disk."""

    name: str
    """What its makers call it."""
    recognises: Callable[[Path], bool]
    """Whether a folder looks like this family, by the names of its files alone."""
    read: Callable[[Source], Sae]
    """Read the folder; raises ModelError with a sentence naming the file."""


FAMILIES = (Family("SAELens", sae_lens.recognises, sae_lens.read),)


def load_sae(path: Path | str, *, repo_id: str | None = None, norm_factor: float | None = None) -> Sae:
    """Load the dictionary in a folder, or the folder a file lies in; raises ModelNotFound, WrongSae or Unsupported.

    ``repo_id`` is the Hugging Face repository it came from, where known; ``norm_factor`` the input scale that some
    published dictionaries leave out of their files.
    """
    folder = Path(path)
    if folder.is_file():
        folder = folder.parent
    if not folder.is_dir():
        raise ModelNotFound(f"There is no dictionary at {folder}. Choose the folder that holds its files.")
    for family in FAMILIES:
        if family.recognises(folder):
            return family.read(Source(folder, repo_id, norm_factor))
    if not any(folder.iterdir()):
        raise ModelNotFound(f"The dictionary folder {folder} is empty.")
    known = ", ".join(family.name for family in FAMILIES)
    raise Unsupported(f"The files in {folder} are no dictionary of a kind this version can read ({known}).")
