"""Files that are there whole or not at all, and the folders for them."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

PART_SUFFIX = ".tmp"  # of a file that is being written; ComfyUI lists no such files
STALE_SECONDS = 3600
ROOM = 256 * 1024  # bytes that a folder must have room for


@contextlib.contextmanager
def writing(path: Path, *, replace: bool = False) -> Iterator[BinaryIO]:
    """A file to write into that becomes `path` when the block ends, or nothing if it fails.

    At every moment there is all of it or nothing, or the one before. Raises FileExistsError when
    there is one and `replace` is not given, OSError when the system refuses.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}{PART_SUFFIX}")
    try:
        with open(part, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if replace:
            part.replace(path)
        else:
            _appear(part, path)
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk is told without a name
        raise
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    _sync_folder(path.parent)


def write_whole(path: Path, data: bytes | str, *, replace: bool = False) -> None:
    """Write a file as `writing` does; text as UTF-8."""
    with writing(path, replace=replace) as file:
        file.write(data.encode() if isinstance(data, str) else data)


def _appear(part: Path, path: Path) -> None:
    """Give a finished file its name; FileExistsError if the name is taken, also just now."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # a file system without links; there is a moment between look and rename
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        part.replace(path)


def _sync_folder(folder: Path) -> None:
    """Make a new name outlast a power cut, where the system has a way to ask for that."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sweep(folder: Path, start: str = "") -> None:
    """Remove what a process that was killed left half written, from an hour of age on."""
    old = time.time() - STALE_SECONDS
    for part in folder.glob(f"{start}*{PART_SUFFIX}"):
        with contextlib.suppress(OSError):
            if part.stat().st_mtime < old:
                part.unlink()


def first_writable(folders: Iterable[Path], inner: str) -> Path:
    """The first folder that can be written and is not full, with a folder `inner` in it; OSError
    if there is none."""
    refused = OSError("there is no such folder")
    for folder in folders:
        try:
            (folder / inner).mkdir(parents=True, exist_ok=True)
            _try_to_write(folder)
            _try_to_write(folder / inner)
        except OSError as error:  # noqa: PERF203  the next folder may do
            refused = error
        else:
            return folder
    raise refused


def _try_to_write(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(ROOM))
