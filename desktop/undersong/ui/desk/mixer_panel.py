"""The mixing desk: the mix's name, undo, A/B, the strips, and the whole mix."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QFrame, QLineEdit, QToolButton, QWidget

from undersong.ui import theme
from undersong.ui.desk.strip_row import StripRow
from undersong.ui.desk.whole_mix import WholeMix
from undersong.ui.session import Session
from undersong.ui.widgets.build import MEDIUM, SEMIBOLD, button, column, icon_button, key_button, label, row, rule

HEIGHT = 304


class MixerPanel(QFrame):
    """Shows and moves the session's mix. Emits ``search_requested`` when a quality is wanted."""

    search_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setMinimumHeight(264)
        self._session = session
        self.name = self._make_name()
        self.undo = icon_button("undo-2", self.tr("Undo"), on_click=session.undo.undo)
        self.redo = icon_button("redo-2", self.tr("Redo"), on_click=session.undo.redo)
        self.sides = {which: self._make_side(which) for which in ("A", "B")}
        self.zero = button(
            self.tr("Zero all"),
            icon="rotate-ccw",
            tip=self.tr("Put every fader at zero; one undo brings them back"),
            on_click=session.zero_all,
        )
        self.strips = StripRow(session)
        self.strips.add_requested.connect(self.search_requested)
        self.whole = WholeMix(session)
        desk = row(self.strips, rule(Qt.Orientation.Vertical), self.whole, gap=8)
        desk.setStretchFactor(self.strips, 1)
        layout = column(self._head(), desk, gap=8, margins=(14, 9, 10, 2))
        layout.setStretchFactor(desk, 1)
        self.setLayout(layout)
        session.mix_changed.connect(self._show)
        session.undo.indexChanged.connect(lambda _index: self._show_undo())
        self._show()
        self._show_undo()

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), HEIGHT)

    def focus_strip(self, position: int) -> None:
        """Give the keyboard to a strip."""
        self.strips.focus_strip(position)

    def _head(self) -> QBoxLayout:
        compare = label(self.tr("Compare"), theme.ui_font(12), "ink3")
        return row(
            label(self.tr("Mix"), theme.ui_font(13, SEMIBOLD)),
            self.name,
            self.undo,
            self.redo,
            None,
            compare,
            self.sides["A"],
            self.sides["B"],
            10,
            self.zero,
            gap=6,
            margins=(4, 0, 4, 0),
        )

    def _make_name(self) -> QLineEdit:
        made = QLineEdit()
        made.setProperty("kind", "bare")
        made.setFont(theme.ui_font(13, MEDIUM))
        made.setAccessibleName(self.tr("Name of the mix"))
        made.setToolTip(self.tr("Click to call the mix something else"))
        made.setMaxLength(60)
        made.textChanged.connect(lambda _text: self._fit_name())
        made.editingFinished.connect(self._on_named)
        return made

    def _make_side(self, which: str) -> QToolButton:
        name = self.tr("Mix {which}").format(which=which)
        made = key_button(which, name, height=26, tip=f"{name}  (Ctrl+Shift+B)")
        made.clicked.connect(lambda: self._on_side(which))
        return made

    def _on_side(self, which: str) -> None:
        self._session.swap_compare(which)
        self._show()

    def _on_named(self) -> None:
        self._session.rename_mix(self.name.text())
        self.name.setText(self._session.mix.name)
        self.name.setCursorPosition(0)

    def _fit_name(self) -> None:
        words = self.name.fontMetrics().horizontalAdvance(self.name.text())
        self.name.setFixedWidth(min(260, max(80, words + 30)))

    def _show(self) -> None:
        mix = self._session.mix
        if not self.name.hasFocus():
            self.name.setText(mix.name)
            self.name.setCursorPosition(0)
        for which, side in self.sides.items():
            side.setChecked(which == self._session.which)
        self.zero.setEnabled(any(fader.level for fader in mix.faders))

    def _show_undo(self) -> None:
        stack = self._session.undo
        self.undo.setEnabled(stack.canUndo())
        self.redo.setEnabled(stack.canRedo())
        self.undo.setToolTip(self.tr("Undo: {move}  (Ctrl+Z)").format(move=stack.undoText() or "–"))
        self.redo.setToolTip(self.tr("Redo: {move}  (Ctrl+Shift+Z)").format(move=stack.redoText() or "–"))
