"""The rows of the search list: one quality each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from undersong.core.features import Hit
from undersong.ui.lists.wording import how_common, match_percent

Index = QModelIndex | QPersistentModelIndex
HIT_ROLE = Qt.ItemDataRole.UserRole
CHANNEL_ROLE = Qt.ItemDataRole.UserRole + 1
"""The channel a quality has in the mix, -1 for none."""


class FeatureModel(QAbstractTableModel):
    """Search hits, and which of them are in the mix."""

    def __init__(self) -> None:
        super().__init__()
        self._hits: tuple[Hit, ...] = ()
        self._channels: dict[int, int] = {}

    def set_hits(self, hits: Sequence[Hit]) -> None:
        """Show other qualities."""
        self.beginResetModel()
        self._hits = tuple(hits)
        self.endResetModel()

    def set_channels(self, channels: Mapping[int, int]) -> None:
        """Say which feature has which channel of the mix."""
        if dict(channels) == self._channels:
            return
        self._channels = dict(channels)
        if self._hits:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._hits) - 1, 0))

    def hit(self, row: int) -> Hit | None:
        """The quality in a row."""
        return self._hits[row] if 0 <= row < len(self._hits) else None

    def row_of(self, feature: int) -> int:
        """The row of a quality, or -1."""
        return next((row for row, hit in enumerate(self._hits) if hit.feature == feature), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own signature
        return 0 if parent.isValid() else len(self._hits)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        hit = self.hit(index.row()) if index.isValid() else None
        if hit is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return hit.label
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(hit)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{hit.label}  ·  #{hit.feature}"
        if role == HIT_ROLE:
            return hit
        if role == CHANNEL_ROLE:
            return self._channels.get(hit.feature, -1)
        return None

    def _spoken(self, hit: Hit) -> str:
        parts = [hit.label]
        if hit.match > 0:
            parts.append(match_percent(hit.match))
        parts += [how_common(hit.density), self.tr("number {n}").format(n=hit.feature)]
        if not hit.clear:
            parts.append(self.tr("its name is a guess"))
        if hit.feature in self._channels:
            parts.append(self.tr("in the mix"))
        return ", ".join(parts)
