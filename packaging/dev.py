"""Set Undersong up, run it, test it: ``python3 packaging/dev.py run`` and ``python3 packaging/dev.py test``.

Needs nothing but Python 3.11 or newer and a connection for the first time. It makes a virtual environment (``.venv``,
or the folder in UNDERSONG_VENV), installs into it what ``pyproject.toml`` asks for, and on Debian and Ubuntu the system
libraries that Qt needs, if it may. A second time it goes straight to work.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = Path(os.environ.get("UNDERSONG_VENV") or ROOT / ".venv").expanduser().absolute()
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
NEEDED = (3, 11)
TORCH = "2.13.0"
USAGE = """\
usage: python3 packaging/dev.py run [arguments of undersong]   start the window; without a screen, the terminal
       python3 packaging/dev.py test [arguments of pytest]     run every test
"""

# What Qt loads, and the Debian package that holds it
LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
}
SCREEN_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
}


def main(arguments: list[str]) -> int:
    """Carry out ``run`` or ``test``; returns the exit status."""
    if not arguments or arguments[0] not in ("run", "test"):
        sys.stderr.write(USAGE)
        return 2
    task, *rest = arguments
    find_newer_python()
    screen = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if sys.platform == "linux":
        if task == "test":
            install_libraries(LIBRARIES)
        elif screen:
            install_libraries({**LIBRARIES, **SCREEN_LIBRARIES})
    set_up(for_tests=task == "test")
    if task == "run":
        return work([PYTHON, "-m", "undersong", *rest])
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.chdir(ROOT)
    return work([PYTHON, "-m", "pytest", *rest])


def find_newer_python() -> None:
    """Go on with a Python that is new enough, or say how to get one."""
    if sys.version_info >= NEEDED:
        return
    for minor in (13, 12, 11, 14):
        found = shutil.which(f"python3.{minor}")
        if found:
            os.execv(found, [found, *sys.argv])
    stop(
        f"Undersong needs Python 3.11 or newer; this is {sys.version.split()[0]}.",
        "On Debian and Ubuntu: apt-get install python3.11 python3.11-venv",
    )


def install_libraries(libraries: dict[str, str]) -> None:
    """Install the system libraries that are missing, or say the command that does."""
    missing = [package for name, package in libraries.items() if not has_library(name)]
    if not missing:
        return
    say("System libraries that Qt needs are missing: " + ", ".join(missing))
    install_packages(missing)
    still = [package for name, package in libraries.items() if not has_library(name)]
    if still:
        stop("These are still missing: " + ", ".join(still))


def has_library(name: str) -> bool:
    """Whether the dynamic loader finds a library."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def install_packages(packages: list[str]) -> None:
    """apt-get install as root; otherwise stop with the line to type."""
    line = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if not shutil.which("apt-get"):
        stop("Install your system's packages of these libraries (the names are Debian's) and start again.")
    if os.geteuid() != 0:
        stop("Type this, then start again:", "  sudo " + " ".join(line))
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    say("Installing them with apt-get …")
    subprocess.run(["apt-get", "update", "-q"], env=environment, check=False)
    if subprocess.run(line, env=environment, check=False).returncode != 0:
        stop("apt-get could not install them. When it can, type:", "  " + " ".join(line))


def set_up(for_tests: bool) -> None:
    """Make the virtual environment and install into it, unless that was done for this very ``pyproject.toml``."""
    if "torch==" + TORCH not in (ROOT / "pyproject.toml").read_text(encoding="utf-8"):
        stop("packaging/dev.py and pyproject.toml name different versions of torch; make them agree.")
    stamp, wanted = VENV / "undersong-set-up", fingerprint()
    done = stamp.read_text().split() if stamp.exists() and works() else []
    if wanted in done and (not for_tests or "tests" in done):
        return
    if not works():
        make_venv()
    say("2 of 3  Installing torch (the largest part; some minutes the first time)")
    install_torch()
    say("3 of 3  Installing Undersong and the rest of what it needs")
    package = f"{ROOT}[dev]" if for_tests else str(ROOT)
    if pip("install", "--editable", package) != 0:
        stop("Installing did not succeed; what pip said stands above. Check the connection and start again.")
    stamp.write_text(wanted + (" tests" if for_tests else ""))
    say("Done.")


def fingerprint() -> str:
    """What an installed environment depends on: the requirements, the place of the checkout and the Python."""
    parts = (ROOT / "pyproject.toml").read_bytes() + f"{ROOT} {sys.version_info[:2]}".encode()
    return hashlib.sha256(parts).hexdigest()


def works() -> bool:
    """Whether the virtual environment has a Python that starts and has pip."""
    command = [PYTHON, "-c", "import sys, pip; sys.exit(sys.version_info < (3, 11))"]
    return PYTHON.exists() and subprocess.run(command, capture_output=True, check=False).returncode == 0


def make_venv() -> None:
    """Make the virtual environment afresh."""
    say(f"1 of 3  Making a virtual environment in {VENV}")
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        say("Python's part for making virtual environments is missing.")
        install_packages([f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"])
    if VENV.exists() and any(VENV.iterdir()) and not (VENV / "pyvenv.cfg").exists():
        stop(f"{VENV} is there but is no virtual environment. Name another folder in UNDERSONG_VENV.")
    if subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=False).returncode != 0:
        stop(f"No virtual environment could be made in {VENV}. Is there room, and may you write there?")


def install_torch() -> None:
    """The exact version first: the build without CUDA where no NVIDIA GPU is, if a package index offers it."""
    plain, small = f"torch=={TORCH}", f"torch=={TORCH}+cpu"
    if sys.platform == "linux" and not has_gpu():
        say("No NVIDIA GPU was found: looking for the smaller build of torch without CUDA.")
        if pip("install", small, quiet=True) == 0:
            return
        say("No package index that pip knows has it; taking the ordinary build (see README.md, Installing).")
    if pip("install", plain) != 0:
        stop(f"torch {TORCH} could not be installed; what pip said stands above.")


def has_gpu() -> bool:
    """Whether an NVIDIA driver answers."""
    program = shutil.which("nvidia-smi")
    return bool(program) and subprocess.run([program, "-L"], capture_output=True, check=False).returncode == 0


def pip(*arguments: str, quiet: bool = False) -> int:
    """Run the environment's own pip; returns its exit status."""
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run([PYTHON, "-m", "pip", *arguments], env=environment, stderr=output, check=False).returncode


def work(command: list[str | Path]) -> int:
    """Become ``command``; on Windows, which cannot, wait for it."""
    if os.name != "nt":
        os.execv(command[0], [str(part) for part in command])
    return subprocess.run(command, check=False).returncode


def say(sentence: str) -> None:
    """Tell how far things are."""
    print(f"undersong: {sentence}", flush=True)


def stop(*sentences: str) -> None:
    """End with sentences on the error stream."""
    sys.stdout.flush()
    sys.exit("\n".join(f"undersong: {sentence}" for sentence in sentences))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
