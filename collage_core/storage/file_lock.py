"""A lock between processes; the system ends it with the process that holds it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

POLL_SECONDS = 0.1


@contextlib.contextmanager
def exclusive(path: Path, while_waiting: Callable[[int | None], None]) -> Iterator[None]:
    """Hold the lock file `path`, and remove it afterwards.

    While another process or thread holds it, `while_waiting` is called ten times a second with
    the id of that process, None where it cannot be read; an exception from it ends the waiting.
    Raises OSError where the folder is missing or no file can be locked.
    """
    path.parent.stat()  # FileLock would make the folder
    lock = FileLock(path, thread_local=False)
    while not _acquired(lock):
        while_waiting(_holder(path))
        time.sleep(POLL_SECONDS)
    try:
        with open(path, "r+b", buffering=0) as file:
            file.seek(1)  # Windows lets nobody else write or read the first byte
            file.truncate(file.write(b"%d" % os.getpid()) + 1)
        yield
    finally:
        if os.name != "nt":  # Windows removes no open file; FileLock does it there after release
            with contextlib.suppress(OSError):
                path.unlink()
        lock.release()


def _acquired(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True


def _holder(path: Path) -> int | None:
    """The id of the process that holds the lock."""
    with contextlib.suppress(OSError, ValueError), open(path, "rb", buffering=0) as file:
        file.seek(1)
        return int(file.read(20))
    return None
