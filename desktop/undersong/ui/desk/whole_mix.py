"""The last fader of the desk: how much of the whole mix is heard."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame

from undersong.core.mixing import MOST_MASTER
from undersong.ui import theme
from undersong.ui.desk.strip_row import SCROLL_BAR
from undersong.ui.session import Session
from undersong.ui.widgets.build import MEDIUM, column, label, row
from undersong.ui.widgets.elided_label import lines_height
from undersong.ui.widgets.fader import Fader
from undersong.ui.widgets.level_edit import percent
from undersong.ui.widgets.value_button import ValueButton


class WholeMix(QFrame):
    """The whole-mix fader, 0 to 150 %, and its value."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setFixedWidth(104)
        title = label(self.tr("Whole mix"), theme.ui_font(12, MEDIUM))
        title.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        title.setFixedHeight(lines_height(title.font(), 2))
        self.fader = Fader(low=0.0, high=MOST_MASTER, rest=1.0, new_gesture=session.new_gesture)
        self.fader.setAccessibleName(self.tr("Whole mix, strength"))
        self.fader.setAccessibleDescription(self.tr("Per cent, from 0 to 150; 100 is every fader as it stands"))
        self.fader.setToolTip(self.tr("How much of the whole mix is heard; a double click is 100%"))
        self.value = ValueButton()
        self.value.setAccessibleName(self.tr("Level of the whole mix"))
        self.value.setToolTip(self.tr("Type a level  (digits)"))
        level = row(None, self.fader, None)
        # as much room below as the strips' keys take, so that all faders stand on one line
        layout = column(title, level, self.value, 26, gap=4, margins=(8, 19, 8, 10 + SCROLL_BAR))
        layout.setStretchFactor(level, 1)
        self.setLayout(layout)
        self.fader.typing_place = self.value
        self.fader.level_changed.connect(session.set_master)
        self.value.clicked.connect(lambda: self.fader.begin_typing())
        session.mix_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        self.fader.set_level(self._session.mix.master)
        self.value.say(percent(self._session.mix.master, signed=False))
