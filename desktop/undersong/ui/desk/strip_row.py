"""The row of channel strips: one stop for Tab, arrows inside, and the place where a quality can be added."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget

from undersong.core.mixing import FeatureRef, Mix
from undersong.ui.desk.strip import Strip
from undersong.ui.session import Session
from undersong.ui.widgets.build import button, row

ADD_WIDTH = 96
EMPTY_WIDTH = 420
SCROLL_BAR = 10
"""Height of the scroll bar, as the style sheet has it."""


class StripRow(QScrollArea):
    """Strips of the session's mix, left to right. Emits ``add_requested`` when a quality is wanted."""

    add_requested = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._strips: dict[FeatureRef, Strip] = {}
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidgetResizable(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.add = button("", icon="plus", icon_px=18, kind="dashed", on_click=self.add_requested.emit)
        self.add.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        inside = QWidget()
        inside.setProperty("surface", "clear")
        self._line = row(self.add, None, gap=8, margins=(0, 0, 0, SCROLL_BAR))
        inside.setLayout(self._line)
        self.setWidget(inside)
        self.horizontalScrollBar().rangeChanged.connect(self._keep_height)
        session.mix_changed.connect(self.show_mix)
        session.focus_changed.connect(self._show_focus)
        session.levels_arrived.connect(self._show_levels)
        session.stream_finished.connect(lambda _finished: self._rest())
        self.show_mix()

    def strips(self) -> list[Strip]:
        """The strips, left to right."""
        return [self._strips[fader.feature] for fader in self._session.mix.faders]

    def focus_strip(self, position: int) -> None:
        """Give the keyboard to a strip, or where there is none, to the place that adds one."""
        strips = self.strips()
        if not strips:
            self.add.setFocus(Qt.FocusReason.OtherFocusReason)
        if 0 <= position < len(strips):
            strips[position].fader.setFocus(Qt.FocusReason.OtherFocusReason)
            self.ensureWidgetVisible(strips[position], 8, 0)

    def show_mix(self) -> None:
        """Show the session's mix; strips that stay are kept, so that a drag goes on."""
        mix = self._session.mix
        had_focus = any(strip.fader.hasFocus() for strip in self._strips.values())
        self._drop_gone(mix)
        acting = self._acting(mix)
        for position, channel in enumerate(mix.faders):
            strip = self._strips.get(channel.feature) or self._new_strip(channel.feature)
            if self._line.indexOf(strip) != position:
                self._line.insertWidget(position, strip)
            strip.show_channel(position, channel, position in acting, position == self._session.focused)
        self._show_add(not mix.faders)
        self._rove()
        if had_focus:
            self.focus_strip(self._session.focused)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that a strip has left: arrows go along the row, with Ctrl+Shift they take the strip with them."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        reorder = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if step and modifiers == reorder:
            self._session.move(self._session.focused, self._session.focused + step)
        elif step and not modifiers:
            self.focus_strip(self._session.focused + step)
        else:
            event.ignore()

    def wheelEvent(self, event: QWheelEvent) -> None:
        bar = self.horizontalScrollBar()
        if event.angleDelta().x() == 0 and bar.maximum() > 0:
            bar.setValue(bar.value() - event.angleDelta().y())
            event.accept()
        else:
            super().wheelEvent(event)

    def _new_strip(self, feature: FeatureRef) -> Strip:
        strip = Strip(self._session)
        strip.focused.connect(lambda: self._on_focused(strip))
        self._strips[feature] = strip
        return strip

    def _drop_gone(self, mix: Mix) -> None:
        present = {fader.feature for fader in mix.faders}
        for feature in [feature for feature in self._strips if feature not in present]:
            strip = self._strips.pop(feature)
            self._line.removeWidget(strip)
            strip.hide()
            strip.deleteLater()

    def _on_focused(self, strip: Strip) -> None:
        self._session.focus_channel(strip.position)

    def _show_focus(self) -> None:
        for strip in self.strips():
            strip.set_shown(strip.position == self._session.focused)
        self._rove()
        self._keep_in_view()

    def _rove(self) -> None:
        """Let Tab stop at the focused strip only; the others are reached with the arrow keys."""
        for strip in self.strips():
            here = strip.position == max(0, self._session.focused)
            strip.fader.setFocusPolicy(Qt.FocusPolicy.StrongFocus if here else Qt.FocusPolicy.ClickFocus)

    def _show_add(self, empty: bool) -> None:
        # "quality" stands on a line of its own because the card is as narrow as a strip
        name = self.tr("Add a quality")
        hint = self.tr("Search for something you want more of,\n  or less of, and give it a fader here.")
        self.add.setText(f"  {name}\n  {hint}" if empty else " " + self.tr("Add a\n quality"))
        self.add.setAccessibleName(name)
        self.add.setToolTip(self.tr("Search for a quality  (Ctrl+L)"))
        self.add.setFixedWidth(EMPTY_WIDTH if empty else ADD_WIDTH)

    def _show_levels(self, levels: dict[int, float]) -> None:
        for strip, channel in zip(self.strips(), self._session.mix.faders, strict=True):
            if channel.feature.index in levels and not strip.fader.silent:
                strip.meter.set_level(levels[channel.feature.index])

    def _rest(self) -> None:
        for strip in self.strips():
            strip.meter.reset()

    def _keep_height(self, _low: int, high: int) -> None:
        # strips are as high with the scroll bar as without it, so that all faders of the desk stand on one line
        self._line.setContentsMargins(0, 0, 0, 0 if high else SCROLL_BAR)
        self._keep_in_view()

    def _keep_in_view(self) -> None:
        strips, focused = self.strips(), self._session.focused
        if 0 <= focused < len(strips):
            self.ensureWidgetVisible(strips[focused], 8, 0)

    def _acting(self, mix: Mix) -> set[int]:
        """Positions that are heard: not muted, and soloed if any is."""
        soloed = any(fader.soloed for fader in mix.faders)
        return {i for i, fader in enumerate(mix.faders) if not fader.muted and (fader.soloed or not soloed)}
