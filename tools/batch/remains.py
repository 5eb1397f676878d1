"""Folders of processes: marked with the process, and removed once it was killed."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

MARK = ".batch_process"


def claim(folder: Path) -> None:
    """Mark a folder as that of this process."""
    (folder / MARK).write_text(str(os.getpid()))


def sweep(folders: Iterable[Path]) -> None:
    """Remove those marked folders whose process is gone."""
    for folder in folders:
        with contextlib.suppress(OSError, ValueError):
            if not _lives(int((folder / MARK).read_text())):
                shutil.rmtree(folder, ignore_errors=True)


def _lives(process: int) -> bool:
    if os.name == "nt":
        return True  # os.kill would end it; `fresh_base` removes the folder after a day
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
