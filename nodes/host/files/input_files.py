"""Files of ComfyUI's input folder, by names that may come from a stranger.

Host symbols:
    folder_paths: get_input_directory()
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import folder_paths

from ....collage_core.errors import CollageError
from ....collage_core.files.fields import FOLDER, LONGEST_NAME

# a folder never begins with a dot, so that no name leads out of the input folder
NAME = re.compile(
    r'(?:(?!\.)[^\x00-\x1f\\/:*?"<>|\ud800-\udfff]+/)*'
    r'(?!\.)[^\x00-\x1f\\/:*?"<>|\ud800-\udfff]+'
)


def input_folder() -> Path:
    return Path(folder_paths.get_input_directory()).resolve()


def input_path(name: str, again: str) -> Path:
    """The file that a checked name stands for: a regular one inside the input folder.

    again: what to do instead. Raises CollageError; its message goes on from the name.
    """
    folder = input_folder()
    try:
        path = (folder / name).resolve(strict=True)
    except (OSError, RuntimeError) as error:  # missing, no folder, or links in a circle
        raise CollageError(
            f"is not in ComfyUI's input folder. Put it there, or {again[0].lower()}{again[1:]}"
        ) from error
    if not path.is_relative_to(folder):
        raise CollageError(
            "is a link to a place outside ComfyUI's input folder. Copy the file into the folder."
        )
    if not path.is_file():
        raise CollageError(f"is no file. {again}")
    return path


def file_path(name: str, suffixes: Sequence[str]) -> Path:
    """The same for a name that nothing has checked; it has to end in one of the suffixes."""
    known = len(name) <= LONGEST_NAME and NAME.fullmatch(name) is not None
    if not known or not name.lower().endswith(tuple(suffixes)):
        raise CollageError(
            f"is no name of a file in ComfyUI's input folder that ends in {', '.join(suffixes)}. "
            "Choose another file."
        )
    return input_path(name, "Choose another file.")


def listed_files(suffixes: Sequence[str]) -> list[str]:
    """Names of files in the input folder and in its folder for collages, sorted."""
    folder = input_folder()
    files = [*folder.glob("*"), *(folder / FOLDER).glob("*")]
    found = [file for file in files if file.name.lower().endswith(tuple(suffixes))]
    return sorted(file.relative_to(folder).as_posix() for file in found if file.is_file())


def file_key(path: Path) -> str:
    """The SHA-256 of a file, kept for as long as the file does not change."""
    state = path.stat()
    return _file_key(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _file_key(path: Path, changed: int, size: int) -> str:  # noqa: ARG001  part of the cache key
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
