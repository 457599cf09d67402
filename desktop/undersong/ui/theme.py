"""Colours, fonts and icons: the one place every painting code and style sheet takes them from.

Qt's own colour scheme does nothing without a desktop behind it, so palette and style sheet are made here. Painting code
asks for a colour each time it paints, and icons are drawn by a themed engine, so that switching needs no rebuilding.
"""

from __future__ import annotations

import functools
import string
import tomllib
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QByteArray, QObject, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QGuiApplication,
    QIcon,
    QIconEngine,
    QPainter,
    QPalette,
    QPixmap,
    QPixmapCache,
)
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from undersong.core.paths import resource

Scheme = Literal["system", "light", "dark"]
FILLED = frozenset({"play", "square", "circle"})
"""Icons that are drawn as solid shapes."""
STROKE = "1.75"
"""Width of icon strokes, of 24; Lucide's own 2 is heavy beside Inter."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The colours and measures of one theme file."""

    dark: bool
    """True for light text on dark ground."""
    focus_width: float
    """Pixels of a painted focus ring."""
    colours: dict[str, QColor]
    """Role to colour; light.toml says what each role is for."""
    channels: tuple[QColor, ...]
    """Colours of the channels of a mix, in order."""
    heat: dict[str, tuple[float, float]]
    """``channel`` and ``unmixed``: alpha of a highlight is the first number plus the second times the activation."""


class Theme(QObject):
    """The theme the application wears now."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.tokens = read_tokens("light")
        self.scheme: Scheme = "system"
        self._application: QApplication | None = None

    def apply(self, application: QApplication, scheme: Scheme) -> None:
        """Dress the application in a scheme; ``system`` follows the desktop from now on."""
        self.scheme = scheme
        hints = application.styleHints()
        if self._application is not application:
            self._application = application
            application.setStyle("Fusion")
            hints.colorSchemeChanged.connect(self._follow_system)
        # native title bars and file dialogs follow this on Windows and macOS
        if scheme == "system":
            hints.unsetColorScheme()
        else:
            hints.setColorScheme(Qt.ColorScheme.Dark if scheme == "dark" else Qt.ColorScheme.Light)
        self._dress()

    def _follow_system(self) -> None:
        if self.scheme == "system":
            self._dress()

    def _dress(self) -> None:
        application = self._application
        if application is None:
            return
        hints = application.styleHints()
        system_is_dark = hints.colorScheme() == Qt.ColorScheme.Dark
        dark = system_is_dark if self.scheme == "system" else self.scheme == "dark"
        self.tokens = read_tokens(("high_contrast_" if _wants_contrast() else "") + ("dark" if dark else "light"))
        application.setPalette(palette(self.tokens))
        application.setFont(ui_font())
        application.setStyleSheet(style_sheet(self.tokens))
        self.changed.emit()


@functools.cache
def theme() -> Theme:
    """The application's theme."""
    return Theme()


def apply(application: QApplication, scheme: Scheme) -> None:
    """Dress the application; see Theme.apply."""
    theme().apply(application, scheme)


def is_dark() -> bool:
    """True when the theme is a dark one."""
    return theme().tokens.dark


def colour(role: str, alpha: float = 1.0) -> QColor:
    """The colour of a role, as a fresh object."""
    chosen = QColor(theme().tokens.colours[role])
    if alpha != 1.0:
        chosen.setAlphaF(chosen.alphaF() * alpha)
    return chosen


def channel_colour(channel: int) -> QColor:
    """The colour of a channel of the mix; -1 is the colour of qualities that are not in it."""
    channels = theme().tokens.channels
    return QColor(channels[channel % len(channels)]) if channel >= 0 else colour("heat")


def heat_colour(channel: int, value: float) -> QColor:
    """The highlight under a word on which a quality shows with ``value``, 0 … 1."""
    base, slope = theme().tokens.heat["channel" if channel >= 0 else "unmixed"]
    chosen = channel_colour(channel)
    chosen.setAlphaF(base + slope * min(1.0, max(0.0, value)))
    return chosen


@functools.cache
def read_tokens(name: str) -> Tokens:
    """The tokens of resources/themes/<name>.toml."""
    raw = tomllib.loads(resource("themes", f"{name}.toml").read_text("utf-8"))
    return Tokens(
        dark=raw["dark"],
        focus_width=raw["focus_width"],
        colours={role: QColor(value) for role, value in raw["colours"].items()},
        channels=tuple(QColor(value) for value in raw["channels"]),
        heat={kind: (figures["base"], figures["slope"]) for kind, figures in raw["heat"].items()},
    )


