"""Every action of the window, once: its words, its keys and its menu. The window connects them to the session."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QAction, QActionGroup, QKeySequence, QShortcut
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

CHANNEL_KEYS = 8
"""So many channels can be focused by number."""
RULE = None


@dataclass(frozen=True, slots=True)
class Spec:
    """How an action looks."""

    name: str
    """Names it in code."""
    text: str
    """Its words in menus and in the command palette."""
    keys: str = ""
    """Its shortcut; several are parted by a space."""
    tip: str = ""
    """A sentence about what it does, where its words do not say it."""
    checkable: bool = False
    """True when it stays on."""


class Actions(QWidget):
    """All actions by name, and the menus they stand in; an invisible child of the window."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.hide()
        self._by_name: dict[str, QAction] = {}
        self._menus: list[tuple[str, list[Spec | None]]] = [
            (self.tr("&File"), self._file()),
            (self.tr("&Edit"), self._edit()),
            (self.tr("&View"), self._view()),
            (self.tr("&Mix"), self._mix()),
            (self.tr("&Help"), self._help()),
        ]
        for _, specs in self._menus:
            for spec in specs:
                if spec is not None:
                    self._make(spec, window)
        themes = QActionGroup(self)
        for name in ("theme_system", "theme_light", "theme_dark"):
            themes.addAction(self[name])

    def __getitem__(self, name: str) -> QAction:
        return self._by_name[name]

    def all(self) -> list[QAction]:
        """Every action, in the order of the menus."""
        return list(self._by_name.values())

    def by_menu(self) -> list[tuple[str, list[QAction]]]:
        """The menus' titles, each with its actions."""
        return [
            (title.replace("&", ""), [self[spec.name] for spec in specs if spec is not None])
            for title, specs in self._menus
        ]

    def fill(self, bar: QMenuBar, window: QWidget) -> None:
        """Put the menus into a menu bar.

        Alt and a letter open a menu by a shortcut, because Qt would draw a line under the letter at all times.
        """
        for title, specs in self._menus:
            menu = bar.addMenu(title.replace("&", ""))
            key = QShortcut(QKeySequence(f"Alt+{title.partition('&')[2][:1]}"), window)
            key.activated.connect(lambda menu=menu: bar.setActiveAction(menu.menuAction()))
            menu.setToolTipsVisible(True)
            self._fill_menu(menu, specs)

    def _fill_menu(self, menu: QMenu, specs: list[Spec | None]) -> None:
        for spec in specs:
            if spec is None:
                menu.addSeparator()
            else:
                menu.addAction(self[spec.name])

    def _make(self, spec: Spec, window: QWidget) -> None:
        action = QAction(spec.text, window)
        action.setObjectName(spec.name)
        action.setShortcuts([QKeySequence(keys) for keys in spec.keys.split()])
        action.setCheckable(spec.checkable)
        plain = spec.text.replace("&", "").split("\t")[0]
        action.setIconText(plain)
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip((spec.tip or plain) + (f"  ({keys})" if keys else ""))
        window.addAction(action)
        self._by_name[spec.name] = action

    def _file(self) -> list[Spec | None]:
        return [
            Spec("open_text", self.tr("&Open a text as the opening…"), "Ctrl+O"),
            RULE,
            Spec("open_model", self.tr("Open a &model folder…"), "Ctrl+Shift+O"),
            Spec("use_starter", self.tr("Use the &starter model")),
            Spec("restart_engine", self.tr("&Restart the engine")),
            RULE,
            Spec("settings", self.tr("S&ettings…"), "Ctrl+,"),
            Spec("quit", self.tr("&Quit"), "Ctrl+Q"),
        ]

    def _edit(self) -> list[Spec | None]:
        return [
            Spec("undo", self.tr("&Undo"), "Ctrl+Z", self.tr("Take the last move on the mix back")),
            Spec("redo", self.tr("&Redo"), "Ctrl+Shift+Z Ctrl+Y", self.tr("Make it again")),
            RULE,
            Spec("copy_mix", self.tr("Copy the text &with the mix"), "Ctrl+Shift+C"),
            Spec("copy_base", self.tr("Copy the text with&out the mix")),
            RULE,
            Spec("find", self.tr("&Find a quality"), "Ctrl+L /"),
            Spec("palette", self.tr("&Commands and qualities…"), "Ctrl+K"),
        ]

    def _view(self) -> list[Spec | None]:
        return [
            Spec("sidebar", self.tr("&Search panel"), "Ctrl+B", checkable=True),
            Spec("mixer", self.tr("Mi&xer"), "Ctrl+J", checkable=True),
            Spec("plain", self.tr("&Plain version beside"), "Ctrl+D", checkable=True),
            Spec("heat", self.tr("&Colour words by the quality"), "Ctrl+9", checkable=True),
            Spec("link_panes", self.tr("Scroll both panes &together"), checkable=True),
            RULE,
            Spec("larger", self.tr("&Larger writing"), "Ctrl+= Ctrl++"),
            Spec("smaller", self.tr("S&maller writing"), "Ctrl+-"),
            Spec("normal_size", self.tr("&Normal writing size"), "Ctrl+0"),
            RULE,
            Spec("theme_system", self.tr("Colours of the s&ystem"), checkable=True),
            Spec("theme_light", self.tr("L&ight"), checkable=True),
            Spec("theme_dark", self.tr("&Dark"), checkable=True),
            RULE,
            Spec("next_region", self.tr("Next &region"), "F6"),
            Spec("previous_region", self.tr("Pre&vious region"), "Shift+F6"),
            Spec("full_screen", self.tr("&Full screen"), "F11", checkable=True),
        ]

    def _mix(self) -> list[Spec | None]:
        return [
            Spec("generate", self.tr("&Generate"), "Ctrl+Enter Ctrl+Return", self.tr("Write both texts")),
            # Esc must first reach fields that close with it, so the window looks for it itself
            Spec("stop", self.tr("&Stop") + "\tEsc", tip=self.tr("Stop at the next word; the text stays")),
            Spec(
                "resume",
                self.tr("&Continue"),
                "Ctrl+Shift+Enter Ctrl+Shift+Return",
                self.tr("Let both texts go on where they stopped"),
            ),
            Spec("another", self.tr("&Another take"), "Ctrl+T", self.tr("Write again with a new seed")),
            Spec("keep", self.tr("&Keep this take"), "Ctrl+Shift+K", checkable=True),
            Spec("previous_take", self.tr("&Previous take"), "Alt+Left"),
            Spec("next_take", self.tr("&Next take"), "Alt+Right"),
            RULE,
            Spec("add_quality", self.tr("Add the quality you are &looking at"), "Ctrl+Shift+A"),
            Spec("compare", self.tr("&Compare mix A with mix B"), "Ctrl+Shift+B"),
            Spec("nudge_up", self.tr("Nudge every fader &up"), "Ctrl+Alt+Up"),
            Spec("nudge_down", self.tr("Nudge every fader &down"), "Ctrl+Alt+Down"),
            Spec("zero_all", self.tr("&Zero every fader")),
            Spec("clear_mix", self.tr("Ne&w mix")),
            RULE,
            Spec("channel_left", self.tr("Move the channel to the le&ft"), "Ctrl+Shift+Left"),
            Spec("channel_right", self.tr("Move the channel to the ri&ght"), "Ctrl+Shift+Right"),
            *(
                Spec(f"channel_{number}", self.tr("Channel {0}").format(number), f"Ctrl+{number}")
                for number in range(1, CHANNEL_KEYS + 1)
            ),
        ]

    def _help(self) -> list[Spec | None]:
        return [
            Spec("shortcuts", self.tr("&Shortcuts"), "F1"),
            Spec("engine", self.tr("&Model and engine…")),
            RULE,
            Spec("about", self.tr("&About Undersong")),
        ]
