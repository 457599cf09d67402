"""The search panel: type what you want more or less of, read what is found, add it to the mix."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QLineEdit, QSplitter, QWidget

from undersong.core.features import Hit
from undersong.core.messages import Results
from undersong.ui import theme
from undersong.ui.conversation import EngineState
from undersong.ui.lists.feature_card import FeatureCardView
from undersong.ui.lists.feature_table import FeatureTable
from undersong.ui.session import Session
from undersong.ui.widgets.build import column, label, row, rule
from undersong.ui.widgets.chip import filter_chip

LIST_HEIGHT, CARD_HEIGHT = 412, 336
"""How list and card share the height at first; in a higher window the list gains most."""


class SearchField(QLineEdit):
    """The search field; Down asks for the list, Enter for adding the best result, Esc empties it."""

    down_pressed = Signal()
    enter_pressed = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Down, Qt.Key.Key_PageDown):
            self.down_pressed.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.enter_pressed.emit()
        elif key == Qt.Key.Key_Escape and self.text():
            self.clear()
            self.textEdited.emit("")
        else:
            super().keyPressEvent(event)


class SearchPanel(QFrame):
    """Search field, filters, results, and the card of the quality that is looked at."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setMinimumWidth(260)
        self._session = session
        self._seen: dict[int, Hit] = {}
        self.field = self._make_field()
        self.all_chip = filter_chip(self.tr("All"), self.tr("All qualities that match"), checked=True)
        self.mix_chip = filter_chip(self.tr("In mix"), self.tr("Only qualities that are in the mix"))
        self._filters = QButtonGroup(self)
        self._filters.addButton(self.all_chip)
        self._filters.addButton(self.mix_chip)
        self._count = label("", theme.ui_font(12, tabular=True), "ink3", wrap=True)
        self._empty = label("", theme.ui_font(13), "ink2", wrap=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._empty.setContentsMargins(20, 10, 20, 10)
        self.table = FeatureTable()
        self.card = FeatureCardView()
        self.card.hide()
        self._lay_out()
        self._connect()
        self._show_list()
        self._show_card()

    def focus_search(self) -> None:
        """Put the cursor in the search field, with its words selected."""
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def _make_field(self) -> SearchField:
        field = SearchField(self._session.query)
        field.setFont(theme.ui_font(13))
        field.setPlaceholderText(self.tr("Find a quality: the sea, anger…"))
        field.setAccessibleName(self.tr("Find a quality"))
        field.setToolTip(self.tr("Search qualities  (Ctrl+L); Enter adds the best one to the mix"))
        field.addAction(theme.icon("search", "ink3"), QLineEdit.ActionPosition.LeadingPosition)
        return field

    def _lay_out(self) -> None:
        chips = row(self.all_chip, self.mix_chip, None, gap=5)
        head = column(self.field, chips, gap=10, margins=(14, 14, 14, 4))
        top = QWidget()
        found = column(
            head, row(self._count, margins=(20, 2, 14, 4)), self.table, self._empty, gap=2, margins=(0, 0, 0, 0)
        )
        found.setStretchFactor(self.table, 1)
        found.setStretchFactor(self._empty, 1)
        top.setLayout(found)
        bottom = QWidget()
        below = column(rule(), self.card, gap=0)
        bottom.setLayout(below)
        self._below = bottom
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(4)
        self.splitter.addWidget(top)
        self.splitter.addWidget(bottom)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([LIST_HEIGHT, CARD_HEIGHT])
        self.setLayout(column(self.splitter, gap=0))

    def _connect(self) -> None:
        session = self._session
        self.field.textEdited.connect(self._on_edited)
        self.field.down_pressed.connect(self.table.enter)
        self.field.enter_pressed.connect(self._add_best)
        self._filters.buttonToggled.connect(lambda _button, checked: checked and self._show_list())
        self.table.feature_chosen.connect(session.inspect)
        self.table.add_requested.connect(self._add)
        self.table.typed.connect(self._on_typed_in_list)
        self.card.try_requested.connect(self._try_alone)
        self.card.add_requested.connect(self._add_shown)
        self.card.find_requested.connect(self._find_shown)
        session.results_arrived.connect(self._on_results)
        session.mix_changed.connect(self._on_mix)
        session.state_changed.connect(self._show_list)
        session.state_changed.connect(self._show_card)
        session.card_arrived.connect(lambda _card: self._show_card())
        session.inspect_cleared.connect(lambda: self.table.select_feature(-1))
        session.focus_changed.connect(self._show_card)
        session.heat_changed.connect(self._show_card)

    def _on_edited(self, text: str) -> None:
        self.all_chip.setChecked(True)
        self._session.search(text)

    def _on_typed_in_list(self, text: str) -> None:
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)
        if text:
            self.field.setText(self.field.text() + text)
            self._on_edited(self.field.text())

    def _on_results(self, results: Results) -> None:
        self._seen.update({hit.feature: hit for hit in results.hits})
        if self.all_chip.isChecked():
            self._show_list()

    def _on_mix(self) -> None:
        self.table.features.set_channels(self._channels())
        if self.mix_chip.isChecked():
            self._show_list()
        self._show_card()

    def _channels(self) -> dict[int, int]:
        return {fader.feature.index: position for position, fader in enumerate(self._session.mix.faders)}

    def _show_list(self) -> None:
        results, in_mix = self._session.results, self.mix_chip.isChecked()
        hits = self._hits_of_mix() if in_mix else results.hits if results else ()
        self.table.features.set_channels(self._channels())
        self.table.show_hits(hits)
        self.table.setVisible(bool(hits))
        self._empty.setVisible(not hits)
        self._empty.setText(self._why_empty(in_mix))
        self._count.setText(self._count_words(results, in_mix, len(hits)))
        self._count.setVisible(bool(hits))

    def _hits_of_mix(self) -> tuple[Hit, ...]:
        made = []
        for fader in self._session.mix.faders:
            feature = fader.feature.index
            card = self._session.cards.get(feature)
            unknown = Hit(feature, fader.label, 0.0, card.density if card else 0.0)
            made.append(self._seen.get(feature, unknown))
        return tuple(made)

    def _count_words(self, results: Results | None, in_mix: bool, shown: int) -> str:
        if in_mix:
            return self.tr("{n} in the mix").format(n=shown)
        if results is None:
            return ""
        if results.nearest:
            return self.tr("Nothing is called “{query}”. These come nearest:").format(query=results.query)
        if not results.query.strip():
            return self.tr("{n} to begin with, of {total} qualities").format(n=shown, total=f"{results.total:,}")
        return self.tr("{n} of {total} qualities").format(n=shown, total=f"{results.total:,}")

    def _why_empty(self, in_mix: bool) -> str:
        state, results = self._session.state, self._session.results
        if in_mix:
            return self.tr("The mix is empty. Add a quality, and it stands here.")
        if results is not None:
            return self.tr("Nothing was found for “{query}”. Try a plainer word, or fewer.").format(query=results.query)
        if state is EngineState.NO_MODEL:
            return self.tr("Choose a model; the qualities it has learned appear here.")
        if state is EngineState.STOPPED:
            return self.tr("The model has stopped. Restart it to search its qualities.")
        return self.tr("The qualities appear here as soon as the model is loaded.")

    def _show_card(self) -> None:
        session = self._session
        feature = session.shown_feature
        card = session.card if session.card and session.card.feature == feature else session.cards.get(feature)
        self._below.setVisible(card is not None)
        self.card.setVisible(card is not None)
        if card is not None:
            self.card.show_card(card, session.position_of(card.feature))
            self.card.set_can_try(session.state in (EngineState.READY, EngineState.STREAMING))

    def _add_best(self) -> None:
        hit = self.table.features.hit(max(0, self.table.currentIndex().row()))
        if hit is not None:
            self._add(hit.feature)

    def _add(self, feature: int) -> None:
        row_number = self.table.features.row_of(feature)
        hit = self.table.features.hit(row_number)
        if hit is not None:
            self._session.add_feature(feature, hit.label)

    def _add_shown(self) -> None:
        if self.card.card is not None:
            self._session.add_feature(self.card.card.feature, self.card.card.label)

    def _find_shown(self) -> None:
        if self.card.card is not None:
            self._session.focus_channel(self._session.position_of(self.card.card.feature))

    def _try_alone(self) -> None:
        if self.card.card is not None:
            self._session.try_alone(self.card.card.feature)
