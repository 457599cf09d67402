"""All shortcuts, menu by menu, and what the keys do on a fader."""

from __future__ import annotations

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QGridLayout, QScrollArea, QWidget

from undersong.ui import theme
from undersong.ui.actions import CHANNEL_KEYS, Actions
from undersong.ui.dialogs.sheet import Sheet
from undersong.ui.widgets.build import MEDIUM, SEMIBOLD, label

COLUMNS = 2


class ShortcutsSheet(Sheet):
    """A table of what can be done by keyboard."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.set_title(self.tr("Shortcuts"))
        self.resize(820, 620)
        grid = QGridLayout()
        grid.setHorizontalSpacing(28)
        grid.setVerticalSpacing(5)
        groups = [(title, rows) for title, made in actions.by_menu() if (rows := self._rows(made))]
        groups.append((self.tr("On a fader"), self._fader_rows()))
        heights = [0] * COLUMNS
        for title, rows in groups:
            column = heights.index(min(heights))
            heights[column] = self._add_group(grid, title, rows, column, heights[column])
        holder = QWidget()
        holder.setProperty("surface", "clear")
        holder.setLayout(grid)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(holder)
        area.setAccessibleName(self.tr("All shortcuts"))
        self.add(area)

    def _rows(self, actions: list[QAction]) -> list[tuple[str, str]]:
        rows = []
        for action in actions:
            if action.objectName().startswith("channel_") and action.objectName()[-1].isdigit():
                continue
            # Enter and Return are one key to most people
            keys = [keys.toString(QKeySequence.SequenceFormat.NativeText) for keys in action.shortcuts()]
            shown = "  or  ".join(key for key in keys if "Return" not in key) or after_tab(action.text())
            if shown:
                rows.append((action.iconText(), shown))
        return rows

    def _fader_rows(self) -> list[tuple[str, str]]:
        return [
            (self.tr("Channel 1 to {0}").format(CHANNEL_KEYS), self.tr("Ctrl+1 to Ctrl+{0}").format(CHANNEL_KEYS)),
            (self.tr("A little more or less"), self.tr("Up, Down")),
            (self.tr("Much more or less"), self.tr("Page Up, Page Down")),
            (self.tr("Zero"), "0"),
            (self.tr("Type a value"), self.tr("digits, then Enter")),
            (self.tr("To the next channel"), self.tr("Left, Right")),
            (self.tr("Mute, solo"), "M, S"),
            (self.tr("Remove"), self.tr("Delete")),
        ]

    def _add_group(self, grid: QGridLayout, title: str, rows: list[tuple[str, str]], column: int, line: int) -> int:
        """Add a group to a column from a line on; returns the line after it."""
        grid.addWidget(label(title, theme.ui_font(12, SEMIBOLD), "ink2"), line, 2 * column)
        for words, keys in rows:
            line += 1
            grid.addWidget(label(words), line, 2 * column)
            grid.addWidget(label(keys, theme.ui_font(12, MEDIUM, tabular=True), "ink2"), line, 2 * column + 1)
        grid.setRowMinimumHeight(line + 1, 10)
        return line + 2


def after_tab(text: str) -> str:
    """The keys that stand in an action's text, where the window itself looks for them."""
    return text.partition("\t")[2]
