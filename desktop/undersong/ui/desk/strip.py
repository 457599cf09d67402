"""One channel strip: what a quality is called, its fader, its meter, mute and solo."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QContextMenuEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QMenu, QToolButton

from undersong.core.mixing import Fader as Channel
from undersong.core.mixing import Op
from undersong.ui import theme
from undersong.ui.session import Session
from undersong.ui.widgets.build import MEDIUM, column, key_button, row
from undersong.ui.widgets.elided_label import ElidedLabel
from undersong.ui.widgets.fader import Fader
from undersong.ui.widgets.level_edit import percent
from undersong.ui.widgets.meter import Meter
from undersong.ui.widgets.value_button import ValueButton

WIDTH = 117


class Strip(QFrame):
    """One channel of the session's mix.

    The fader alone takes the focus: letters, Delete and the menu key act on the strip from there. Emits ``focused``.
    """

    focused = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.position = 0
        self._channel: Channel | None = None
        self._is_shown = False
        self.setFixedWidth(WIDTH)
        self.name = ElidedLabel("", theme.ui_font(12, MEDIUM))
        self.fader = Fader(new_gesture=session.new_gesture)
        self.fader.setAccessibleDescription(
            self.tr("Per cent, from −200 to +200. M mutes, S solos, Delete removes, left and right go to other strips.")
        )
        self.fader.setToolTip(
            self.tr("Drag, or arrow keys; Shift for big steps, Alt-drag for fine ones, digits type, 0 is zero")
        )
        self.meter = Meter()
        self.value = ValueButton()
        self.mute = key_button("M", "")
        self.solo = key_button("S", "", kind="solo")
        # the letters do the same from the fader, so that a strip is one stop for Tab
        for key in (self.mute, self.solo):
            key.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        level = row(None, self.fader, self.meter, None, gap=6)
        keys = row(None, self.mute, self.solo, None, gap=5)
        layout = column(self.name, level, self.value, keys, gap=4, margins=(11, 19, 9, 10))
        layout.setStretchFactor(level, 1)
        self.setLayout(layout)
        self.fader.typing_place = self.value
        self.fader.level_changed.connect(lambda at, gesture: session.set_level(self.position, at, gesture))
        self.fader.installEventFilter(self)
        self.value.clicked.connect(self._on_value_clicked)
        self.mute.clicked.connect(lambda on: session.set_muted(self.position, on))
        self.solo.clicked.connect(lambda on: session.set_soloed(self.position, on))

    def show_channel(self, position: int, channel: Channel, acts: bool, shown: bool) -> None:
        """Show a channel; ``acts`` is False while it is muted or another is soloed, ``shown`` frames the strip."""
        self.position, self._channel, self._is_shown = position, channel, shown
        silenced = channel.op == "ablate"
        quiet = not acts
        self.name.set_text(channel.label, "ink3" if quiet else "ink")
        self.fader.set_level(channel.level)
        self.fader.set_look(position, quiet or silenced)
        self.fader.set_locked(silenced)
        self.fader.setAccessibleName(self.tr("{quality}, strength").format(quality=channel.label))
        words = self.tr("silenced") if silenced else percent(channel.level)
        self.value.say(words, quiet=quiet, small=silenced)
        self.value.setToolTip(
            self.tr("Silenced: taken out of the text wherever it shows. Click for the fader again")
            if silenced
            else self.tr("Type a level  (digits)")
        )
        self.value.setAccessibleName(self.tr("Level of {quality}").format(quality=channel.label))
        self.meter.set_channel(position)
        if quiet:
            self.meter.reset()
        self._show_key(self.mute, channel.muted, self.tr("Mute {quality}").format(quality=channel.label), "M")
        self._show_key(self.solo, channel.soloed, self.tr("Solo {quality}").format(quality=channel.label), "S")
        self.update()

    def set_shown(self, shown: bool) -> None:
        """Frame the strip whose quality is coloured in the text."""
        self._is_shown = shown
        self.update()

    def menu(self) -> QMenu:
        """The strip's context menu."""
        menu = QMenu(self)
        kinds = QActionGroup(menu)
        choices: tuple[tuple[str, Op], ...] = (
            (self.tr("More of it, or less"), "add"),
            (self.tr("Silence it"), "ablate"),
        )
        for text, op in choices:
            choice = menu.addAction(text)
            choice.setCheckable(True)
            choice.setChecked(self._channel is not None and self._channel.op == op)
            choice.triggered.connect(partial(self._choose, op))
            kinds.addAction(choice)
        menu.addSeparator()
        last = len(self._session.mix.faders) - 1
        for text, step, key in (
            (self.tr("Move left"), -1, "Ctrl+Shift+Left"),
            (self.tr("Move right"), 1, "Ctrl+Shift+Right"),
        ):
            move = menu.addAction(f"{text}\t{key}")
            move.setEnabled(0 <= self.position + step <= last)
            move.triggered.connect(lambda _on=False, step=step: self.shift(step))
        menu.addSeparator()
        remove = QAction(theme.icon("trash-2"), self.tr("Remove") + "\tDel", menu)
        remove.triggered.connect(lambda: self._session.remove(self.position))
        menu.addAction(remove)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return menu

    def shift(self, step: int) -> None:
        """Move the channel along, if there is a place."""
        self._session.move(self.position, self.position + step)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        channel = self._channel
        if channel is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            event.ignore()
        elif event.key() == Qt.Key.Key_M:
            self._session.set_muted(self.position, not channel.muted)
        elif event.key() == Qt.Key.Key_S:
            self._session.set_soloed(self.position, not channel.soloed)
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._session.remove(self.position)
        else:
            event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu().popup(event.globalPos())

    def mousePressEvent(self, event: QEvent) -> None:
        self.fader.setFocus(Qt.FocusReason.MouseFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.fader and event.type() == QEvent.Type.FocusIn:
            self.focused.emit()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = QPen(theme.colour("ink3" if self._is_shown else "line"), 1.4 if self._is_shown else 1.0)
        painter.setPen(edge)
        painter.setBrush(theme.colour("page"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.7, 0.7, -0.7, -0.7), 10, 10)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("ink3") if self.fader.silent else theme.channel_colour(self.position))
        painter.drawRoundedRect(QRectF(11, 9, 20, 3), 1.5, 1.5)

    def _choose(self, op: Op, _checked: bool = True) -> None:
        self._session.set_op(self.position, op)

    def _on_value_clicked(self) -> None:
        if self._channel is not None and self._channel.op == "ablate":
            self._session.set_op(self.position, "add")
        else:
            self.fader.begin_typing()

    def _show_key(self, key: QToolButton, on: bool, name: str, letter: str) -> None:
        key.setChecked(on)
        key.setAccessibleName(name)
        key.setToolTip(f"{name}  ({letter})")
