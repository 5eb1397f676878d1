"""Paths of the repository, and checks of a folder before it is filled."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from launcher.failure import LauncherError

REPO = Path(__file__).absolute().parent.parent
HOST_DIR = REPO / ".host"
LOGS_KEPT = 10
GIGABYTE = 10**9


def make_host_dir(host_dir: Path = HOST_DIR) -> Path:
    """Create the private folder if it is missing, and check that it can be written."""
    try:
        host_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=host_dir):
            pass
    except OSError as error:
        raise LauncherError(
            f"The folder {host_dir} cannot be written ({error.strerror or error}); "
            "make it writable or move the project to a folder that is."
        ) from error
    return host_dir


def require_space(
    folder: Path, needed: int, *, usage: Callable[[Path], tuple[int, int, int]] = shutil.disk_usage
) -> None:
    """Raise LauncherError unless `needed` bytes are free where `folder` lies."""
    free = usage(folder)[2]
    if free < needed:
        raise LauncherError(
            f"The private ComfyUI needs {needed / GIGABYTE:.1f} GB of disk in {folder}, but "
            f"{free / GIGABYTE:.1f} GB are free; free some space or move the project."
        )


def new_log(name: str, host_dir: Path = HOST_DIR) -> Path:
    """Return the path of a fresh log file and delete all but the newest few of the old ones."""
    logs = host_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    # A log that another run.py deletes at the same moment is no loss.
    for old in sorted(logs.glob("*.log"))[: -(LOGS_KEPT - 1)]:
        old.unlink(missing_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    with tempfile.NamedTemporaryFile(
        dir=logs, prefix=f"{stamp}-{name}-", suffix=".log", delete=False
    ) as log:
        return Path(log.name)
