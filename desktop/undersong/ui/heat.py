"""How strongly features show on the words of the take on screen: live while it is written, exact afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from undersong.core.messages import Reading, Tokens


@dataclass(frozen=True, slots=True)
class PaneReading:
    """What features did on each piece of one pane's text."""

    pane: int
    """Which pane."""
    features: tuple[int, ...]
    """Which features were read."""
    pieces: tuple[str, ...]
    """Token texts; joined they are the pane's text."""
    values: tuple[tuple[float, ...], ...]
    """[feature][piece], raw activations."""


def read_pane(pane: int, reading: Reading, opening: str, text: str) -> PaneReading:
    """The part of a reading of ``opening + text`` that belongs to ``text``; what was not read has value 0."""
    pieces: list[str] = []
    values: list[list[float]] = [[] for _ in reading.features]
    start, position = len(opening), reading.start
    if position > start:
        pieces.append(text[: position - start])
        for row in values:
            row.append(0.0)
    for i, piece in enumerate(reading.pieces):
        shown = piece[max(0, start - position) :]
        position += len(piece)
        if not shown:
            continue
        pieces.append(shown)
        for row, read in zip(values, reading.values, strict=True):
            row.append(read[i])
    return PaneReading(pane, reading.features, tuple(pieces), tuple(map(tuple, values)))


class Heat:
    """The pieces of every pane of one take, and the activations known on them."""

    def __init__(self, texts: tuple[str, ...] = ()) -> None:
        self._pieces: list[list[str]] = [[text] if text else [] for text in texts]
        self._values: list[dict[int, dict[int, float]]] = [{} for _ in texts]
        self._exact: list[dict[int, PaneReading]] = [{} for _ in texts]
        self._ending: tuple[int, ...] = ()
        self._ended: set[int] = set()

    def add(self, tokens: Tokens) -> None:
        """Take one step of a running generation; its readings speak of the piece before."""
        for pane, piece in enumerate(tokens.texts):
            before = len(self._pieces[pane]) - 1
            if pane < len(tokens.readings) and before >= 0 and pane not in self._ended:
                for feature, value in zip(tokens.watched, tokens.readings[pane], strict=True):
                    self._values[pane].setdefault(feature, {})[before] = value
            if piece:
                self._pieces[pane].append(piece)
        # The last word of a pane is read one step after the pane has ended, and nothing after that is its own
        self._ended.update(self._ending)
        self._ending = tokens.ended

    def set_exact(self, reading: PaneReading) -> None:
        """Let an exact reading take the place of what was seen live."""
        for feature in reading.features:
            self._exact[reading.pane][feature] = reading

    def knows(self, feature: int) -> bool:
        """True when every pane was read exactly for ``feature``."""
        return all(feature in exact for exact in self._exact)

    def of(self, pane: int, feature: int, peak: float) -> tuple[list[str], list[float]]:
        """Pieces of a pane and the feature's activation on each as a share of ``peak`` (0: of the greatest here)."""
        if pane >= len(self._pieces):
            return [], []
        exact = self._exact[pane].get(feature)
        if exact is not None:
            pieces = list(exact.pieces)
            raw = list(exact.values[exact.features.index(feature)])
        else:
            pieces, known = self._pieces[pane], self._values[pane].get(feature, {})
            raw = [known.get(i, 0.0) for i in range(len(pieces))]
        most = peak or max(raw, default=0.0)
        return pieces, [min(1.0, value / most) if most else 0.0 for value in raw]
