"""Pictures in ComfyUI's input folder, by the names that collage documents have for them.

A document may come from a stranger, so this is the only way from one of its names to a file.
A name `collage/<SHA-256>.png` says what the file holds; such pictures are never replaced.

Host symbols:
    folder_paths: get_input_directory()
    comfy.model_management: intermediate_device()
"""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import comfy.model_management
import folder_paths
import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from ....collage_core.errors import CollageError, quoted
from ....collage_core.files.fields import FOLDER, HASHED, is_picture
from ....collage_core.storage.atomic_write import write_whole
from .input_files import input_path
from .loaded_pictures import strictly

FORMATS = ("PNG", "JPEG", "WEBP")  # told by the first bytes
ANIMATED = ("PNG", "WEBP")  # the second picture in a JPEG of a telephone is a map of depths
MAX_PIXELS = 2**26
MAX_BYTES = 2**29  # of a file
AGAIN = "Choose the picture again."
TOO_LARGE = "has {}, and at most 64 megapixels are read. Make it smaller."
# what Pillow's readers raise for damaged files
DAMAGE = (OSError, SyntaxError, ValueError, ArithmeticError, LookupError, EOFError, struct.error)


@dataclass(frozen=True)
class InputPicture:
    """A picture of the input folder that was looked at and not decoded.

    sha256: of the whole file; width, height: as it is shown, so after its EXIF rotation.
    """

    path: Path
    sha256: str
    width: int
    height: int


def picture_path(name: str) -> Path:
    """The file that a name of a document stands for: a regular one inside the input folder.

    Raises CollageError; its message goes on from "its picture NAME ", as all here do.
    """
    if not is_picture(name):
        raise CollageError(f"is no name of a picture in ComfyUI's input folder. {AGAIN}")
    return input_path(name, AGAIN)


def look_at(name: str) -> InputPicture:
    """Find a picture, and check its hash, kind and size without decoding it."""
    path = picture_path(name)
    state = path.stat()
    if state.st_size > MAX_BYTES:
        raise CollageError(f"has more than {MAX_BYTES // 2**20} MiB. Save it smaller.")
    return _looked_at(name, path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=512)
def _looked_at(name: str, path: Path, changed: int, size: int) -> InputPicture:  # noqa: ARG001  part of the cache key
    data = _bytes(name, path)
    with _opened(data) as picture:
        turned = picture.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        width, height = picture.size[::-1] if turned else picture.size
    return InputPicture(path, hashlib.sha256(data).hexdigest(), width, height)


def _bytes(name: str, path: Path) -> bytes:
    """The whole file, if it is what a name with a hash says."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CollageError(f"cannot be read ({error.strerror or error}). {AGAIN}") from error
    _same(name, data)
    return data


def _same(name: str, data: bytes) -> None:
    """Refuse a file that is not what a name with a hash says."""
    wanted = HASHED.fullmatch(name)
    if wanted and hashlib.sha256(data).hexdigest() != wanted[1]:
        raise CollageError(f"was changed: its content has another hash than its name. {AGAIN}")


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    """A picture by its header; whatever goes wrong with it in the block is one CollageError."""
    try:
        with strictly(), Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            _check_size(*picture.size)
            yield picture
    except CollageError:
        raise
    except UnidentifiedImageError as error:
        raise CollageError(
            "is no PNG, JPEG or WEBP file, whatever its name says. Save it as PNG."
        ) from error
    except Image.DecompressionBombError as error:
        raise CollageError(TOO_LARGE.format("far too many pixels")) from error
    except DAMAGE as error:
        raise CollageError(
            f"is damaged ({quoted(str(error))}). Take a sound copy of it."
        ) from error


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise CollageError(TOO_LARGE.format(f"{width} x {height} pixels"))


def read_picture(name: str) -> tuple[torch.Tensor, tuple[str, ...]]:
    """A picture as [1, H, W, 4] in [0, 1], turned as its EXIF says, and notes for the report.

    Of an animation the first frame is read. Alpha is the one that LoadImage and CollageLayer make
    of it, to the bit.
    """
    with _opened(_bytes(name, look_at(name).path)) as picture:
        frames = getattr(picture, "n_frames", 1) if picture.format in ANIMATED else 1
        pixels = np.asarray(_rgba(ImageOps.exif_transpose(picture)))
    image = torch.from_numpy(pixels.astype(np.float32) / 255).unsqueeze(0)
    image[..., 3] = 1 - (1 - image[..., 3])
    notes = () if frames == 1 else (f"{name} has {frames} frames, and the first is used",)
    return image.to(comfy.model_management.intermediate_device()), notes


def _rgba(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16 bits of grey, which Pillow would cut off at 255
        deep = np.asarray(picture).astype(np.float64) / 257
        picture = Image.fromarray(deep.clip(0, 255).round().astype(np.uint8))
    return picture.convert("RGBA")


def picture_bytes(name: str) -> bytes:
    """A picture's whole file as it is, which was looked at before."""
    return _bytes(name, look_at(name).path)


def png_of(pixels: torch.Tensor | np.ndarray) -> tuple[str, bytes]:
    """[H, W, 3 or 4] in [0, 1], or in bytes, as a PNG, and its name in documents: its hash."""
    _check_size(pixels.shape[1], pixels.shape[0])
    file = io.BytesIO()
    if isinstance(pixels, torch.Tensor):
        pixels = (pixels.cpu() * 255).round().to(torch.uint8).numpy()
    Image.fromarray(pixels).save(file, "PNG", compress_level=4)
    name = f"{FOLDER}/{hashlib.sha256(file.getvalue()).hexdigest()}.png"
    return name, file.getvalue()


def check_bytes(name: str, data: bytes) -> None:
    """Raise CollageError for a file that cannot be kept under this name with a hash."""
    _same(name, data)
    with _opened(data):
        pass


def keep_bytes(name: str, data: bytes) -> None:
    """Write a checked file under its name with a hash.

    A file of that name stays; if it holds anything else, CollageError says so.
    """
    path = Path(folder_paths.get_input_directory(), name)
    try:
        path.parent.mkdir(exist_ok=True)
        write_whole(path, data)
    except FileExistsError:
        _check_kept(name)
    except OSError as error:
        raise CollageError(
            f"cannot be written to {FOLDER} in ComfyUI's input folder ({error.strerror or error}). "
            "Free some space, or make the folder writable."
        ) from error


def _check_kept(name: str) -> None:
    try:
        _bytes(name, picture_path(name))
    except CollageError as error:
        raise CollageError(
            f"cannot be kept, as the file {name} in ComfyUI's input folder has its name and "
            "another content. Delete that file, and run again."
        ) from error


def keep_picture(pixels: torch.Tensor | np.ndarray) -> str:
    """Keep [H, W, 4] in [0, 1] or in bytes as a PNG named by its hash; its name in documents."""
    name, data = png_of(pixels)
    keep_bytes(name, data)
    return name


def small_png(pixels: torch.Tensor, side: int) -> bytes:
    """[H, W, 3] in [0, 1] as a PNG whose longer side has at most so many pixels."""
    file = io.BytesIO()
    rounded = (pixels.cpu().clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    picture = Image.fromarray(rounded[..., :3])
    picture.thumbnail((side, side))
    picture.save(file, "PNG", compress_level=4)
    return file.getvalue()
