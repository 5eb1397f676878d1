"""Files that are there completely or not at all, and the folders for them."""

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
MIN_FREE_BYTES = 256 * 1024  # of a folder to write into


@contextlib.contextmanager
def writing(path: Path, *, replace: bool = False) -> Iterator[BinaryIO]:
    """A file to write into. It becomes `path` when the block ends, and is removed if it fails.

        with writing(path) as file:
            file.write(data)

    At every moment `path` is the complete new file, or what was there before. Raises
    FileExistsError for an existing file unless `replace` is given, OSError when the system refuses.
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
        error.filename = error.filename or str(path)  # the error of a full disk has no file name
        raise
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    _sync_folder(path.parent)


def write_whole(path: Path, data: bytes | str, *, replace: bool = False) -> None:
    """Write a file as `writing` does; text is written as UTF-8."""
    with writing(path, replace=replace) as file:
        file.write(data.encode() if isinstance(data, str) else data)


def _appear(part: Path, path: Path) -> None:
    """Give a finished file its name; FileExistsError if the name is taken, even at this moment."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # a file system without links; here another process may come between
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        part.replace(path)


def _sync_folder(folder: Path) -> None:
    """Make a new file name survive a power failure, where the system can do that."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sweep(folder: Path, start: str = "") -> None:
    """Remove unfinished files of killed processes, once they are an hour old."""
    old = time.time() - STALE_SECONDS
    for part in folder.glob(f"{start}*{PART_SUFFIX}"):
        with contextlib.suppress(OSError):
            if part.stat().st_mtime < old:
                part.unlink()


def first_writable(folders: Iterable[Path], inner: str) -> Path:
    """The first folder that is writable and not full; a folder `inner` is made in it.

    Raises OSError if there is none.
    """
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
        file.write(bytes(MIN_FREE_BYTES))
