"""Recipes: all that is needed to make a piece of text again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from undersong import __version__
from undersong.core.mixing import Mix
from undersong.core.sampling import Sampling


@dataclass(frozen=True, slots=True)
class Recipe:
    """What made a text: with the same opening it makes the same text again."""

    model: str
    """Name of the language model, as the engine reported it."""
    sae: str
    """Id of the SAE, as the engine reported it."""
    mix: Mix
    """The faders when the writing began."""
    sampling: Sampling
    """How words were drawn; holds the seed."""
    prompt_digest: str
    """``digest`` of the opening, to know it again without keeping it twice."""
    version: str = __version__
    """The version of Undersong that made the text."""


def digest(prompt: str) -> str:
    """Sixteen hexadecimal digits that stand for ``prompt`` (SHA-256, shortened)."""
    return hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()[:16]
