"""A file of the input folder as a collage document, with its pictures kept in input/collage."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..collage_core.errors import CollageError, quoted
from ..collage_core.files.collage_file import SUFFIX, read_collage_file
from ..collage_core.files.document import Document
from .host.files.input_files import file_path
from .host.files.input_pictures import check_bytes, keep_bytes

NODE = "CollageOpenFile"
SUFFIXES = (SUFFIX,)


@dataclass(frozen=True)
class Opened:
    """notes: what of the file could not be kept as it was, in sentences."""

    document: Document
    notes: tuple[str, ...] = ()


def open_file(name: str) -> Opened:
    """Read a file that a user or a page names. Raises one CollageError, before it keeps anything.

    Pictures are kept under their hashes, so that what is there already stays.
    """
    try:
        return _collage_file(name)
    except CollageError as error:
        raise CollageError(f"{NODE}, input file: {quoted(name)} {error}") from error


def _collage_file(name: str) -> Opened:
    file = read_collage_file(file_path(name, SUFFIXES))
    _each(file.pictures(), check_bytes)
    _each(file.pictures(), keep_bytes)
    return Opened(file.document)


def _each(pictures: Iterable[tuple[str, bytes]], do: Callable[[str, bytes], None]) -> None:
    for name, data in pictures:
        _told(do, name, data)


def _told(do: Callable[[str, bytes], None], name: str, data: bytes) -> None:
    try:
        do(name, data)
    except CollageError as error:
        raise CollageError(f"has a picture {name} that {error}") from error
