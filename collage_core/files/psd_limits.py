"""What of a PSD file is refused before memory is taken, and what damage in it is told as.

Messages go on from "NAME ".
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import CollageError, quoted
from .psd_names import MODES
from .psd_pixels import box_of, pixels_in

MAX_FILE = 100 * 2**20  # bytes
MAX_SIDE = 30000
MAX_CANVAS = 2**26  # pixels, of a layer too
MAX_PIXELS = 2**28  # of all layers and masks together; one is read at a time
MAX_RECORDS = 512
MAX_DEPTH = 64
HEADER = struct.Struct(">4sH6xHIIHH")
MISSING = (
    "needs the package psd-tools: run `pip install psd-tools>=1.26` with the Python of ComfyUI, "
    "and start ComfyUI again."
)
# what psd-tools raises for damaged files
DAMAGE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError,
          OSError, EOFError, RecursionError, NotImplementedError, struct.error, zlib.error,
          UserWarning)  # fmt: skip


def library() -> Any:
    """psd-tools, or one sentence that says how to get it."""
    try:
        import psd_tools
    except ImportError as error:
        raise CollageError(MISSING) from error
    return psd_tools


def check_header(path: Path) -> None:
    try:
        with open(path, "rb") as file:
            size, header = file.seek(0, 2), b""
            file.seek(0)
            header = file.read(HEADER.size)
    except OSError as error:
        raise CollageError(f"cannot be read ({error.strerror}). Choose another file.") from error
    if len(header) < HEADER.size or not header.startswith(b"8BPS"):
        raise CollageError("is no PSD file. Save it as PSD.")
    if size > MAX_FILE:
        raise CollageError(f"has more than {MAX_FILE // 2**20} MiB. Make it smaller.")
    _, version, _, height, width, depth, mode = HEADER.unpack(header)
    if mode in MODES:
        raise CollageError(f"is {MODES[mode]}. Save it as RGB, 8 bits.")
    if version not in (1, 2) or mode not in (1, 3) or depth not in (8, 16, 32):
        raise CollageError("is a kind of PSD that is not known. Save it as RGB, 8 bits.")
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_CANVAS):
        raise CollageError(
            f"has {width} x {height} pixels, and at most {MAX_CANVAS // 2**20} megapixels and "
            f"{MAX_SIDE} a side are read. Make it smaller."
        )


def check_layers(file: Any) -> int:
    """Refuse what takes too much memory; the pixels of the largest layer."""
    sizes = [file.width * file.height] if not len(file) else []
    total = 0
    for layer, depth in _walk(file, 0):
        sizes.append(0)
        if len(sizes) > MAX_RECORDS or depth > MAX_DEPTH:
            raise CollageError(
                f"has more than {MAX_RECORDS} layers, or groups more than {MAX_DEPTH} deep. "
                "Merge some."
            )
        boxes = [] if layer.is_group() else [box_of(layer)]
        if layer.mask is not None:
            mask = layer.mask
            boxes.append((mask.left, mask.top, mask.right, mask.bottom))
        for box in boxes:
            if box[2] - box[0] > MAX_SIDE or box[3] - box[1] > MAX_SIDE:
                raise CollageError("has a layer of more than 30000 pixels a side. Make it smaller.")
            total += pixels_in(box)
            sizes[-1] = max(sizes[-1], pixels_in(box))
    if total > MAX_PIXELS or max(sizes, default=0) > MAX_CANVAS:
        raise CollageError(
            f"has layers of {total / 1e6:.0f} megapixels together, and at most "
            f"{MAX_PIXELS / 1e6:.0f} are read, {MAX_CANVAS / 1e6:.0f} of one layer. Make it "
            "smaller, or merge layers."
        )
    return max(sizes, default=0)


def _walk(group: Any, depth: int) -> Iterator[tuple[Any, int]]:
    for layer in group:
        yield layer, depth
        if layer.is_group():
            yield from _walk(layer, depth + 1)


@contextmanager
def damage_told() -> Iterator[None]:
    """What psd-tools raises or warns of is one CollageError: it would go on with black pixels."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            yield
    except CollageError:
        raise
    except MemoryError as error:
        raise CollageError("takes more memory than there is. Make it smaller.") from error
    except DAMAGE as error:
        raise CollageError(
            f"is damaged ({quoted(str(error))}). Save it anew from the program that made it."
        ) from error
