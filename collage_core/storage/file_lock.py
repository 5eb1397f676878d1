"""A lock between processes that ends with the process that holds it, however that ends."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

POLL_SECONDS = 0.1


@contextlib.contextmanager
def exclusive(path: Path, while_waiting: Callable[[int | None], None]) -> Iterator[None]:
    """Hold the lock file `path`, which is there only as long as someone wants it.

    While another process or thread has it, `while_waiting` is called ten times a second with the
    number of that process, if it can be read; what it raises ends the waiting. Raises OSError
    where files cannot be made or locked.
    """
    handle = _take(path)
    while handle is None:
        while_waiting(_holder(path))
        time.sleep(POLL_SECONDS)
        handle = _take(path)
    try:
        yield
    finally:
        if os.name == "nt":  # removes no file that is open, nor one that the next has opened
            handle.close()
        with contextlib.suppress(OSError), handle:
            path.unlink()


def _take(path: Path) -> BinaryIO | None:
    """The open and locked file, or None while someone else has it."""
    handle = open(path, "a+b")  # noqa: SIM115  the one who gets it closes it
    try:
        # The one before us may have removed the file between our opening and our locking it.
        if _lock(handle) and os.path.samestat(os.fstat(handle.fileno()), path.stat()):
            handle.truncate(0)  # what a process that was killed has left
            handle.write(b" %d" % os.getpid())
            handle.flush()
            return handle
    except FileNotFoundError:
        pass
    except BaseException:
        handle.close()
        raise
    handle.close()
    return None


def _holder(path: Path) -> int | None:
    """The number of the process that has the lock."""
    try:
        with open(path, "rb", buffering=0) as handle:
            handle.seek(1)  # to Windows the first byte is locked for reading too
            return int(handle.read(20))
    except (OSError, ValueError):
        return None


def _lock(handle: BinaryIO) -> bool:
    """Lock an open file without waiting; False while someone else has it locked."""
    if os.name == "nt":
        import msvcrt

        try:
            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
    else:
        import fcntl

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
