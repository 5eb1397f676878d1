"""The same collage in another size, for a second pass over a picture that was enlarged."""

from __future__ import annotations

from dataclasses import replace

import torch

from ..errors import CollageError
from ..imaging.resample import cover_crop, stretch
from .collage import Collage, Edit
from .compositing import compose_bytes
from .layer import Layer
from .limits import CANVAS, CELL

NODE = "CollageResize"


def new_size(collage: Collage, factor: float, multiple: int = CELL) -> tuple[int, int]:
    """Width and height in whole cells, rounded as ComfyUI's LatentUpscaleBy rounds its cells.

    multiple: pixels of the side of a model's latent cell. Raises CollageError for a canvas that no
    stack could have.
    """
    sides = (collage.width, collage.height)
    found = [round(side / multiple * factor) * multiple for side in sides]
    if not CANVAS[0] <= min(found) <= max(found) <= CANVAS[1]:
        raise CollageError(
            f"{NODE}, input factor: {factor:g} would make the canvas of {collage.width} x "
            f"{collage.height} pixels {found[0]} x {found[1]}, and its sides reach from "
            f"{CANVAS[0]} to {CANVAS[1]}. Enter another factor."
        )
    return found[0], found[1]


def resized(collage: Collage, factor: float, noise: float = 1.0, multiple: int = CELL) -> Collage:
    """The collage on a canvas `factor` times as large; `noise` multiplies the noise of every layer.

    Layers keep their pixels, and a background picture is taken anew from its own size, so that
    nothing is resampled twice. After CollageEdit its picture and its least noise are resampled, its
    feather grows too, and its other noises are multiplied as well. Raises CollageError for sizes
    that no canvas or layer can have.
    """
    width, height = new_size(collage, factor, multiple)
    grown = max(width / collage.width, height / collage.height)  # the larger: no gap opens
    notes = collage.notes
    if width * collage.height != height * collage.width:
        notes = (*notes, f"{width} x {height} pixels have not quite the proportions of before")
    return replace(
        collage,
        width=width,
        height=height,
        background=_background(collage, height, width),
        layers=tuple(_layer(layer, grown, noise) for layer in collage.layers),
        edit=_edit(collage.edit, height, width, grown, noise),
        notes=notes,
    )


def resize_bytes(collage: Collage, width: int, height: int) -> int:
    """Bytes of memory that the collage takes in that size, with its composite."""
    pictures = len(collage.background)
    more = 12 * width * height * (pictures + len(collage.edit.picture if collage.edit else ()))
    return compose_bytes(height, width, pictures, collage.shown) + more


def _background(collage: Collage, height: int, width: int) -> torch.Tensor:
    if collage.source is not None:
        return cover_crop(collage.source.movedim(-1, 1), height, width).movedim(1, -1)
    colour = collage.background[:, :1, :1]
    if torch.equal(collage.background, colour.expand_as(collage.background)):
        return colour.expand(-1, height, width, -1)  # of one colour: it takes no memory
    return _stretched(collage.background, height, width)


def _layer(layer: Layer, grown: float, noise: float) -> Layer:
    scale = layer.scale * grown if layer.fit == "pixels" else layer.scale
    try:
        return replace(layer, scale=scale, noise=layer.noise * noise)
    except CollageError as error:
        raise CollageError(f"{NODE}, input factor: too much for a layer. {error}") from error


def _edit(edit: Edit | None, height: int, width: int, grown: float, noise: float) -> Edit | None:
    if edit is None:
        return None
    least = edit.minimum_noise
    return Edit(
        picture=_stretched(edit.picture, height, width),
        base_noise=edit.base_noise * noise,
        feather=edit.feather * grown,
        minimum_noise=None if least is None else stretch(least, height, width) * noise,
    )


def _stretched(picture: torch.Tensor, height: int, width: int) -> torch.Tensor:
    return stretch(picture.movedim(-1, 1), height, width).movedim(1, -1)
