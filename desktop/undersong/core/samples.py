"""Sample openings, for whoever has none at hand."""

from __future__ import annotations

from undersong.core import paths


def openings() -> list[str]:
    """The openings that come along; in their file an empty line parts them."""
    text = paths.resource("samples", "openings.txt").read_text("utf-8")
    return [opening.strip() for opening in text.split("\n\n") if opening.strip()]
