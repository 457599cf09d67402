"""The card at the top of the page: the writer's opening, how the next words are drawn, and the button that begins."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QMenu, QPushButton, QVBoxLayout, QWidget

from undersong.ui import theme
from undersong.ui.page.opening_edit import OpeningEdit
from undersong.ui.page.popovers import SamplingPopover, SeedPopover
from undersong.ui.session import EngineState, Session
from undersong.ui.widgets.build import SEMIBOLD, button, label, row, set_property

LENGTHS = (60, 120, 240, 480)
LATE_MS = 1500
"""A first word later than this gets an explanation."""


class OpeningCard(QFrame):
    """Shows and changes the opening and the sampling of a session; Generate, Stop and Continue."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setProperty("surface", "card")
        self.edit = OpeningEdit(session.settings.prose_size)
        self.edit.show_text(session.opening)
        self.hint = label("", theme.ui_font(12), "ink3")
        self.seed = self._quiet_button("dices", self._open_seed)
        self.length = self._menu_button(self._length_menu())
        self.temperature = self._menu_button(self._temperature_menu())
        self.resume = button(self.tr("Continue"), icon="skip-forward", kind="line", on_click=session.resume)
        self.go = button(self.tr("Generate"), icon="play", kind="primary", icon_px=12, on_click=self._on_go)
        self._samples = self._sample_row()
        self._late = QTimer(self, singleShot=True, interval=LATE_MS)
        self._late.timeout.connect(lambda: self.hint.setText(self.tr("Reading your opening…")))
        self._tick = QTimer(self, interval=1000)
        self._tick.timeout.connect(self._show_state)
        self._lay_out()
        self._connect()
        self._show_sampling()
        self._show_state()
        self._show_samples()

    def _lay_out(self) -> None:
        title = label(self.tr("Your opening"), theme.ui_font(12, SEMIBOLD), "ink2")
        controls = row(
            title, 4, self.hint, None, self.seed, self.length, self.temperature, 4, self.resume, self.go, gap=4
        )
        outer = QVBoxLayout(self)
        outer.setContentsMargins(20, 9, 12, 12)
        outer.setSpacing(8)
        outer.addLayout(controls)
        outer.addWidget(self.edit)
        outer.addWidget(self._samples)

    def _connect(self) -> None:
        session = self._session
        self.edit.text_edited.connect(session.set_opening)
        self.edit.notice_arrived.connect(session.notice_arrived)
        session.opening_changed.connect(self._on_opening)
        session.sampling_changed.connect(self._show_sampling)
        session.state_changed.connect(self._show_state)
        session.progress_changed.connect(lambda _progress: self._show_state())
        session.takes_changed.connect(self._show_state)
        session.stream_started.connect(lambda _panes: self._late.start())
        session.tokens_arrived.connect(lambda _tokens: self._no_longer_late())
        session.stream_finished.connect(lambda _finished: self._no_longer_late())
        session.settings_changed.connect(lambda: self.edit.set_size(session.settings.prose_size))

    def _quiet_button(self, icon: str, on_click: object) -> QPushButton:
        return button("…", icon=icon, icon_px=13, on_click=on_click)  # type: ignore[arg-type]

    def _menu_button(self, menu: QMenu) -> QPushButton:
        made = button("…", icon="chevron-down", icon_px=13)
        made.setMenu(menu)
        return made

    def _length_menu(self) -> QMenu:
        menu = QMenu(self)
        for words in LENGTHS:
            action = menu.addAction(self.tr("{0} words").format(words))
            action.triggered.connect(lambda _on=False, words=words: self._session.set_sampling(words=words))
        return menu

    def _temperature_menu(self) -> QMenu:
        menu = QMenu(self)
        choices = (
            (0.4, self.tr("0.4, steady")),
            (0.7, self.tr("0.7, calm")),
            (0.8, self.tr("0.8, lively")),
            (1.0, self.tr("1.0, as learned")),
            (1.2, self.tr("1.2, wild")),
        )
        for value, words in choices:
            action = menu.addAction(words)
            action.triggered.connect(lambda _on=False, value=value: self._session.set_sampling(temperature=value))
        menu.addSeparator()
        more: QAction = menu.addAction(self.tr("More…"))
        more.triggered.connect(self._open_sampling)
        return menu

    def _sample_row(self) -> QWidget:
        texts = (
            self.tr("The keeper had counted the steps so often that he no longer counted them."),
            self.tr("Once upon a time there was a girl who found a small door in the garden wall."),
            self.tr("“You should not have come back,” said the old woman, and put the kettle on."),
        )
        holder = QWidget()
        holder.setProperty("surface", "clear")
        chips = []
        for text in texts:
            short = text[:34].rsplit(" ", 1)[0].rstrip(",.”") + "…"
            chip = button(short, kind="chip", tip=text, name=text, on_click=lambda text=text: self._take_sample(text))
            chips.append(chip)
        holder.setLayout(row(label(self.tr("Or begin with"), theme.ui_font(12), "ink3"), *chips, None, gap=6))
        return holder

    def _take_sample(self, text: str) -> None:
        self.edit.replace_text(text)
        self.edit.setFocus()

    def _open_seed(self) -> None:
        SeedPopover(self, self._session).show_below(self.seed)

    def _open_sampling(self) -> None:
        SamplingPopover(self, self._session).show_below(self.temperature)

    def _on_go(self) -> None:
        if self._session.state is EngineState.STREAMING:
            self._session.stop()
        else:
            self._session.generate()
            if not self._session.opening.strip():
                self.edit.setFocus()

    def _on_opening(self) -> None:
        self.edit.show_text(self._session.opening)
        self._show_samples()
        self._show_state()

    def _show_samples(self) -> None:
        self._samples.setVisible(not self._session.opening)

    def _no_longer_late(self) -> None:
        self._late.stop()
        self.hint.clear()

    def _show_sampling(self) -> None:
        sampling, locked = self._session.sampling, self._session.seed_locked
        words = self.tr("Seed {0}").format(sampling.seed)
        self.seed.setText(f" {words}")
        self.seed.setIcon(theme.icon("lock" if locked else "dices"))
        kept = self.tr("kept for every take") if locked else self.tr("a new one for every take")
        self.seed.setAccessibleName(f"{words}, {kept}")
        self.seed.setToolTip(f"{words}: {kept}")
        length = self.tr("{0} words").format(sampling.words)
        self.length.setText(f" {length}")
        self.length.setAccessibleName(self.tr("Length: {0}").format(length))
        self.length.setToolTip(self.tr("How long each text becomes"))
        temperature = self.tr("Temperature {0}").format(f"{sampling.temperature:g}")
        self.temperature.setText(f" {temperature}")
        self.temperature.setAccessibleName(temperature)
        self.temperature.setToolTip(self.tr("How words are drawn: low is steady, high is wild"))

    def _show_state(self) -> None:
        session, state = self._session, self._session.state
        streaming = state is EngineState.STREAMING
        text, icon, tip = self._button_words(state)
        self.go.setText(f" {text}")
        self.go.setAccessibleName(text)
        self.go.setToolTip(tip)
        ready = state in (EngineState.READY, EngineState.STREAMING)
        self.go.setEnabled(ready)
        self.go.setIcon(theme.icon(icon, "accent_ink" if ready else "ink3"))
        set_property(self.go, "kind", "primary" if ready else "line")
        self.resume.setVisible(state is EngineState.READY and session.can_resume)
        self.resume.setToolTip(self.tr("Let both texts go on where they stopped  (Ctrl+Shift+Enter)"))
        waiting = state in (EngineState.STARTING, EngineState.LOADING)
        if waiting != self._tick.isActive():
            self._tick.start() if waiting else self._tick.stop()
        for control in (self.seed, self.length, self.temperature):
            control.setEnabled(not streaming)

    def _button_words(self, state: EngineState) -> tuple[str, str, str]:
        """Words, icon and tooltip of the button that begins."""
        if state is EngineState.STREAMING:
            return self.tr("Stop"), "square", self.tr("Stop at the next word; the text stays  (Esc)")
        if state in (EngineState.STARTING, EngineState.LOADING):
            left = self._session.seconds_left
            words = self.tr("Ready in about {0} s").format(left) if left > 0 else self.tr("Ready soon")
            return words, "play", self.tr("The model is loading; you can go on writing, searching and mixing")
        take = self._session.take
        again = take is not None and take.opening == self._session.opening
        words = self.tr("Again") if again else self.tr("Generate")
        return words, "play", self.tr("Write both texts  (Ctrl+Enter)")

    def focus_opening(self) -> None:
        """Put the cursor into the opening."""
        self.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
