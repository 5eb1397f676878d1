"""Locks between processes, so that two run.py at once do not do the same thing twice."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from collage_core.storage import file_lock
from launcher.process import Progress, say


class TakenError(Exception):
    """Another process has the lock."""


@contextlib.contextmanager
def exclusive(path: Path, doing: str) -> Iterator[None]:
    """Hold the lock file `path`; while another process has it, wait and say what it is doing."""
    progress: Progress | None = None

    def wait(_holder: int | None) -> None:
        nonlocal progress
        if progress is None:
            say(f"Another run.py is {doing}; waiting for it.")
            progress = Progress("waiting for the other run.py")
        progress.tick()

    with file_lock.exclusive(path, wait):
        yield


@contextlib.contextmanager
def exclusive_now(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, or raise TakenError."""

    def give_up(_holder: int | None) -> None:
        raise TakenError

    with file_lock.exclusive(path, give_up):
        yield
