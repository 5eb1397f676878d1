"""The ComfyUI that commands run in: the private one, or one that is already on the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from launcher import comfyui_source, environment
from launcher.failure import LauncherError
from launcher.locking import exclusive
from launcher.paths import HOST_DIR, REPO, make_host_dir, new_log
from launcher.process import say
from launcher.tools import venv_python

_HAS_ACCELERATOR = """
import sys, torch
name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else ""
sys.exit(0 if name and (torch.zeros(1, device=name) + 1).item() == 1 else 3)
"""


@dataclass(frozen=True)
class Host:
    """A ComfyUI folder and its Python; `site` and `page` are set for a folder for GPU machines.

    Host(Path("ComfyUI"), Path("ComfyUI/.venv/bin/python"), private=False)
    """

    comfyui: Path
    python: Path
    private: bool
    site: Path | None = None
    page: Path | None = None

    def environ(self) -> dict[str, str]:
        """Return the environment for our own modules: ComfyUI's `nodes.py` before our `nodes/`."""
        path = os.pathsep.join(map(str, filter(None, [self.comfyui, REPO, self.site])))
        env = {**os.environ, "PYTHONPATH": path, "COMFYUI_PATH": str(self.comfyui)}
        if self.private:
            # Compiled files may lie in our folder; without them a start takes twice as long.
            env.pop("PYTHONDONTWRITEBYTECODE", None)
        return env

    def module(self, name: str, *arguments: str) -> list[str]:
        """Return the command that runs a module; -P keeps the current folder off sys.path."""
        return [str(self.python), "-P", "-m", name, *arguments]


def find_host(comfyui: str | None) -> Host:
    """Return the requested ComfyUI, else the one around the pack, else the private one."""
    chosen = os.environ.get("COMFYUI_PATH") if comfyui is None else comfyui or "an empty name"
    folder = Path(chosen).expanduser().absolute() if chosen else _enclosing_comfyui()
    if folder is None or folder == comfyui_source.COMFYUI:
        return prepare_private_host()
    if not is_comfyui(folder):
        raise LauncherError(
            f"{folder} is no ComfyUI folder (it has no main.py and nodes.py); "
            "give the folder that ComfyUI is started from."
        )
    make_host_dir()
    if (folder.parent / "gpu_pack.txt").is_file():
        from launcher.gpu_pack import packed_host

        return packed_host(folder.parent)
    return Host(folder, _python_of(folder), private=False)


def is_comfyui(folder: Path) -> bool:
    return all((folder / name).is_file() for name in ("main.py", "nodes.py", "folder_paths.py"))


def prepare_private_host() -> Host:
    """Build missing parts of the private host; a complete one needs no network."""
    python = venv_python(environment.VENV)
    if not (comfyui_source.is_unpacked() and environment.is_built()):
        make_host_dir()
        with exclusive(HOST_DIR / "setup.lock", "setting up the private ComfyUI"):
            _build_private_host()
    return Host(comfyui_source.COMFYUI, python, private=True)


def require_undamaged(host: Host) -> None:
    """After a failure: LauncherError if files of the private environment are gone.

    Checking every file takes a second or more, too long before each command.
    """
    ours = host.private and host.site is None
    missing = environment.missing_files(environment.VENV) if ours else []
    if missing:
        (environment.VENV / "host.stamp").unlink(missing_ok=True)
        raise LauncherError(
            f"{environment.VENV} lacks {len(missing)} of its files, such as {missing[0]}; "
            "run the command again: it builds the environment anew."
        )


def _build_private_host() -> None:
    log = new_log("setup")
    if not environment.is_built():
        environment.build_environment(log)
    if not comfyui_source.is_unpacked():
        comfyui_source.fetch_comfyui(log)
    say("The private ComfyUI is ready.")


def _enclosing_comfyui(pack: Path = REPO) -> Path | None:
    """Return the ComfyUI in whose custom_nodes folder the pack lies, if it does."""
    outer = pack.parent.parent
    return outer if pack.parent.name == "custom_nodes" and is_comfyui(outer) else None


def _python_of(comfyui: Path) -> Path:
    """Return the interpreter a ComfyUI folder is run with."""
    beside = comfyui.parent / "python_embeded" / "python.exe"  # the spelling of the portable build
    for python in (venv_python(comfyui / ".venv"), venv_python(comfyui / "venv"), beside):
        if python.is_file():
            return python
    if _succeeds([sys.executable, "-c", "import torch"]):
        return Path(sys.executable)
    raise LauncherError(
        f"No Python was found for the ComfyUI in {comfyui}: it has no .venv or venv folder and "
        "this Python has no torch; start run.py with the Python that runs that ComfyUI."
    )


def must_use_cpu(host: Host) -> bool:
    """Say whether the host's torch finds no accelerator it can compute on."""
    if os.environ.get("COLLAGE_CPU") == "1" or not _may_have_accelerator():
        return True
    return not _succeeds([str(host.python), "-c", _HAS_ACCELERATOR], host.environ())


def _may_have_accelerator() -> bool:
    """Say whether to ask torch, which takes seconds; on Linux, /dev shows every accelerator."""
    if sys.platform != "linux":
        return True
    devices = ("nvidia*", "nvhost*", "kfd", "dxg")  # NVIDIA, its boards, AMD, Windows' subsystem
    return any(any(Path("/dev").glob(pattern)) for pattern in devices)


def _succeeds(command: list[str], env: dict[str, str] | None = None) -> bool:
    return subprocess.run(command, capture_output=True, check=False, env=env).returncode == 0
