"""Choose window, engine or command line; nothing is imported before the choice, because each is heavy."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run what the arguments ask for; without any, the window, or without a screen the first steps in the terminal."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] == "engine":
        from undersong.engine.serve import main as serve

        return serve()
    if not arguments and has_screen():
        from undersong.ui.app import main as show_window

        return show_window()
    from undersong.cli import main as command_line

    if not arguments:
        sys.stderr.write("There is no screen here, so Undersong runs in the terminal.\n")
    return command_line(arguments or ["first-run"])


def has_screen() -> bool:
    """Whether a window can be shown: always true on Windows and macOS, or when Qt's platform was chosen by hand."""
    if sys.platform in ("win32", "darwin") or "QT_QPA_PLATFORM" in os.environ:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


if __name__ == "__main__":
    sys.exit(main())
