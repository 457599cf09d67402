"""The command palette: one field from which every quality, command and take can be reached."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtGui import QAction, QColor, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGraphicsDropShadowEffect, QLineEdit, QListView, QVBoxLayout, QWidget

from undersong.core.messages import Results
from undersong.core.takes import Take
from undersong.ui import theme
from undersong.ui.actions import Actions
from undersong.ui.dialogs.palette_rows import PaletteLook, PaletteRows, Row
from undersong.ui.session import Session
from undersong.ui.widgets.build import rule

WIDTH, TOP = 640, 110
QUALITIES, COMMANDS, TAKES = 4, 7, 3


class Palette(QWidget):
    """A veil over the window with a card on it; Enter does what is chosen, Esc or a click beside it closes it."""

    def __init__(self, session: Session, actions: Actions, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._actions, self._around = session, actions, window
        self._found: tuple[Row, ...] = ()
        self.rows = PaletteRows()
        self.card = QFrame(self)
        self.card.setProperty("surface", "card")
        self.field = self._make_field()
        self.list = self._make_list()
        lines = QVBoxLayout(self.card)
        lines.setContentsMargins(10, 6, 10, 10)
        lines.setSpacing(4)
        for widget in (self.field, rule(), self.list):
            lines.addWidget(widget)
        shadow = QGraphicsDropShadowEffect(self.card)
        shadow.setBlurRadius(60)
        shadow.setOffset(0, 18)
        shadow.setColor(QColor(0, 0, 0, 110))
        self.card.setGraphicsEffect(shadow)
        window.installEventFilter(self)
        session.look_up_arrived.connect(self._on_found)
        self.hide()

    def open(self) -> None:
        """Show it, empty."""
        self.field.clear()
        self._found = ()
        self._on_typed("")
        self._place()
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def leave(self) -> None:
        """Close it and give the focus back to the window."""
        self.hide()
        self._around.setFocus(Qt.FocusReason.PopupFocusReason)

    def run_chosen(self) -> None:
        """Do what the chosen row says."""
        row = self.rows.at(self.list.currentIndex().row())
        if row is not None and row.run is not None:
            self.leave()
            row.run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._around and event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._on_key(event)
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self.card.geometry().contains(event.position().toPoint()):
            self.leave()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("veil"))

    def _make_field(self) -> QLineEdit:
        field = QLineEdit()
        field.setProperty("kind", "palette")
        field.setFont(theme.ui_font(17))
        field.setPlaceholderText(self.tr("Find a quality, a command, a take…"))
        field.setAccessibleName(self.tr("Find a quality, a command or a take"))
        field.addAction(theme.icon("search", "ink3"), QLineEdit.ActionPosition.LeadingPosition)
        field.textEdited.connect(self._on_typed)
        field.installEventFilter(self)
        return field

    def _make_list(self) -> QListView:
        view = QListView()
        view.setModel(self.rows)
        view.setItemDelegate(PaletteLook(view))
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        view.setMouseTracking(True)
        view.setAccessibleName(self.tr("What fits"))
        view.setProperty("kind", "palette")
        view.clicked.connect(lambda _index: self.run_chosen())
        view.entered.connect(view.setCurrentIndex)
        return view

    def _on_key(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self._step(1 if key == Qt.Key.Key_Down else -1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.run_chosen()
        elif key == Qt.Key.Key_Escape:
            self.leave()
        else:
            return False
        return True

    def _step(self, by: int) -> None:
        count = self.rows.rowCount()
        place = self.list.currentIndex().row()
        for _ in range(count):
            place = (place + by) % count
            row = self.rows.at(place)
            if row is not None and row.run is not None:
                self.list.setCurrentIndex(self.rows.index(place))
                return

    def _on_typed(self, text: str) -> None:
        if text.strip():
            self._session.look_up(text, QUALITIES)
        else:
            self._found = ()
        self._show(text)

    def _on_found(self, results: Results) -> None:
        if self.isVisible() and results.query == self.field.text():
            self._found = tuple(
                Row(
                    hit.label,
                    self.tr("{0}% match").format(round(100 * hit.match)) if hit.match else "",
                    self.tr("Enter to add"),
                    "plus",
                    lambda hit=hit: self._session.add_feature(hit.feature, hit.label),
                )
                for hit in results.hits[:QUALITIES]
            )
            self._show(results.query)

    def _show(self, text: str) -> None:
        rows: list[Row] = []
        commands = self._commands(text)
        for title, found in (
            (self.tr("Qualities"), self._found),
            (self.tr("Commands"), commands),
            (self.tr("Takes"), self._takes(text)),
        ):
            if found:
                rows += [Row(title), *found]
        self.rows.set_rows(rows or [Row(self.tr("Nothing fits."))])
        self._step(1)
        self._place()

    def _commands(self, text: str) -> list[Row]:
        fitting = [action for action in self._actions.all() if action.isEnabled() and fits(text, action.iconText())]
        return [self._command(action) for action in fitting[:COMMANDS]]

    def _command(self, action: QAction) -> Row:
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        return Row(action.iconText(), "", keys, "command", action.trigger)

    def _takes(self, text: str) -> list[Row]:
        takes: Iterable[Take] = reversed(self._session.takes)
        rows = []
        for take in takes:
            words = take.panes[-1].text.strip()
            if words and fits(text, words):
                title = self.tr("“{0}…”").format(words[:44].replace("\n", " "))
                when = take.when[:16].replace("T", " ")
                rows.append(Row(title, when, "", "bookmark", lambda take=take: self._session.show_take_of(take.id)))
        return rows[:TAKES]

    def _place(self) -> None:
        self.setGeometry(self._around.rect())
        width = min(WIDTH, self.width() - 40)
        count = self.rows.rowCount()
        height = sum(self.list.sizeHintForRow(row) for row in range(count)) + 4
        top = min(TOP, max(20, self.height() // 8))
        room = self.height() - top - 20
        self.list.setFixedHeight(min(height, room - 80))
        self.card.adjustSize()
        self.card.setGeometry(QRect((self.width() - width) // 2, top, width, min(room, self.card.sizeHint().height())))


def fits(typed: str, words: str) -> bool:
    """True when every word that was typed begins a word of ``words``."""
    begun = words.lower().replace("“", " ").split()
    return all(any(word.startswith(part) for word in begun) for part in typed.lower().split())
