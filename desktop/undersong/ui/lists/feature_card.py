"""What one quality is: where it shows, how common it is, which words it brings and takes away."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from undersong.core.features import FeatureCard
from undersong.ui import theme
from undersong.ui.lists.wording import RARE, how_common, snippet
from undersong.ui.widgets.build import SEMIBOLD, button, column, label, row
from undersong.ui.widgets.elided_label import ElidedLabel
from undersong.ui.widgets.prose_view import ProseView

EXAMPLES = 6
WORDS = 10


class FeatureCardView(QFrame):
    """Shows one feature card. Emits ``try_requested``, ``add_requested`` and ``find_requested`` (its strip)."""

    try_requested = Signal()
    add_requested = Signal()
    find_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.card: FeatureCard | None = None
        self._channel = -1
        self._title = ElidedLabel("", theme.ui_font(13, SEMIBOLD), lines=1)
        self._number = label("", theme.ui_font(12, tabular=True), "ink3")
        self._common = label("", theme.ui_font(12, tabular=True), "ink3", wrap=True)
        self.examples = ProseView(self.tr("Where it shows"), 14, leading=1.5, gap=7, margins=(3, 0, 6, 0))
        # as high as there is room; a text edit's own wish would push the list away
        self.examples.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.examples.setMinimumHeight(72)
        self._brings, self._takes = self._word_line(), self._word_line()
        self._make_buttons()
        self._lay_out()

    def show_card(self, card: FeatureCard, channel: int) -> None:
        """Show a card; ``channel`` is its place in the mix, -1 for none."""
        is_new = card != self.card
        self.card = card
        self._title.set_text(card.label)
        self._number.setText(f"#{card.feature}")
        self._number.setToolTip(self.tr("Its number in the dictionary"))
        self._common.setText(self._about(card))
        self._brings.set_text(_listed(card.promoted))
        self._takes.set_text(_listed(card.suppressed))
        self.add_button.setVisible(channel < 0)
        self.found_button.setVisible(channel >= 0)
        if is_new or channel != self._channel:
            self._channel = channel
            self._show_examples(card, channel, is_new)

    def set_can_try(self, possible: bool) -> None:
        """Allow or forbid trying it alone: that needs a model that is ready."""
        self.try_button.setEnabled(possible)

    def _make_buttons(self) -> None:
        self.try_button = button(
            self.tr("Try it alone"),
            icon="play",
            icon_px=12,
            kind="line",
            tip=self.tr("Write a take with this quality only; the mix stays as it is"),
            on_click=self.try_requested.emit,
        )
        self.add_button = button(
            self.tr("Add to mix"),
            icon="plus",
            kind="primary",
            tip=self.tr("Give it a fader  (Enter)"),
            on_click=self.add_requested.emit,
        )
        self.found_button = button(
            self.tr("In the mix"),
            icon="check",
            kind="line",
            tip=self.tr("Go to its fader"),
            on_click=self.find_requested.emit,
        )

    def _lay_out(self) -> None:
        heading = label(self.tr("Where it shows"), theme.ui_font(12, SEMIBOLD), "ink2")
        words = column(
            self._captioned(self.tr("Brings"), self._brings),
            self._captioned(self.tr("Takes away"), self._takes),
            gap=3,
        )
        actions = row(self.try_button, self.add_button, self.found_button, gap=8)
        for i in range(3):
            actions.setStretch(i, 1)
        top = row(self._title, self._number, gap=10)
        top.setStretchFactor(self._title, 1)
        # highlights reach beyond the words, so the examples begin a little to the left of everything else
        about = column(top, self._common, 4, heading, gap=4, margins=(3, 0, 0, 0))
        below = column(words, 8, actions, gap=0, margins=(3, 6, 0, 0))
        layout = column(about, self.examples, below, gap=4, margins=(17, 12, 14, 14))
        layout.setStretchFactor(self.examples, 1)
        self.setLayout(layout)

    def _about(self, card: FeatureCard) -> str:
        about = self.tr("Shows on {how_common}").format(how_common=how_common(card.density))
        if card.density < RARE:
            about = self.tr("Shows rarely; may do little")
        return about if card.clear else about + "  ·  " + self.tr("its name is a guess")

    def _show_examples(self, card: FeatureCard, channel: int, is_new: bool) -> None:
        pieces: list[str] = []
        heat: list[float] = []
        for example in card.examples[:EXAMPLES]:
            shown, values = snippet(example)
            pieces += ["\n", *shown] if pieces and shown else shown
            heat += [0.0, *values] if heat and shown else values
        self.examples.set_pieces(pieces, heat)
        self.examples.set_heat(heat, channel, card.label)
        if is_new:
            self.examples.show_start()

    def _word_line(self) -> ElidedLabel:
        return ElidedLabel("", theme.prose_font(13), lines=1, role="ink2")

    def _captioned(self, caption: str, words: ElidedLabel) -> QWidget:
        line = QWidget()
        name = label(caption, theme.ui_font(12), "ink3")
        name.setFixedWidth(74)
        name.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        line.setLayout(row(name, words, gap=4))
        return line


def _listed(words: tuple[str, ...]) -> str:
    shown = dict.fromkeys(word.strip() for word in words if word.strip())
    return ", ".join(list(shown)[:WORDS]) or "–"
