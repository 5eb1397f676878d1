"""The portable file NAME.collage.zip: a collage document with its pictures.

    collage.json                  the document, byte for byte as CollageEditor holds it
    pictures/<SHA-256>.<ext>      every picture that it names, as it was
    preview.png                   how it looks

A file may come from a stranger. The reader looks at sizes before it reads, counts while it
unpacks, and takes nothing that the document does not name. Its messages go on from "NAME ".
"""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..errors import CollageError, quoted
from .document import MAX_BYTES, Document, read_document
from .fields import HASHED
from .writing import picture_names

SUFFIX = ".collage.zip"
DOCUMENT, PREVIEW, PICTURES = "collage.json", "preview.png", "pictures/"
MAX_ENTRIES = 300
MAX_PICTURE = 100 * 2**20  # bytes
MAX_TOTAL = 512 * 2**20  # bytes, unpacked; the file itself is no larger either
MAX_INDEX = 2**18  # bytes of the list of entries at the end of the file
CHUNK = 2**20
ENDING = struct.Struct("<4s4H2LH")  # the last record of a zip file
DAMAGE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, LookupError,
          RuntimeError, NotImplementedError, struct.error, OverflowError)  # fmt: skip
WRITTEN = (1980, 1, 1, 0, 0, 0)  # so that the same collage makes the same file


@dataclass(frozen=True)
class CollageFile:
    """A file whose document and list of entries are in order; pictures are checked when read.

    Example: for name, data in read_collage_file(path).pictures(): ...
    """

    path: Path
    document: Document

    def pictures(self) -> Iterator[tuple[str, bytes]]:
        """The name in documents and the bytes of every picture. Raises CollageError."""
        with _opened(self.path) as archive:
            left = MAX_TOTAL
            for name in picture_names(self.document):
                entry = _entry_of(name)
                data = _unpacked(archive, entry, min(MAX_PICTURE, left))
                if hashlib.sha256(data).hexdigest() != Path(entry).stem:
                    raise CollageError(
                        f"is damaged: its {entry} has another content than its name says. "
                        "Take a sound copy of it."
                    )
                left -= len(data)
                yield name, data


def read_collage_file(path: Path) -> CollageFile:
    """Read the document of a file, and see that it holds the pictures that are named, no more."""
    with _opened(path) as archive:
        document = read_document(_text(_unpacked(archive, DOCUMENT, MAX_BYTES)))
        plain = [name for name in picture_names(document) if not HASHED.fullmatch(name)]
        if plain:
            raise CollageError(
                f"names the picture {quoted(plain[0])}, and a file to pass on holds its pictures "
                "under their hashes. Write it with Collage Save File."
            )
        wanted = {DOCUMENT, PREVIEW, *map(_entry_of, picture_names(document))}
        found = {*archive.namelist()}
        _refuse("holds {}, which is no part of a collage", sorted(found - wanted))
        _refuse("lacks its {}", sorted(wanted - found - {PREVIEW}))
    return CollageFile(path, document)


def write_collage_file(
    file: BinaryIO, text: str, pictures: Iterable[tuple[str, bytes]], preview: bytes
) -> None:
    """Write a document, its pictures by their names in it, and a preview (PNG).

    Raises CollageError for what `read_collage_file` would refuse for its size.
    """
    total = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, DOCUMENT, text.encode())
        for name, data in pictures:
            total += len(data)
            if len(data) > MAX_PICTURE or total > MAX_TOTAL:
                raise CollageError(
                    f"the file would hold more than {MAX_PICTURE // 2**20} MiB in one picture or "
                    f"{MAX_TOTAL // 2**20} MiB in all. Make pictures smaller."
                )
            _add(archive, _entry_of(name), data)
        _add(archive, PREVIEW, preview)


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, WRITTEN), data)


def _entry_of(name: str) -> str:
    """The entry of a picture that a document calls `collage/<SHA-256>.<ext>`."""
    return PICTURES + name.rpartition("/")[2]


def _refuse(what: str, entries: list[str]) -> None:
    if entries:
        more = f" and {len(entries) - 1} more" if len(entries) > 1 else ""
        raise CollageError(
            what.format(quoted(entries[0]) + more) + ". Take the file as it was written."
        )


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, once its list of entries is known to be short; damage is one CollageError."""
    try:
        with open(path, "rb") as file:
            _check_ending(file)
            with zipfile.ZipFile(file) as archive:
                _check_entries(archive)
                yield archive
    except CollageError:
        raise
    except DAMAGE as error:
        raise CollageError(
            f"is damaged or no collage file ({quoted(str(error))}). Take a sound copy of it."
        ) from error


def _check_ending(file: BinaryIO) -> None:
    """The size of the list of entries, which zipfile would read whole whatever its size."""
    size = file.seek(0, 2)
    if size > MAX_TOTAL + MAX_INDEX:
        raise CollageError(f"has more than {MAX_TOTAL // 2**20} MiB. Make its pictures smaller.")
    if size < ENDING.size:
        raise CollageError("is no zip file. Take a sound copy of it.")
    file.seek(max(0, size - ENDING.size - 20))
    before = file.read(20) if size >= ENDING.size + 20 else b""
    mark, *_, entries, index, _, comment = ENDING.unpack(file.read(ENDING.size))
    if mark != b"PK\x05\x06" or comment or before.startswith(b"PK\x06\x07"):
        raise CollageError("is cut off or no collage file. Take a sound copy of it.")
    if entries > MAX_ENTRIES or index > MAX_INDEX:
        raise CollageError(
            f"lists {entries} entries, and a collage has at most {MAX_ENTRIES}. Take the file as "
            "it was written."
        )


def _check_entries(archive: zipfile.ZipFile) -> None:
    names = archive.namelist()
    _refuse("has two entries {}", sorted({name for name in names if names.count(name) > 1}))
    packed = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    odd = [
        one.filename
        for one in archive.infolist()
        if one.compress_type not in packed or one.flag_bits & 1
    ]
    _refuse("holds {}, which is encrypted or packed in another way", odd)


def _unpacked(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """An entry, counted while it is unpacked: what its header says may be a lie."""
    if name not in archive.namelist():
        _refuse("lacks its {}", [name])
    data = bytearray()
    with archive.open(name) as entry:
        while chunk := entry.read(CHUNK):
            data += chunk
            if len(data) > most:
                raise CollageError(
                    f"holds too much: {name} has more than the {most // 1024} KiB that are left "
                    "for it. Make pictures smaller."
                )
    return bytes(data)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise CollageError(
            f"is damaged: its {DOCUMENT} is no UTF-8 text. Take a sound copy of it."
        ) from error
