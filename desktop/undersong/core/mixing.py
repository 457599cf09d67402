"""Faders and mixes: what the writer sets, and the raw coefficients that come of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Op = Literal["add", "ablate"]
OPS: tuple[Op, ...] = ("add", "ablate")
MOST_LEVEL = 2.0
"""Overdrive: a fader reaches this far on both sides."""
MOST_MASTER = 1.5
"""The whole-mix fader reaches this far."""


@dataclass(frozen=True, slots=True)
class FeatureRef:
    """Which feature of which sparse autoencoder."""

    sae: str
    """The SAE's id, as the engine reported it when it was loaded."""
    index: int
    """Row of the decoder."""


@dataclass(frozen=True, slots=True)
class Fader:
    """One channel of a mix."""

    feature: FeatureRef
    """The feature it moves."""
    level: float = 0.0
    """-2 … 2; 1.0 is the end of the feature's strong zone, or half the median residual norm until that is measured."""
    op: Op = "add"
    """``add`` adds level × unit × direction; ``ablate`` takes the feature's own activation out, whatever the level."""
    unit: float = 1.0
    """Raw coefficient of level 1.0 when the level was set: keeps recipes exact for ever."""
    label: str = ""
    """The feature's name when it was added, for people."""
    muted: bool = False
    """Leave this channel out."""
    soloed: bool = False
    """Hear only soloed channels."""


@dataclass(frozen=True, slots=True)
class Mix:
    """A set of faders and the whole-mix level."""

    name: str = "Untitled mix"
    """What the writer calls it."""
    faders: tuple[Fader, ...] = ()
    """Channels, left to right; a feature stands in a mix once."""
    master: float = 1.0
    """Multiplies every ``add`` coefficient, 0 … 1.5."""

    def audible(self) -> tuple[Fader, ...]:
        """Faders that act: not muted, soloed if any is, and not at zero (``ablate`` acts at any level)."""
        return audible(self.faders, self.master)

    def index_of(self, feature: FeatureRef) -> int:
        """Position of ``feature`` in the mix, or -1."""
        return next((i for i, f in enumerate(self.faders) if f.feature == feature), -1)

    def with_fader(self, position: int, **changes: object) -> Mix:
        """The mix with some fields of one fader changed."""
        faders = list(self.faders)
        faders[position] = replace(faders[position], **changes)  # type: ignore[arg-type]
        return replace(self, faders=tuple(faders))


def settled(mix: Mix, sae: str, unit: float) -> Mix:
    """The mix with faders that were added before any SAE was loaded (their ``sae`` is empty) given to this one."""

    def settle(fader: Fader) -> Fader:
        return fader if fader.feature.sae else replace(fader, feature=FeatureRef(sae, fader.feature.index), unit=unit)

    return replace(mix, faders=tuple(settle(fader) for fader in mix.faders))


def audible(faders: tuple[Fader, ...], master: float) -> tuple[Fader, ...]:
    """The faders that change the text under a whole-mix level of ``master``."""
    anyone_soloed = any(f.soloed for f in faders)
    chosen = (f for f in faders if not f.muted and (f.soloed or not anyone_soloed))
    return tuple(f for f in chosen if master != 0 and (f.op == "ablate" or f.level != 0))


def coefficient(fader: Fader, master: float) -> float:
    """Raw coefficient on the unit decoder direction of an ``add`` fader."""
    return fader.level * fader.unit * master
