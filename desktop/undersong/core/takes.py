"""Takes: the alternatives that were written for an opening, with what made them."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass, field, replace
from typing import Literal

from undersong.core.recipe import Recipe

TakeState = Literal["running", "whole", "stopped", "interrupted"]
NEWEST_TAKES = 200
"""So many takes are remembered, and beyond them every take the writer keeps."""


@dataclass(frozen=True, slots=True)
class PaneText:
    """What one pane of a take holds."""

    name: str
    """The pane's name: ``base``, ``mix``, …"""
    text: str = ""
    """The text after the opening."""
    reason: Literal["words", "end", "stopped", "context", ""] = ""
    """Why it ended; empty while it is being written or when it was interrupted."""


@dataclass(frozen=True, slots=True)
class Take:
    """One generated alternative: every pane's text and what made it."""

    opening: str
    """What the texts continue."""
    panes: tuple[PaneText, ...]
    """The texts, the base first."""
    recipe: Recipe
    """What makes this take again."""
    state: TakeState = "running"
    """``interrupted``: the engine or the window ended before it was whole."""
    kept: bool = False
    """The writer wants it kept for ever."""
    label: str = ""
    """The writer's name for it."""
    changes: tuple[int, ...] = ()
    """Steps at which the mix was moved while this was written; the recipe then makes only the beginning again."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    """Names this take for ever."""
    when: str = field(default_factory=lambda: datetime.datetime.now().astimezone().isoformat(timespec="seconds"))
    """When it was begun, ISO 8601 with the zone."""

    def interrupted(self) -> Take:
        """This take as it stands when whatever wrote it is gone."""
        return replace(self, state="interrupted")

    def length(self) -> int:
        """Characters in all panes."""
        return sum(len(pane.text) for pane in self.panes)


def remembered(takes: tuple[Take, ...]) -> tuple[Take, ...]:
    """The takes worth saving: the newest ``NEWEST_TAKES`` and all that are kept, oldest first as given."""
    recent = len(takes) - NEWEST_TAKES
    return tuple(take for i, take in enumerate(takes) if take.kept or i >= recent)
