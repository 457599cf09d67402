"""Settings: colours and the size of the writing. Each acts at once; there is nothing to confirm."""

from __future__ import annotations

from PySide6.QtWidgets import QButtonGroup, QFormLayout, QSpinBox, QWidget

from undersong.ui import theme
from undersong.ui.dialogs.sheet import Sheet
from undersong.ui.session import Session
from undersong.ui.widgets.build import label, row
from undersong.ui.widgets.chip import filter_chip

LEAST_SIZE, MOST_SIZE = 10, 40


class SettingsSheet(Sheet):
    """Shows and changes the settings of a session."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.set_title(self.tr("Settings"))
        self._session = session
        self._form = QFormLayout()
        self._form.setHorizontalSpacing(24)
        self._form.setVerticalSpacing(10)
        self.add(self._form)
        self.colours = self._colours()
        self._add(self.tr("Colours"), self.colours, self.tr("Light or dark, or what the system wears"))
        self.prose = QSpinBox()
        self.prose.setRange(LEAST_SIZE, MOST_SIZE)
        self.prose.setSuffix(self.tr(" px"))
        self.prose.lineEdit().setAccessibleName(self.tr("Size of the writing"))
        self.prose.setValue(session.settings.prose_size)
        self.prose.valueChanged.connect(lambda size: session.set_settings(prose_size=size))
        self._add(self.tr("Size of the writing"), self.prose, self.tr("In the opening and in both panes"))
        self.add(
            label(self.tr("Everything you write is saved by itself, on this computer."), theme.ui_font(12), "ink3")
        )

    def _colours(self) -> QWidget:
        holder = QWidget()
        choices = []
        self._group = QButtonGroup(self)
        for scheme, words in (
            ("system", self.tr("As the system")),
            ("light", self.tr("Light")),
            ("dark", self.tr("Dark")),
        ):
            chip = filter_chip(words, words, checked=scheme == self._session.settings.theme)
            chip.clicked.connect(lambda _on=False, scheme=scheme: self._session.set_settings(theme=scheme))
            self._group.addButton(chip)
            choices.append(chip)
        holder.setLayout(row(*choices, None, gap=5))
        return holder

    def _add(self, name: str, control: QWidget, tip: str) -> None:
        words = label(name)
        words.setBuddy(control)
        words.setMinimumHeight(control.sizeHint().height())
        control.setAccessibleName(name)
        control.setAccessibleDescription(tip)
        control.setToolTip(tip)
        self._form.addRow(words, control)
