"""Model and engine: what is loaded, how its self-test went, versions, memory and the engine's log."""

from __future__ import annotations

import platform

import PySide6
from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QPlainTextEdit, QWidget

from undersong import __version__
from undersong.ui import theme
from undersong.ui.dialogs.sheet import Sheet
from undersong.ui.session import Session
from undersong.ui.widgets.banner import IconLabel
from undersong.ui.widgets.build import SEMIBOLD, button, label, row


class EngineSheet(Sheet):
    """Tells how the engine is; everything in it can be copied for a report."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.set_title(self.tr("Model and engine"))
        self._session = session
        self.resize(620, 560)
        facts = engine_facts(session)
        grid = QGridLayout()
        grid.setHorizontalSpacing(20)
        grid.setVerticalSpacing(5)
        for line, (name, value) in enumerate(facts):
            grid.addWidget(label(name, theme.ui_font(13), "ink2"), line, 0)
            words = label(value, theme.ui_font(13, tabular=True), wrap=True)
            grid.addWidget(words, line, 1)
        grid.setColumnStretch(1, 1)
        self.add(grid)
        checks = session.loaded.checks if session.loaded is not None else ()
        if checks:
            self.add(label(self.tr("Self-test"), theme.ui_font(12, SEMIBOLD), "ink2"))
        for check in checks:
            mark = IconLabel("check" if check.passed else "triangle-alert", "ok" if check.passed else "warn", 16)
            sentence = label(check.sentence, wrap=True)
            line = row(mark, sentence, gap=10)
            line.setStretchFactor(sentence, 1)
            self.add(line)
        self.add(label(self.tr("The engine’s log"), theme.ui_font(12, SEMIBOLD), "ink2"))
        log = QPlainTextEdit(session.engine_log or self.tr("Nothing was written to it."))
        log.setReadOnly(True)
        log.setFont(theme.ui_font(12))
        log.setTabChangesFocus(True)
        log.setAccessibleName(self.tr("The engine’s log"))
        self.body.addWidget(log, 1)
        self.foot.addWidget(
            button(self.tr("Copy all of this"), icon="copy", kind="line", on_click=lambda: self._copy(facts))
        )

    def _copy(self, facts: list[tuple[str, str]]) -> None:
        lines = [f"{name}: {value}" for name, value in facts]
        loaded = self._session.loaded
        lines += [f"{check.name}: {check.sentence}" for check in (loaded.checks if loaded else ())]
        QGuiApplication.clipboard().setText("\n".join([*lines, "", self._session.engine_log]))


def versions() -> str:
    """Versions of the window's side, for people and reports."""
    return (
        f"Undersong {__version__}, Python {platform.python_version()}, Qt {qVersion()}, PySide {PySide6.__version__}, "
        f"{platform.system()} {platform.release()}, {platform.machine()}"
    )


def engine_facts(session: Session) -> list[tuple[str, str]]:
    """Names and values of what is known of the loaded model."""
    choice, loaded, tr = session.model, session.loaded, session.tr
    facts = [(tr("Model folder"), choice.model), (tr("Dictionary"), choice.sae)]
    if loaded is not None:
        facts += [
            (tr("Model"), tr("{0}, {1} layers of {2}").format(loaded.model, loaded.layers, loaded.d_model)),
            (tr("Qualities"), tr("{0}, read and steered after layer {1}").format(f"{loaded.d_sae:,}", loaded.layer)),
            (tr("Holds"), tr("{0} tokens, opening included").format(f"{loaded.context:,}")),
            (tr("Runs on"), tr("{0}, {1}").format(loaded.device, loaded.dtype)),
            (tr("Memory"), tr("{0} MB").format(f"{loaded.memory / 1e6:,.0f}")),
            (tr("Libraries"), ", ".join(f"{name} {number}" for name, number in loaded.versions.items())),
        ]
    return [*facts, (tr("Window"), versions())]
