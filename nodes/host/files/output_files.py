"""Files in ComfyUI's output folder, under names that are free.

Host symbols:
    folder_paths: get_output_directory(), is_within_directory(directory, target)
    folder_paths: get_save_image_path(filename_prefix, output_dir, image_width, image_height)
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import folder_paths

from ....collage_core.errors import CollageError, quoted
from ....collage_core.storage.atomic_write import writing

TRIES = 100  # other runs may take the same number at the same moment


@dataclass(frozen=True)
class OutputFile:
    """Where a file was written, as ComfyUI's page asks for it: inside the output folder."""

    folder: str
    name: str

    @property
    def path(self) -> str:
        return f"{self.folder}/{self.name}" if self.folder else self.name

    @property
    def row(self) -> dict[str, str]:
        return {"filename": self.name, "subfolder": self.folder, "type": "output"}


def save_output(
    node: str, prefix: str, suffix: str, size: tuple[int, int], write: Callable[[BinaryIO], None]
) -> OutputFile:
    """Write PREFIX_00001_SUFFIX, or with the next free number; nothing is replaced.

    size: width and height for %width% and %height% in the prefix. Raises CollageError in the name
    of the node where the prefix leads elsewhere or the system refuses.
    """
    output = folder_paths.get_output_directory()
    if not os.path.normpath(prefix).rpartition(os.sep)[2].strip("."):
        raise CollageError(
            f"{node}, input filename_prefix: {quoted(prefix)} names no file. Write a name such as "
            "collage/collage."
        )
    if not folder_paths.is_within_directory(output, str(Path(output, prefix).parent)):
        raise CollageError(
            f"{node}, input filename_prefix: {quoted(prefix)} leads out of ComfyUI's output "
            "folder. Write a name such as collage/collage."
        )
    try:
        return _written(folder_paths.get_save_image_path(prefix, output, *size), suffix, write)
    except OSError as error:
        raise CollageError(
            f"{node}: the file cannot be written to ComfyUI's output folder "
            f"({error.strerror or error}). Free some space, make the folder writable, or write "
            "another filename_prefix."
        ) from error


def _written(
    where: tuple[str, str, int, str, str], suffix: str, write: Callable[[BinaryIO], None]
) -> OutputFile:
    folder, name, number, inner, _ = where
    for free in range(number, number + TRIES):
        file = f"{name}_{free:05}_{suffix}"
        try:
            with writing(Path(folder, file)) as open_file:
                write(open_file)
        except FileExistsError:
            continue
        return OutputFile(inner.replace("\\", "/"), file)
    raise FileExistsError(f"{TRIES} names are taken")
