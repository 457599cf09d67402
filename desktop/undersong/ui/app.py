"""Start of the window process: settings, session, engine, window; and what to do when the unforeseen happens."""

from __future__ import annotations

import logging
import signal
import sys
import traceback
from types import TracebackType

from PySide6.QtWidgets import QApplication, QMessageBox

from undersong import __version__
from undersong.core import paths
from undersong.core.errors import ProjectError
from undersong.core.project import SessionFile
from undersong.core.settings import load_settings, save_settings
from undersong.ui import theme
from undersong.ui.dialogs.problem_sheet import ProblemSheet
from undersong.ui.engine_process import EngineProcess
from undersong.ui.session import Session
from undersong.ui.window import Window

log = logging.getLogger(__name__)


def main() -> int:
    """Run the window until it is closed; returns the exit code."""
    # Ctrl+C in a terminal may end the process at once: everything is saved as it is written
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    application = QApplication(sys.argv)
    application.setApplicationName("Undersong")
    application.setApplicationVersion(__version__)
    application.setDesktopFileName("org.undersong.Undersong")
    keep_log()
    theme.load_fonts()
    file = None
    try:
        settings, settings_notice = load_settings(paths.data_folder() / "settings.toml")
        theme.apply(application, settings.theme)
        file = SessionFile(paths.data_folder() / "session")
        # The engine loads its libraries while the window is being built
        engine = EngineProcess(log_file=paths.log_folder() / "engine.log")
        state, session_notice = file.load()
    except ProjectError as error:
        if file is not None:
            file.close()
        return refuse(error)
    session = Session(engine, file, state, settings)
    session.load_model()
    engine.start()
    window = Window(session)
    install_hook(session, window)
    session.settings_changed.connect(lambda: keep_settings(session))
    window.show()
    if notice := " ".join(filter(None, (settings_notice, session_notice))):
        session.notice_arrived.emit(notice)
    return application.exec()


def keep_log() -> None:
    """Let warnings of the window go to a file beside the engine's log, where there is one to write to."""
    try:
        paths.log_folder().mkdir(parents=True, exist_ok=True)
        logging.basicConfig(filename=paths.log_folder() / "window.log", level=logging.WARNING, encoding="utf-8")
    except OSError as error:
        log.warning("No log is kept: %s", error)


def keep_settings(session: Session) -> None:
    """Save the settings."""
    try:
        save_settings(paths.data_folder() / "settings.toml", session.settings)
    except ProjectError as error:
        session.notice_arrived.emit(str(error))


def refuse(error: ProjectError) -> int:
    """Say why the window cannot open."""
    if sys.stderr is not None:
        sys.stderr.write(f"{error}\n")
    QMessageBox.warning(None, "Undersong", str(error))
    return 1


def install_hook(session: Session, window: Window) -> None:
    """Whatever nobody foresaw: save first, then show versions and the trace."""

    def hook(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        session.autosave.save()
        text = "".join(traceback.format_exception(kind, value, trace))
        log.error("%s", text)
        sys.__excepthook__(kind, value, trace)
        sheet = ProblemSheet(text, not session.autosave.problem, window)
        sheet.finished.connect(sheet.deleteLater)
        sheet.open()

    sys.excepthook = hook