def palette(tokens: Tokens) -> QPalette:
    """Qt's palette in the colours of a theme."""
    role = QPalette.ColorRole
    made = QPalette()
    pairs = {
        role.Window: "desk",
        role.Base: "page",
        role.AlternateBase: "panel",
        role.WindowText: "ink",
        role.Text: "ink",
        role.Button: "panel",
        role.ButtonText: "ink",
        role.ToolTipBase: "ink",
        role.ToolTipText: "page",
        role.PlaceholderText: "ink3",
        role.HighlightedText: "ink",
        role.Accent: "accent",
        role.Link: "less",
        role.Mid: "line",
        role.Dark: "line_strong",
        role.Light: "page",
    }
    for where, name in pairs.items():
        made.setColor(where, tokens.colours[name])
    for where in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, where, tokens.colours["ink3"])
    selection = QColor(tokens.colours["accent"])
    selection.setAlpha(74)
    made.setColor(role.Highlight, selection)
    return made


def style_sheet(tokens: Tokens) -> str:
    """The style sheet in the colours of a theme."""
    sheet = string.Template(resource("themes", "undersong.qss").read_text("utf-8"))
    return sheet.substitute({role: value.name() for role, value in tokens.colours.items()})


@functools.cache
def load_fonts() -> None:
    """Make the bundled fonts known to Qt, once; to be called before any widget is made."""
    for path in sorted(resource("fonts").glob("*.ttf")):
        QFontDatabase.addApplicationFont(str(path))


def ui_font(px: int = 13, weight: QFont.Weight = QFont.Weight.Normal, tabular: bool = False) -> QFont:
    """The interface's font; ``tabular`` digits keep numbers from dancing."""
    font = _font("Inter", px, weight)
    if tabular:
        font.setFeature(QFont.Tag("tnum"), 1)
    return font


def prose_font(px: int = 17, weight: QFont.Weight = QFont.Weight.Normal, italic: bool = False) -> QFont:
    """The font of everything that was written, and of titles."""
    font = _font("Literata", px, weight)
    font.setItalic(italic)
    return font


def _font(family: str, px: int, weight: QFont.Weight) -> QFont:
    font = QFont(family)
    font.setPixelSize(px)
    font.setWeight(weight)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font


def pixmap(name: str, ink: QColor, size: int = 16, ratio: float = 0.0) -> QPixmap:
    """An icon in one colour, ``size`` wide on screen; ``ratio`` is the screen's, the application's if 0."""
    ratio = ratio or QGuiApplication.instance().devicePixelRatio()  # type: ignore[union-attr]
    key = f"undersong {name} {ink.name(QColor.NameFormat.HexArgb)} {size} {ratio}"
    found = QPixmap()
    if QPixmapCache.find(key, found):
        return found
    drawn = QPixmap(QSize(size, size) * ratio)
    drawn.setDevicePixelRatio(ratio)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    QSvgRenderer(QByteArray(_svg(name, ink.name()).encode())).render(painter, QRectF(0, 0, size, size))
    painter.end()
    QPixmapCache.insert(key, drawn)
    return drawn


def icon(name: str, role: str = "ink2", checked_role: str = "") -> QIcon:
    """An icon in the colour of a role; it follows the theme and says when it is disabled or checked."""
    return QIcon(ThemedIcon(name, role, checked_role))


class ThemedIcon(QIconEngine):
    """Draws an icon in the colour its role has at that moment."""

    _clones: list[ThemedIcon] = []  # noqa: RUF012  Qt owns clones without telling Python, so they must never be collected

    def __init__(self, name: str, role: str, checked_role: str = "") -> None:
        super().__init__()
        self._name, self._role, self._checked_role = name, role, checked_role

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        size = min(rect.width(), rect.height())
        drawn = pixmap(self._name, self._ink(mode, state), size, painter.device().devicePixelRatioF())
        painter.drawPixmap(rect.x() + (rect.width() - size) // 2, rect.y() + (rect.height() - size) // 2, drawn)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return pixmap(self._name, self._ink(mode, state), min(size.width(), size.height()), 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        return pixmap(self._name, self._ink(mode, state), min(size.width(), size.height()), scale)

    def clone(self) -> ThemedIcon:
        twin = ThemedIcon(self._name, self._role, self._checked_role)
        ThemedIcon._clones.append(twin)
        return twin

    def _ink(self, mode: QIcon.Mode, state: QIcon.State) -> QColor:
        if mode == QIcon.Mode.Disabled:
            return colour("ink3")
        if state == QIcon.State.On and self._checked_role:
            return colour(self._checked_role)
        return colour(self._role)


@functools.cache
def _svg(name: str, ink: str) -> str:
    drawing = resource("icons", f"{name}.svg").read_text("utf-8").replace("currentColor", ink)
    drawing = drawing.replace('stroke-width="2"', f'stroke-width="{STROKE}"')
    return drawing.replace('fill="none"', f'fill="{ink}"') if name in FILLED else drawing


def _wants_contrast() -> bool:
    """True when the system asks for more contrast; Qt can tell from 6.10 on."""
    hints = QGuiApplication.styleHints()
    if not hasattr(hints, "accessibility"):
        return False
    return hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast
