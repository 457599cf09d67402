"""The window: menus above, search at the left, opening and panes in the centre, the mixer below; and who hears whom.

The only place where panels, actions and dialogs meet. What belongs where it stands (layout, overlay, regions) is here;
everything about the writing is the session's.
"""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt
from PySide6.QtGui import QCloseEvent, QColor, QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QGraphicsDropShadowEffect,
    QMainWindow,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from undersong.ui.actions import Actions
from undersong.ui.desk.mixer_panel import MixerPanel
from undersong.ui.dialogs.first_run import FirstRun
from undersong.ui.dialogs.palette import Palette
from undersong.ui.lists.search_panel import SearchPanel
from undersong.ui.page.header import Header
from undersong.ui.page.opening_card import OpeningCard
from undersong.ui.panes.pane_pair import PanePair
from undersong.ui.session import EngineState, Session
from undersong.ui.widgets.banner import Banner, Toast
from undersong.ui.widgets.build import column, rule, surface
from undersong.ui.wiring import Wiring

LEAST_WIDTH, LEAST_HEIGHT = 900, 600
OVERLAY_BELOW = 1200
"""In a window narrower than this the sidebar lies over the page and comes and goes."""
ROOMY_ABOVE = 700
"""A window lower than this saves room wherever it can."""
MIXER_HEIGHT, SIDEBAR_WIDTH = 304, 312


