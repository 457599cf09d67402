"""Short ways to make labels, buttons, surfaces and rows that look right and have a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QBoxLayout, QFrame, QLabel, QLayout, QPushButton, QToolButton, QWidget

from undersong.ui import theme

Item = QWidget | QLayout | int | None
Surface = Literal["desk", "panel", "page", "card", "soft", "error", "warning", "toast", "clear", "rule"]
Margins = tuple[int, int, int, int]
MEDIUM = QFont.Weight.Medium
SEMIBOLD = QFont.Weight.DemiBold


def label(text: str = "", font: QFont | None = None, tone: str = "", wrap: bool = False) -> QLabel:
    """A label; ``tone`` is a text colour of the theme other than ink."""
    made = QLabel(text)
    made.setFont(font or theme.ui_font())
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    if tone:
        made.setProperty("tone", tone)
    return made


def set_property(widget: QWidget, name: str, value: object) -> None:
    """Set a property that the style sheet looks at, and let it look again."""
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    font = widget.font()
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    # looking again may cost the widget a font of its own
    if widget.font() != font:
        widget.setFont(font)


def surface(kind: Surface) -> QFrame:
    """A frame with one of the theme's grounds."""
    made = QFrame()
    made.setProperty("surface", kind)
    return made


def rule(orientation: Qt.Orientation = Qt.Orientation.Horizontal) -> QFrame:
    """A hairline."""
    made = surface("rule")
    if orientation == Qt.Orientation.Horizontal:
        made.setFixedHeight(1)
    else:
        made.setFixedWidth(1)
    return made


def button(
    text: str,
    *,
    icon: str = "",
    kind: str = "",
    tip: str = "",
    name: str = "",
    icon_px: int = 14,
    on_click: Callable[[], object] | None = None,
) -> QPushButton:
    """A button with words; ``kind`` is empty, ``line``, ``primary``, ``chip`` or ``dashed``."""
    # Qt leaves too little room between icon and words
    made = QPushButton(f" {text}" if icon else text)
    made.setFont(theme.ui_font(12 if kind == "chip" else 13, SEMIBOLD if kind == "primary" else MEDIUM))
    if icon:
        made.setIcon(theme.icon(icon, {"primary": "accent_ink", "line": "ink", "dashed": "ink3"}.get(kind, "ink2")))
        made.setIconSize(QSize(icon_px, icon_px))
    _finish(made, kind, tip, name or text.replace("&", ""), on_click)
    return made


def icon_button(
    icon: str,
    name: str,
    *,
    tip: str = "",
    kind: str = "icon",
    size: int = 32,
    icon_px: int = 16,
    role: str = "ink2",
    on_click: Callable[[], object] | None = None,
) -> QToolButton:
    """A square button with an icon; its name is its tooltip too, unless ``tip`` adds the shortcut."""
    made = QToolButton()
    made.setIcon(theme.icon(icon, role))
    made.setIconSize(QSize(icon_px, icon_px))
    made.setFixedSize(size, size)
    # a QToolButton takes focus by Tab only, so a click leaves the focus where the writer is
    _finish(made, kind, tip or name, name, on_click)
    return made


def key_button(
    text: str, name: str, *, kind: str = "key", width: int = 30, height: int = 22, tip: str = ""
) -> QToolButton:
    """A small key with a letter on it that stays down: M, S, A, B."""
    made = QToolButton()
    made.setText(text)
    made.setCheckable(True)
    made.setFont(theme.ui_font(11, SEMIBOLD))
    made.setFixedSize(width, height)
    _finish(made, kind, tip or name, name, None)
    return made


def _finish(
    made: QPushButton | QToolButton, kind: str, tip: str, name: str, on_click: Callable[[], object] | None
) -> None:
    if kind:
        made.setProperty("kind", kind)
    made.setToolTip(tip)
    made.setAccessibleName(name)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    if on_click is not None:
        made.clicked.connect(lambda _checked=False: on_click())


def row(*items: Item, gap: int = 8, margins: Margins = (0, 0, 0, 0)) -> QBoxLayout:
    """Items from left to right; a number is a space, None stretches."""
    return _line(QBoxLayout.Direction.LeftToRight, items, gap, margins)


def column(*items: Item, gap: int = 8, margins: Margins = (0, 0, 0, 0)) -> QBoxLayout:
    """Items from top to bottom; a number is a space, None stretches."""
    return _line(QBoxLayout.Direction.TopToBottom, items, gap, margins)


def _line(direction: QBoxLayout.Direction, items: tuple[Item, ...], gap: int, margins: Margins) -> QBoxLayout:
    line = QBoxLayout(direction)
    line.setSpacing(gap)
    line.setContentsMargins(*margins)
    for item in items:
        if item is None:
            line.addStretch(1)
        elif isinstance(item, int):
            line.addSpacing(item)
        elif isinstance(item, QLayout):
            line.addLayout(item)
        else:
            line.addWidget(item)
    return line
