"""A lock between processes, so that two run.py at once do not build the same thing twice."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from launcher.process import Progress, say


@contextmanager
def exclusive(path: Path, poll_seconds: float = 0.3) -> Iterator[None]:
    """Hold the lock file `path`; while another process has it, wait and say so."""
    with open(path, "a+b") as handle:
        if not _take(handle):
            say("Another run.py is setting up the private ComfyUI; waiting for it.")
            progress = Progress("waiting for the other run.py")
            while not _take(handle):
                time.sleep(poll_seconds)
                progress.tick()
        # Closing the file lets go of the lock, and so does the end of the process.
        yield


def _take(handle: IO[bytes]) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
