"""A tiny language model with its dictionary, made once."""

from __future__ import annotations

import pytest

from tests.engine import tiny
from tests.engine.tiny import Folders
from undersong.engine.load import LanguageModel
from undersong.engine.sae import Sae


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A tiny model, dictionary and library on disk; not to be changed."""
    return tiny.make(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def model(folders: Folders) -> LanguageModel:
    """The tiny model."""
    return tiny.language_model(folders)


@pytest.fixture(scope="session")
def sae(folders: Folders) -> Sae:
    """Its dictionary."""
    return tiny.dictionary(folders)
