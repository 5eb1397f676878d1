"""Locks between processes, so that two run.py at once do not do the same work twice.

Standard library only, because they are needed before filelock is installed.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from launcher.process import Progress, say


class TakenError(Exception):
    """Another process has the lock."""


@contextlib.contextmanager
def exclusive(path: Path, doing: str) -> Iterator[None]:
    """Hold the lock file `path`; while another process has it, wait and say what it is doing."""
    progress: Progress | None = None

    def wait() -> None:
        nonlocal progress
        if progress is None:
            say(f"Another run.py is {doing}; waiting for it.")
            progress = Progress("waiting for the other run.py")
        progress.tick()
        time.sleep(0.1)

    with _held(path, wait):
        yield


@contextlib.contextmanager
def exclusive_now(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, or raise TakenError."""

    def give_up() -> None:
        raise TakenError

    with _held(path, give_up):
        yield


@contextlib.contextmanager
def _held(path: Path, when_taken: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file and remove it afterwards. The lock of a killed process ends with it."""
    while (handle := _locked(path)) is None:
        when_taken()
    try:
        yield
    finally:
        if os.name == "nt":  # Windows removes no open file
            handle.close()
        with contextlib.suppress(OSError), handle:
            path.unlink()


def _locked(path: Path) -> BinaryIO | None:
    """The open and locked file, or None while another process has it."""
    with contextlib.ExitStack() as closing:
        handle = closing.enter_context(open(path, "a+b"))
        with contextlib.suppress(BlockingIOError, FileNotFoundError):
            # The last holder may have removed the file after it was opened here.
            if _lock(handle) and os.path.samestat(os.fstat(handle.fileno()), path.stat()):
                closing.pop_all()
                return handle
    return None


def _lock(handle: BinaryIO) -> bool:
    """Lock an open file without waiting. False or BlockingIOError while another has it locked."""
    if os.name == "nt":
        import msvcrt

        try:
            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return True
