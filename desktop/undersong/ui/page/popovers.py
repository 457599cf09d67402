"""Small cards that open below a button: the seed, and everything about how words are drawn."""

from __future__ import annotations

import random

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QDoubleSpinBox,
    QFormLayout,
    QFrame,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from undersong.ui import theme
from undersong.ui.session import Session
from undersong.ui.widgets.build import SEMIBOLD, button, label
from undersong.ui.writing import SEEDS


class Popover(QFrame):
    """A card that closes when the writer clicks elsewhere or presses Esc."""

    def __init__(self, parent: QWidget, title: str) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("surface", "card")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setAccessibleName(title)
        self.lines = QVBoxLayout(self)
        self.lines.setContentsMargins(18, 14, 18, 16)
        self.lines.setSpacing(10)
        self.lines.addWidget(label(title, theme.ui_font(13, SEMIBOLD)))

    def show_below(self, anchor: QWidget) -> None:
        """Open with the right edge at the anchor's, inside the window."""
        self.adjustSize()
        corner = anchor.mapToGlobal(QPoint(anchor.width() - self.width(), anchor.height() + 6))
        left = anchor.window().mapToGlobal(QPoint(8, 0)).x()
        self.move(max(left, corner.x()), corner.y())
        self.show()


class SeedPopover(Popover):
    """The seed, and whether it stays."""

    def __init__(self, parent: QWidget, session: Session) -> None:
        super().__init__(parent, self.tr("Seed"))
        self.lines.addWidget(
            label(self.tr("The same seed, opening and mix give the same text again."), theme.ui_font(12), "ink2")
        )
        self.number = QSpinBox()
        self.number.setRange(0, 2**31 - 1)
        self.number.setValue(session.sampling.seed)
        self.number.setAccessibleName(self.tr("Seed"))
        self.number.lineEdit().setAccessibleName(self.tr("Seed"))
        self.number.valueChanged.connect(lambda seed: session.set_sampling(seed=seed))
        self.lines.addWidget(self.number)
        stay = QRadioButton(self.tr("Keep this seed for every take"))
        fresh = QRadioButton(self.tr("Draw a new one for every take"))
        self._choice = QButtonGroup(self)
        for option in (stay, fresh):
            self._choice.addButton(option)
            self.lines.addWidget(option)
        (stay if session.seed_locked else fresh).setChecked(True)
        stay.toggled.connect(session.set_seed_locked)
        draw = button(
            self.tr("Draw one now"),
            icon="dices",
            kind="line",
            on_click=lambda: self.number.setValue(random.randrange(1, SEEDS)),
        )
        self.lines.addWidget(draw, 0, Qt.AlignmentFlag.AlignLeft)
        self.number.setFocus()
        self.number.selectAll()


class SamplingPopover(Popover):
    """Every setting that decides which word is drawn."""

    def __init__(self, parent: QWidget, session: Session) -> None:
        super().__init__(parent, self.tr("How words are drawn"))
        self._session = session
        self._form = QFormLayout()
        self._form.setHorizontalSpacing(18)
        self._form.setVerticalSpacing(8)
        self.lines.addLayout(self._form)
        for name, field, least, most, tip in self._numbers():
            box = QDoubleSpinBox()
            box.setRange(least, most)
            box.setDecimals(2)
            box.setSingleStep(0.05)
            self._add(name, box, field, tip)
        count = QSpinBox()
        count.setRange(0, 1000)
        self._add(self.tr("Top-k"), count, "top_k", self.tr("Only this many of the likeliest words; 0 is all."))
        self.lines.addWidget(
            label(self.tr("The same in both panes, from the next take on."), theme.ui_font(12), "ink3")
        )

    def _numbers(self) -> list[tuple[str, str, float, float, str]]:
        """Name, field, least and greatest value, and what it does."""
        temperature = self.tr("0 always takes the likeliest word; above 1 the unlikely ones come up.")
        top_p = self.tr("Only the likeliest words that together have this probability; 1 is all.")
        min_p = self.tr("Leave out words less likely than this share of the likeliest; 0 is off.")
        penalty = self.tr("Makes words that were used already less likely; 1 is off.")
        least = self.tr("Share of the words that must be written before a text may end; 1 goes on to the last word.")
        return [
            (self.tr("Temperature"), "temperature", 0, 2, temperature),
            (self.tr("Top-p"), "top_p", 0.05, 1, top_p),
            (self.tr("Min-p"), "min_p", 0, 0.95, min_p),
            (self.tr("Repetition penalty"), "repetition_penalty", 1, 3, penalty),
            (self.tr("May end after"), "least", 0, 1, least),
        ]

    def _add(self, name: str, box: QSpinBox | QDoubleSpinBox, field: str, tip: str) -> None:
        box.setValue(getattr(self._session.sampling, field))
        box.valueChanged.connect(lambda value: self._session.set_sampling(**{field: round(value, 4)}))
        words = label(name, theme.ui_font(13))
        words.setBuddy(box)
        words.setMinimumHeight(box.sizeHint().height())
        for widget in (words, box):
            widget.setToolTip(tip)
        box.setAccessibleName(name)
        box.lineEdit().setAccessibleName(name)
        box.setAccessibleDescription(tip)
        box.setMinimumWidth(92)
        self._form.addRow(words, box)
