"""A file of the input folder as a collage document, with its pictures kept in input/collage."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

from ..collage_core.errors import CollageError, quoted
from ..collage_core.files import psd
from ..collage_core.files.collage_file import SUFFIX, read_collage_file
from ..collage_core.files.document import Document, read_document
from ..collage_core.files.psd_document import document_of
from ..collage_core.files.psd_pixels import Plane
from .host.files.input_files import file_path
from .host.files.input_pictures import check_bytes, keep_bytes, png_of
from .host.limits import check_room

NODE = "CollageOpenFile"
CPU = torch.device("cpu")
SUFFIXES = (SUFFIX, *psd.SUFFIXES)


@dataclass(frozen=True)
class Opened:
    """notes: what of the file could not be kept as it was, in sentences."""

    document: Document
    notes: tuple[str, ...] = ()


def open_file(name: str) -> Opened:
    """Read a file that a user or a page names. Raises one CollageError.

    Pictures are kept under their hashes, so that what is there already stays.
    """
    try:
        path = file_path(name, SUFFIXES)
        return _psd(path) if name.lower().endswith(psd.SUFFIXES) else _collage_file(path)
    except CollageError as error:
        raise CollageError(f"{NODE}, input file: {quoted(name)} {error}") from error


def _psd(path: Path) -> Opened:
    file = psd.read_psd(path)
    needed = psd.BYTES_PER_PIXEL * file.largest
    check_room(NODE, f"reading a layer of {file.largest / 1e6:.0f} megapixels", needed, CPU)
    made: dict[str, bytes] = {}

    def name_of(pixels: Plane) -> str:
        name, made[name] = png_of(pixels)
        return name

    text, notes = document_of(file, name_of)
    _each(made.items(), keep_bytes)  # once nothing can be refused any more
    return Opened(read_document(text), tuple(notes))


def _collage_file(path: Path) -> Opened:
    file = read_collage_file(path)
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
