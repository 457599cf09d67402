"""What is known of a feature, as both processes speak of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hit:
    """One feature as a search result shows it."""

    feature: int
    label: str
    """Its name; a guess made from examples."""
    match: float
    """0 … 1, how well it fits the query; 0 when there was none."""
    density: float
    """Share of tokens on which it shows."""
    spark: tuple[float, ...] = ()
    """0 … 1, how strongly it shows along its best example, 22 values."""
    clear: bool = True
    """False when its label could not be made to predict where it shows."""


@dataclass(frozen=True, slots=True)
class Example:
    """A passage in which a feature shows."""

    pieces: tuple[str, ...]
    """Token texts; joined they are the passage."""
    values: tuple[float, ...]
    """Activation on each token, as a share of the feature's maximum."""


@dataclass(frozen=True, slots=True)
class FeatureCard:
    """What the library knows of one feature."""

    feature: int
    label: str
    clear: bool
    auroc: float
    """Detection AUROC of the label on held-out windows; 0 if not measured."""
    density: float
    max_activation: float
    """Greatest activation in the corpus, BOS excluded."""
    promoted: tuple[str, ...]
    """Words its direction makes likelier, strongest first (logit lens)."""
    suppressed: tuple[str, ...]
    """Words it makes unlikelier."""
    near: tuple[Hit, ...] = ()
    """Features with the most similar decoder direction; ``match`` is the cosine."""
    examples: tuple[Example, ...] = ()
    """Passages across its range of activation, strongest first."""
