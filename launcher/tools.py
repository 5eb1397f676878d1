"""The tools that fetch packages, uv and pip; a missing one is installed in .host/tools."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from launcher.failure import LauncherError
from launcher.paths import HOST_DIR
from launcher.process import run_logged

UV_VERSION = "0.13.9"
Command = list[str]


def venv_python(venv: Path) -> Path:
    """Return where a virtual environment keeps its interpreter on this system."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def find_uv(log: Path) -> Command:
    """Return the command that starts uv, installing it privately if there is none."""
    on_path = shutil.which("uv")
    if on_path and _works([on_path, "--version"]):
        return [on_path]
    if importlib.util.find_spec("uv") and _works([sys.executable, "-m", "uv", "--version"]):
        return [sys.executable, "-m", "uv"]
    python = str(_tool_python(log))
    if not _works([python, "-m", "uv", "--version"]):
        install = [python, "-m", "pip", "install", f"uv=={UV_VERSION}"]
        run_logged(install, "installing uv", log)
    return [python, "-m", "uv"]


def find_pip(log: Path) -> Command:
    """Return the command that starts pip, from this Python or from the private tools."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    return [str(_tool_python(log)), "-m", "pip"]


def _tool_python(log: Path) -> Path:
    folder = HOST_DIR / "tools"
    python = venv_python(folder)
    if _works([str(python), "-m", "pip", "--version"]):
        return python
    try:
        make = [sys.executable, "-m", "venv", "--clear", str(folder)]
        run_logged(make, "making a folder for tools", log)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if not isinstance(error, LauncherError):
            raise
        raise LauncherError(
            "This Python has neither uv nor pip and cannot make a virtual environment; "
            "install one of them (on Debian and Ubuntu: apt install python3-venv).",
            log,
        ) from error
    return python


def _works(command: Command) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
