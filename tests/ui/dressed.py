"""What the tests of widgets share: the theme put on, a made-up library, a mix, and names for what is on screen."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QScrollBar, QWidget

from undersong.core.features import Example, FeatureCard, Hit
from undersong.core.messages import Results
from undersong.core.mixing import Fader, FeatureRef, Mix
from undersong.core.project import SessionState
from undersong.ui import theme
from undersong.ui.session import Session

LABELS = ("Things left unsaid", "Salt, tide and weather", "Short, plain sentences", "Waiting for someone who is late")
LEVELS = (0.8, 0.45, -0.5, 0.2)
SPARK = tuple(round((i * 7 % 22) / 22, 2) for i in range(22))


def dress(application: QApplication, scheme: theme.Scheme = "light") -> None:
    """Put the theme on, with the bundled fonts."""
    theme.load_fonts()
    theme.apply(application, scheme)


def hits(count: int = 8) -> tuple[Hit, ...]:
    """Search hits; the first four are those of ``mix``, the last one has an unclear name."""
    names = [*LABELS, "Grief shown through objects", "Silence after bad news", "Empty chairs", "Letters of condolence"]
    return tuple(
        Hit(i, name, 0.94 - 0.05 * i, 0.003 / (i + 1), SPARK[i:] + SPARK[:i], clear=i < 7)
        for i, name in enumerate(names[:count])
    )


def results(query: str = "sorrow", *, nearest: bool = False, count: int = 8) -> Results:
    """What a search found."""
    return Results(1, query, hits(count), 3072, nearest)


def mix(count: int = 4) -> Mix:
    """A mix of the first hits."""
    faders = (Fader(FeatureRef("sae", i), LEVELS[i], label=LABELS[i]) for i in range(count))
    return Mix("Salt and quiet", tuple(faders))


def session(count: int = 4) -> Session:
    """A session without engine, with a mix on the desk."""
    state = SessionState()
    state.mix_a = mix(count)
    return Session(state=state)


def card(feature: int = 4, *, clear: bool = True, density: float = 0.0018) -> FeatureCard:
    """What a library knows of a feature."""
    pieces = ("After", " that", " he", " kept", " the", " second", " key", " on", " its", " hook", ".")
    values = (0.0, 0.0, 0.0, 0.2, 0.7, 0.9, 1.0, 0.3, 0.0, 0.0, 0.0)
    words = (" silence", " folded", " empty"), (" shouted", " laughing")
    example = Example(pieces, values)
    return FeatureCard(
        feature, "Grief shown through objects", clear, 0.9, density, 12.0, *words, examples=(example,) * 3
    )


def nameless(root: QWidget) -> list[str]:
    """Widgets that Tab reaches and a screen reader has no name for."""
    found = []
    for widget in [root, *root.findChildren(QWidget)]:
        reachable = widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        if not reachable or isinstance(widget, QScrollBar):
            continue
        spoken = QAccessible.queryAccessibleInterface(widget)
        if not spoken or not spoken.text(QAccessible.Text.Name).strip():
            found.append(f"{type(widget).__name__} {widget.objectName()}")
    return found
