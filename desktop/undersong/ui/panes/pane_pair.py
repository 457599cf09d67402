"""Two panes side by side: the text as the model comes, and with the mix; they stream, scroll and part ways together."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractSlider, QButtonGroup, QHBoxLayout, QVBoxLayout, QWidget

from undersong.core.messages import Finished, Tokens
from undersong.core.story import count_words, parting_word
from undersong.core.takes import PaneText, Take
from undersong.ui import theme
from undersong.ui.panes.pane import PaneCard
from undersong.ui.session import EngineState, Session
from undersong.ui.widgets.banner import announce
from undersong.ui.widgets.build import icon_button, label
from undersong.ui.widgets.chip import filter_chip
from undersong.ui.writing import ALONE

NARROW = 600
"""Narrower than this the panes become tabs."""


class PanePair(QWidget):
    """Shows the take of a session in two panes and keeps them in step."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._spoken_of = ""
        self._plain_shown = session.saved.layout.get("plain", "shown") == "shown"
        size = session.settings.prose_size
        plain_words = self.tr("What the model writes by itself appears here.")
        mixed_words = self.tr("And here what it writes with your mix, from the same seed.")
        self.base = PaneCard(self.tr("Without the mix"), plain_words, size, lambda: session.keep_take(0), tone="ink2")
        self.mix = PaneCard(self.tr("With the mix"), mixed_words, size, lambda: session.keep_take(1))
        self.base.aside.set_text(self.tr("as the model comes"))
        self.panes = (self.base, self.mix)
        self._tabs = self._make_tabs()
        self._add_take_buttons()
        self._lay_out()
        self._link_scrolling()
        self._connect()
        self._show_take()

    @property
    def plain_shown(self) -> bool:
        """True when the plain version stands beside the steered one."""
        return self._plain_shown

    def show_plain(self, shown: bool) -> None:
        """Show or hide the plain version."""
        self._plain_shown = shown
        self._session.set_layout("plain", "shown" if shown else "hidden")
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _make_tabs(self) -> QWidget:
        holder = QWidget()
        line = QHBoxLayout(holder)
        line.setContentsMargins(0, 0, 0, 0)
        self._which = QButtonGroup(self)
        for number, pane in enumerate(self.panes):
            tab = filter_chip(pane.title.text(), self.tr("Show this text"), checked=number == 1)
            self._which.addButton(tab, number)
            line.addWidget(tab)
        line.addStretch(1)
        self._which.idClicked.connect(lambda _number: self._arrange())
        return holder

    def _add_take_buttons(self) -> None:
        show = self._session.show_take
        self._earlier = icon_button(
            "chevron-left",
            self.tr("Previous take"),
            tip=self.tr("Previous take  (Alt+Left)"),
            size=26,
            on_click=lambda: show(-1),
        )
        self._later = icon_button(
            "chevron-right",
            self.tr("Next take"),
            tip=self.tr("Next take  (Alt+Right)"),
            size=26,
            on_click=lambda: show(1),
        )
        self._place = label("", theme.ui_font(12, tabular=True), "ink2")
        for widget in (self._earlier, self._place, self._later):
            self.mix.extra.addWidget(widget)
        self.mix.extra.addSpacing(8)

    def _lay_out(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(8)
        outer.addWidget(self._tabs)
        beside = QHBoxLayout()
        beside.setSpacing(12)
        for pane in self.panes:
            beside.addWidget(pane, 1)
        outer.addLayout(beside, 1)

    def _link_scrolling(self) -> None:
        self._following_along = False
        for number, pane in enumerate(self.panes):
            # Only what the reader does: text that arrives moves the bars too, and must not
            pane.view.verticalScrollBar().actionTriggered.connect(
                lambda _action, number=number: self._scroll_along(number)
            )
            pane.view.following_changed.connect(lambda _following, number=number: self._scroll_along(number))

    def _connect(self) -> None:
        session = self._session
        session.stream_started.connect(lambda _panes: self._on_started())
        session.tokens_arrived.connect(self._on_tokens)
        session.stream_finished.connect(self._on_finished)
        session.takes_changed.connect(self._show_take)
        session.heat_changed.connect(self._show_heat)
        session.mix_changed.connect(self._on_mix)
        session.settings_changed.connect(self._on_settings)

    def _streaming(self) -> bool:
        return self._session.state is EngineState.STREAMING

    def _arrange(self) -> None:
        """Both panes, one of them as a tab where it is narrow, or only the steered one."""
        narrow = self.width() < NARROW and self._plain_shown
        self._tabs.setVisible(narrow)
        chosen = self._which.checkedId() if narrow else 1
        self.base.setVisible(self._plain_shown and (not narrow or chosen == 0))
        self.mix.setVisible(not narrow or chosen == 1)

    def _on_started(self) -> None:
        self._spoken_of = ""
        self._show_take()
        for pane in self.panes:
            pane.view.set_caret(True)
            pane.view.follow()

    def _on_tokens(self, arrived: Sequence[Tokens]) -> None:
        ended = {pane for tokens in arrived for pane in tokens.ended}
        for number, pane in enumerate(self.panes):
            pieces = [tokens.texts[number] for tokens in arrived if tokens.texts[number]]
            if pieces:
                pane.view.append_pieces(pieces if pane.view.text() else without_indent(pieces))
            if number in ended:
                pane.view.set_caret(False)
        self._show_heat()
        self._show_foot()

    def _on_finished(self, finished: Finished) -> None:
        for pane in self.panes:
            pane.view.set_caret(False)
        take = self._session.take
        if take is not None and take.id != self._spoken_of:
            self._spoken_of = take.id
            words = count_words(take.panes[1].text)
            announce(self, self.tr("Take finished, {0} words").format(words))
        self._show_foot()

    def _on_mix(self) -> None:
        take = self._session.take
        if self._streaming() and take is not None and take.panes[1].name != ALONE:
            self.mix.view.add_tick()
        self._show_foot()

    def _on_settings(self) -> None:
        for pane in self.panes:
            pane.view.set_size(self._session.settings.prose_size)

    def _show_take(self) -> None:
        """Show the texts of the session's take, and where it stands among the others."""
        take, count = self._session.take, len(self._session.takes)
        for pane in self.panes:
            pane.show_empty(take is None)
            pane.keep.setEnabled(take is not None and not self._streaming())
            pane.keep.setChecked(take is not None and take.kept)
            pane.copy.setEnabled(take is not None)
        alone = take is not None and take.panes[1].name == ALONE
        self.mix.title.setText(
            self.tr("Only “{0}”").format(take.recipe.mix.name) if take and alone else self.tr("With the mix")
        )
        number = self._session.take_number
        for widget in (self._earlier, self._place, self._later):
            widget.setVisible(count > 1)
        self._place.setText(self.tr("Take {0} of {1}").format(number, count))
        self._earlier.setEnabled(number > 1 and not self._streaming())
        self._later.setEnabled(number < count and not self._streaming())
        self._show_heat()
        self._show_foot()

    def _show_heat(self) -> None:
        session = self._session
        feature = session.shown_feature
        shown = session.heat_shown and feature >= 0
        name = session.label_of(feature) if shown else ""
        for number, pane in enumerate(self.panes):
            pieces, values = session.heat(number)
            pieces = without_indent(pieces)
            if pane.view.pieces() != tuple(pieces):
                pane.view.set_pieces(pieces)
            pane.view.set_heat(values if shown else None, session.shown_colour, name)
        self.mix.aside.set_text(self.tr("showing “{0}”").format(name) if shown else "")

    def _show_foot(self) -> None:
        take = self._session.take
        if take is None:
            for pane in self.panes:
                pane.say_foot("", "", "")
            return
        base, mixed = take.panes[0].text, take.panes[1].text
        speed = self._speed_words(take)
        self.base.say_foot(self._length_words(take, take.panes[0]), "", speed)
        self.mix.say_foot(self._length_words(take, take.panes[1]), self._parting_words(take), speed)
        pairs = enumerate(zip(base.lstrip(), mixed.lstrip(), strict=False))
        place = next((i for i, (one, other) in pairs if one != other), -1)
        self.mix.view.set_parting(piece_at(self.mix.view.pieces(), place))

    def _length_words(self, take: Take, pane: PaneText) -> str:
        count = count_words(pane.text)
        if pane.reason == "stopped":
            return self.tr("stopped at {0} words").format(count)
        if take.state == "interrupted" and not pane.reason:
            return self.tr("interrupted at {0} words").format(count)
        if pane.reason == "end":
            return self.tr("{0} words, and it ended there").format(count)
        if pane.reason == "context":
            return self.tr("{0} words, all this model can hold").format(count)
        return self.tr("{0} words").format(count)

    def _parting_words(self, take: Take) -> str:
        base, mixed = take.panes[0].text, take.panes[1].text
        word = parting_word(base, mixed)
        parts = []
        if word:
            parts.append(self.tr("parts ways at word {0}").format(word))
        elif base == mixed and base and take.state != "running":
            parts.append(self.tr("word for word the same"))
        if take.panes[1].name != ALONE and not self._streaming() and not take.changes and self._older_mix(take):
            parts.append(self.tr("older mix"))
        return "  ·  ".join(parts)

    def _older_mix(self, take: Take) -> bool:
        then, now = take.recipe.mix, self._session.mix
        return (then.audible(), then.master) != (now.audible(), now.master)

    def _speed_words(self, take: Take) -> str:
        speed = self._session.speed
        newest = self._session.take_number == len(self._session.takes)
        return self.tr("{0} tokens/s").format(round(speed)) if speed and newest else ""

    def _scroll_along(self, number: int) -> None:
        """Bring the other pane to the same share of its text, or to its end with this one."""
        if self._following_along or not self._session.link_panes:
            return
        view, other = self.panes[number].view, self.panes[1 - number].view
        self._following_along = True
        if view.is_following():
            if not other.is_following():
                other.follow()
        else:
            bar, others = view.verticalScrollBar(), other.verticalScrollBar()
            others.setSliderPosition(round(others.maximum() * bar.sliderPosition() / max(1, bar.maximum())))
            # Told as a move of the reader, so that the other pane lets go of its end too
            others.triggerAction(QAbstractSlider.SliderAction.SliderMove)
        self._following_along = False


def without_indent(pieces: Sequence[str]) -> list[str]:
    """The pieces without the space that parts a text from its opening, which would indent the first line."""
    shown = list(pieces)
    for number, piece in enumerate(shown):
        shown[number] = piece.lstrip()
        if shown[number]:
            break
    return shown


def piece_at(pieces: Sequence[str], place: int) -> int:
    """Number of the piece in which a character stands; -1 for no character."""
    if place < 0:
        return -1
    for number, piece in enumerate(pieces):
        place -= len(piece)
        if place < 0:
            return number
    return -1