class Window(QMainWindow):
    """Undersong's window on one session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.setMinimumSize(LEAST_WIDTH, LEAST_HEIGHT)
        self.actions_ = Actions(self)
        self.header = Header(session, self.actions_, self)
        self.search = SearchPanel(session)
        self.banner = Banner()
        self.opening = OpeningCard(session)
        self.panes = PanePair(session)
        self.mixer = MixerPanel(session)
        self.first_run = FirstRun(session)
        self._sidebar_wanted = session.saved.layout.get("sidebar", "shown") == "shown"
        self._overlaid = False
        self._shadow = edge_shadow()
        self.search.setGraphicsEffect(self._shadow)
        self._lay_out()
        self.toast = Toast(self.centre)
        self.palette_ = Palette(session, self.actions_, self)
        self._wiring = Wiring(self)
        self._restore()
        self.show_title()

    def _lay_out(self) -> None:
        self.centre = QFrame()
        self._middle = middle = QVBoxLayout(self.centre)
        for widget in (self.banner, self.opening):
            middle.addWidget(widget)
        middle.addWidget(self.panes, 1)
        self.upright = QSplitter(Qt.Orientation.Vertical)
        self.level = QSplitter(Qt.Orientation.Horizontal)
        for splitter in (self.upright, self.level):
            splitter.setProperty("kind", "rule")
            splitter.setHandleWidth(1)
            splitter.setChildrenCollapsible(False)
        self.upright.addWidget(self.centre)
        self.upright.addWidget(self.mixer)
        self.upright.setStretchFactor(0, 1)
        self.level.addWidget(self.search)
        self.level.addWidget(self.upright)
        self.level.setStretchFactor(1, 1)
        self.level.setSizes([SIDEBAR_WIDTH, 10_000])
        self.upright.setSizes([10_000, MIXER_HEIGHT])
        self.pages = QStackedWidget()
        self.pages.addWidget(self.first_run)
        self.pages.addWidget(self.level)
        self.level.installEventFilter(self)
        root = surface("desk")
        root.setLayout(column(self.header, rule(), self.pages, gap=0))
        self.setCentralWidget(root)

    def show_title(self) -> None:
        """Put the story's title into the window's."""
        self.setWindowTitle(self.tr("{0} – Undersong").format(self.session.title))

    def begin(self) -> None:
        """Leave the first-run page for the desk."""
        self.session.set_layout("page", "desk")
        self.pages.setCurrentWidget(self.level)
        self.opening.focus_opening()

    @property
    def sidebar_shown(self) -> bool:
        """True while the search panel can be seen."""
        return not self.search.isHidden()

    def show_sidebar(self, shown: bool) -> None:
        """Show or hide the search panel; as an overlay it is not remembered."""
        if not self._overlaid:
            self._sidebar_wanted = shown
            self.session.set_layout("sidebar", "shown" if shown else "hidden")
        self.search.setVisible(shown)
        if shown and self._overlaid:
            self._place_overlay()
        self.actions_["sidebar"].setChecked(shown)
        self.header.offer_sidebar(self._overlaid or not shown)

    def show_mixer(self, shown: bool) -> None:
        """Show or hide the mixing desk."""
        self.mixer.setVisible(shown)
        self.session.set_layout("mixer", "shown" if shown else "hidden")
        self.actions_["mixer"].setChecked(shown)

    def find_quality(self) -> None:
        """Put the keyboard into the search field, and the panel in sight."""
        self.show_sidebar(True)
        self.search.focus_search()

    def step_region(self, by: int) -> None:
        """Give the keyboard to the next or previous region that can be seen."""
        regions: list[QWidget] = [self.opening.edit, self.panes.base.view, self.panes.mix.view, self.mixer, self.search]
        seen = [region for region in regions if region.isVisible()]
        if not seen:
            return
        focus = QApplication.focusWidget()
        inside = [
            i for i, region in enumerate(seen) if focus is not None and (region is focus or region.isAncestorOf(focus))
        ]
        region = seen[((inside[0] if inside else -1) + by) % len(seen)]
        if region is self.search:
            self.search.focus_search()
        elif region is self.mixer:
            self.mixer.focus_strip(max(0, self.session.focused))
        else:
            region.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc stops; then it closes the overlay; then it lets go of the inspected quality and of the focus."""
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self.session.state is EngineState.STREAMING:
            self.session.stop()
        elif self._overlaid and self.sidebar_shown:
            self.show_sidebar(False)
        else:
            self.session.clear_inspect()
            focus = self.focusWidget()
            if focus is not None:
                focus.clearFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.level and event.type() == QEvent.Type.Resize:
            self._arrange()
        return False

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember the layout, save, and end the engine; the window has gone before that takes any time."""
        self.save_layout()
        self.hide()
        self.session.close()
        event.accept()

    def save_layout(self) -> None:
        """Let the session remember where everything is."""
        parts = {"window": self.saveGeometry(), "upright": self.upright.saveState(), "level": self.level.saveState()}
        parts["search"] = self.search.splitter.saveState()
        if self._overlaid:
            del parts["level"]
        for name, state in parts.items():
            self.session.set_layout(name, bytes(state.toBase64().data()).decode("ascii"))

    def _restore(self) -> None:
        layout = self.session.saved.layout

        def state(name: str) -> QByteArray:
            return QByteArray.fromBase64(layout.get(name, "").encode("ascii", "replace"))

        if not self.restoreGeometry(state("window")):
            self.resize(1440, 900)
        for name, splitter in (("upright", self.upright), ("level", self.level), ("search", self.search.splitter)):
            splitter.restoreState(state(name))
        self.show_mixer(layout.get("mixer", "shown") == "shown")
        self.show_sidebar(self._sidebar_wanted)
        fresh = layout.get("page") != "desk" and not self.session.opening and not self.session.takes
        self.pages.setCurrentWidget(self.first_run if fresh else self.level)
        if fresh:
            self.first_run.setFocus()
        else:
            self.opening.focus_opening()

    def _arrange(self) -> None:
        """Save room in a low window; lay the sidebar over the page in a narrow window, or beside it in a wide one."""
        self.opening.edit.set_fewest_lines(2 if self.height() >= ROOMY_ABOVE else 1)
        margin = 14 if self.height() >= ROOMY_ABOVE else 8
        self._middle.setContentsMargins(14, margin, 14, margin)
        self._middle.setSpacing(margin - 2)
        narrow = self.level.width() < OVERLAY_BELOW
        if narrow == self._overlaid:
            if narrow and self.sidebar_shown:
                self._place_overlay()
            return
        self._overlaid = narrow
        self._shadow.setEnabled(narrow)
        if narrow:
            self.search.setParent(self.level.parentWidget())
            self.show_sidebar(False)
        else:
            self.level.insertWidget(0, self.search)
            self.level.setSizes([SIDEBAR_WIDTH, self.level.width() - SIDEBAR_WIDTH])
            self.show_sidebar(self._sidebar_wanted)

    def _place_overlay(self) -> None:
        self.search.setGeometry(0, 0, SIDEBAR_WIDTH, self.level.height())
        self.search.raise_()


def edge_shadow() -> QGraphicsDropShadowEffect:
    """The shadow of a panel that lies over the page."""
    shadow = QGraphicsDropShadowEffect()
    shadow.setBlurRadius(28)
    shadow.setOffset(2, 0)
    shadow.setColor(QColor(0, 0, 0, 70))
    shadow.setEnabled(False)
    return shadow
