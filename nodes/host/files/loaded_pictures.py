"""Whether the file of a picture is complete: ComfyUI silently shows the rest of a damaged one.

The host keeps file names inside its input, output and temp folders.

Host symbols:
    folder_paths: annotated_filepath(name), exists_annotated_filepath(name)
    folder_paths: get_annotated_filepath(name)
    comfy.model_management: throw_exception_if_processing_interrupted()
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import folder_paths
from comfy.model_management import throw_exception_if_processing_interrupted
from PIL import Image, ImageFile, ImageSequence, UnidentifiedImageError

from ....collage_core.errors import CollageError, quoted
from .queued_graph import constants_before

KINDS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}


def check_loaded(node: Any, title: str, inputs: Iterable[str]) -> None:
    """Refuse a picture that any node before this one loaded from a damaged file.

    node: the class that is executed, with the hidden input dynprompt. title: its name in messages.
    inputs: names of the inputs that take pictures. Files are found among the constants of the
    nodes before, so every loader counts. Nothing is checked where the host gives no graph.
    """
    for name in inputs:
        for file in filter(_is_picture, constants_before(node, name)):
            path = Path(folder_paths.get_annotated_filepath(file))
            state = path.stat()
            if problem := _damage(path, state.st_mtime_ns, state.st_size):
                raise CollageError(
                    f"{title}, input {name}: the file {quoted(path.name)} is damaged ({problem}), "
                    "and ComfyUI would show what is left of it. Load it from a sound copy."
                )


def _is_picture(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    suffix = Path(folder_paths.annotated_filepath(value)[0]).suffix.lower()
    return suffix in KINDS and folder_paths.exists_annotated_filepath(value)


@lru_cache(maxsize=512)
def _damage(path: Path, changed: int, size: int) -> str | None:  # noqa: ARG001  part of the cache key
    """Why a file cannot be read to its end; None for complete files and for other kinds of file."""
    try:
        with strictly(), Image.open(path, formats=sorted(set(KINDS.values()))) as picture:
            # the host shows the first picture of such a JPEG; tools that turn it drop the others
            frames = [picture] if picture.format == "MPO" else ImageSequence.Iterator(picture)
            for frame in frames:
                throw_exception_if_processing_interrupted()
                frame.load()
    except (UnidentifiedImageError, Image.DecompressionBombError):
        return None  # the host reads more kinds of files, and larger ones
    except (OSError, SyntaxError, ValueError) as error:
        return str(error)
    return None


@contextlib.contextmanager
def strictly() -> Iterator[None]:
    """Make Pillow refuse truncated files, even where another pack allows them."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before
