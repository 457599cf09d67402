"""About Undersong: what it is, its versions and its licences."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from undersong.ui import theme
from undersong.ui.dialogs.engine_sheet import versions
from undersong.ui.dialogs.sheet import Sheet
from undersong.ui.widgets.build import label


class AboutSheet(Sheet):
    """A few sentences."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.set_title(self.tr("Undersong"))
        self.setMinimumWidth(520)
        what = self.tr(
            "Steer a language model’s prose from the inside: search the qualities it has learned, mix them with "
            "faders, and read what it writes with the mix and without it. Everything runs on this computer."
        )
        licences = self.tr(
            "Apache License 2.0. Type: Literata and Inter (Open Font License). Icons: Lucide (ISC). "
            "The starter’s model card tells what it was made from."
        )
        self.add(label(what, theme.ui_font(13), wrap=True))
        self.add(label(licences, theme.ui_font(12), "ink2", wrap=True))
        self.add(label(versions(), theme.ui_font(12), "ink3", wrap=True))
