"""A collage, and the picture made from it, as the layers of a PSD file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, BinaryIO

import torch

from ..collage_core.collage.collage import Collage
from ..collage_core.collage.layer import Layer
from ..collage_core.collage.placement import place_layer
from ..collage_core.editing.split import split, split_bytes
from ..collage_core.errors import CollageError, quoted
from ..collage_core.files.psd import RESULT
from ..collage_core.files.psd_export import Sheet, write_psd
from ..collage_core.files.psd_limits import library
from ..collage_core.imaging.filters import TINY
from .host.limits import check_room
from .saved_file import COLLAGE, NODE, one_picture

NOTE = (
    "A PSD has no room for the sentence, noise, attract, repel, control, looks, LoRAs and what "
    "layers must not show, and a number at the end of a layer's words is read as that of a copy: "
    "save the collage, too."
)
BACKGROUND = "Background"  # as painting programs call it, so that it is read as one


@dataclass(frozen=True)
class PsdFile:
    """What is written; `result` is the picture [H, W, 3] on top, if there is one."""

    collage: Collage
    result: torch.Tensor | None
    notes: tuple[str, ...] = (NOTE,)

    def write(self, file: BinaryIO) -> None:
        whole = self.collage.composite.image[0] if self.result is None else self.result
        write_psd(file, in_bytes(whole), self._sheets(), self._parts())

    def _sheets(self) -> Iterator[Sheet]:
        yield Sheet(BACKGROUND, _opaque(self.collage.background[0]))
        for layer in self.collage.layers:
            yield _sheet(layer, self.collage)
        if self.result is not None:
            yield Sheet(RESULT, _opaque(self.result))

    def _parts(self) -> Iterator[Sheet]:
        """What CollageSplit cuts out of the result."""
        if self.result is None:
            return
        parted = split(self.collage, self.result.unsqueeze(0))
        yield Sheet(BACKGROUND, _opaque(parted.background[0]))
        for layer in parted.shown:
            yield _sheet(layer, parted)


def psd_file(collage: Collage, picture: torch.Tensor | None) -> PsdFile:
    """A collage to write; picture: [1, H, W, 3] made from it, or None.

    Raises CollageError without psd-tools, for batches, and where memory does not suffice.
    """
    try:
        library()
    except CollageError as error:
        raise CollageError(f"{NODE}, input format: psd {error}") from error
    try:
        one_picture(len(collage.background), "the background")
        for number, layer in enumerate(collage.layers, 1):
            one_picture(layer.batch, f"layer {number} {quoted(layer.text)}")
    except CollageError as error:
        raise CollageError(f"{COLLAGE}: {error}") from error
    if collage.edit is not None and picture is None:
        picture = collage.composite.image[:1]
    if picture is not None:
        what = f"taking {len(collage.shown)} layers of the picture apart"
        check_room(NODE, what, split_bytes(collage, 1), collage.background.device)
        picture = picture.to(collage.background.device)
    return PsdFile(collage, None if picture is None else picture[0])


def _sheet(layer: Layer, collage: Collage) -> Sheet:
    """A layer as it stands; what of its opacity does not fit into a byte goes into its alpha."""
    opacity = ceil(layer.opacity * 255 - 1e-4)
    own = replace(layer, opacity=min(1.0, layer.opacity * 255 / opacity) if opacity else 1.0)
    margin = max(collage.height, collage.width)
    placed = place_layer(own, collage.height, collage.width, margin)
    colour, alpha = placed.pixels[0].split((3, 1))
    straight = torch.cat([(colour / alpha.clamp(min=TINY)).clamp(max=1), alpha])
    return Sheet(
        layer.text,
        in_bytes(straight.movedim(0, -1)),
        placed.left,
        placed.top,
        opacity,
        layer.visible,
        layer.blend,
    )


def _opaque(picture: torch.Tensor) -> Any:
    return in_bytes(torch.cat([picture, torch.ones_like(picture[..., :1])], -1))


def in_bytes(pixels: torch.Tensor) -> Any:
    """[..., C] in [0, 1] as an array of bytes."""
    return (pixels.cpu().clamp(0, 1) * 255).round().to(torch.uint8).contiguous().numpy()
