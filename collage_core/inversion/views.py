"""The training pictures of a layer: the object alone, large and small, on six backgrounds."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ..collage.collage import Collage
from ..collage.layer import Layer
from ..collage.placement import place_layer
from ..errors import CollageError
from ..imaging.pixels import VISIBLE_ALPHA, seen_box
from .prompts import same_layer
from .settings import where

# share of the picture's side that the object's longer side takes, one per background
OBJECT_SHARES = (0.95, 0.75, 0.5, 0.95, 0.75, 0.5)
SCENE_SHARE = 0.4  # instead of the first in a collage, so that its surroundings are seen
MIN_SIDE_PIXELS = 16  # of the layer's shorter side
MIN_CELLS = 16.0  # latent cells that the object covers at its smallest


@dataclass(frozen=True, eq=False)
class Views:
    """Six pictures [6, R, R, 3] in [0, 1], and masks [6, R, R]: 1 where the object is.

    views = layer_views(layer, None, resolution=512, cell=8)
    views.cells(8)  # [6, 1, 64, 64]
    """

    pictures: torch.Tensor
    masks: torch.Tensor

    def cells(self, size: int) -> torch.Tensor:
        """The masks on the latent grid [6, 1, R / size, R / size], widened by one cell."""
        return F.max_pool2d(F.avg_pool2d(self.masks.unsqueeze(1), size), 3, 1, 1)


def layer_views(layer: Layer, collage: Collage | None, resolution: int, cell: int) -> Views:
    """The views of a layer; with a collage, two of them show its surroundings there.

    resolution: pixels of a view's side; cell: pixels of a latent cell's side. Raises CollageError
    for a layer with too few visible pixels.
    """
    check_layer(layer)
    cropped, extent = _upright(layer)
    shares = OBJECT_SHARES if collage is None else (SCENE_SHARE, *OBJECT_SHARES[1:])
    backgrounds = _backgrounds(cropped, layer, collage, resolution, extent)
    pictures, masks = [], []
    for number, (share, background) in enumerate(zip(shares, backgrounds, strict=True)):
        which = number % layer.batch
        one = dataclasses.replace(
            cropped,
            image=cropped.image[which : which + 1],
            alpha=cropped.alpha[which : which + 1],
            scale=share * resolution / extent,
            fit="pixels",
        )
        placed = place_layer(one, resolution, resolution)
        pixels = background.new_zeros(4, resolution, resolution)
        pixels[(..., *placed.window)] = placed.pixels[0]
        pictures.append(pixels[:3] + (1 - pixels[3]) * background)
        masks.append(pixels[3])
    views = Views(torch.stack(pictures).movedim(1, -1).clamp(0, 1), torch.stack(masks))
    covered = F.avg_pool2d(views.masks[1:].unsqueeze(1), cell).sum((1, 2, 3)).min().item()
    if covered < MIN_CELLS:
        raise CollageError(
            f"{where(layer.text, 'layer')}: it is so thin that it covers {covered:.1f} latent "
            f"cells of {cell} x {cell} pixels; {MIN_CELLS:.0f} are needed to learn from. "
            "Use a layer with more visible pixels."
        )
    return views


def check_layer(layer: Layer) -> None:
    """Raise CollageError for pixels that nothing can be learned from."""
    if not (layer.image.isfinite().all() and layer.alpha.isfinite().all()):
        raise CollageError(
            f"{where(layer.text, 'layer')}: its pixels hold NaN or infinite values. "
            "Repair or replace the node that made them."
        )
    highest = (layer.alpha.amax((1, 2)).min() * layer.opacity).item()
    if highest < VISIBLE_ALPHA:
        raise CollageError(
            f"{where(layer.text, 'layer')}: nothing of it can be seen, its highest alpha is "
            f"{highest:.3f}. Raise its opacity, or invert its mask with InvertMask."
        )
    rows, columns = seen_box(layer.alpha.amax(0))
    height, width = rows.stop - rows.start, columns.stop - columns.start
    if min(height, width) < MIN_SIDE_PIXELS:
        raise CollageError(
            f"{where(layer.text, 'layer')}: what can be seen of it is {width} x {height} pixels; "
            f"its shorter side must have at least {MIN_SIDE_PIXELS}. Use a larger picture."
        )


def _upright(layer: Layer) -> tuple[Layer, float]:
    """The visible part of the layer, rotated as in the collage, centred and opaque.

    With it the longer side, in pixels, of the box around it.
    """
    box = seen_box(layer.alpha.amax(0))
    cropped = dataclasses.replace(
        layer,
        image=layer.image[(slice(None), *box)],
        alpha=layer.alpha[(slice(None), *box)],
        x=0.5,
        y=0.5,
        opacity=1.0,
    )
    height, width = cropped.alpha.shape[1:]
    turn = math.radians(layer.rotation)
    cos, sin = abs(math.cos(turn)), abs(math.sin(turn))
    return cropped, max(cos * height + sin * width, sin * height + cos * width)


def _backgrounds(
    cropped: Layer, layer: Layer, collage: Collage | None, resolution: int, extent: float
) -> list[torch.Tensor]:
    """Six pictures [3, R, R]: surroundings sharp and blurred, mean colour, grey, white, noise."""
    generator = torch.Generator().manual_seed(0)
    grain = torch.rand(1, 3, 16, 16, generator=generator).to(layer.image)
    noise = F.interpolate(grain, (resolution, resolution), mode="bilinear")[0]
    mean = (cropped.image * cropped.alpha.unsqueeze(-1)).sum((0, 1, 2)) / cropped.alpha.sum()
    plain = [value.view(3, 1, 1).expand_as(noise) for value in (mean.new_full((3,), 0.5), mean)]
    grey, colour = plain
    around = colour.mean() + (noise - 0.5) / 2  # without a collage
    if collage is not None:
        side = extent * layer.scale_on(collage.height, collage.width) / SCENE_SHARE
        around = _surroundings(layer, collage, resolution, side)
    small = F.interpolate(around.unsqueeze(0), (8, 8), mode="bilinear", antialias=True)
    blurred = F.interpolate(small, (resolution, resolution), mode="bilinear")[0]
    return [around.clamp(0, 1), blurred.clamp(0, 1), colour, grey, torch.ones_like(noise), noise]


def _surroundings(layer: Layer, collage: Collage, resolution: int, side: float) -> torch.Tensor:
    """The collage without the layer in a square of `side` pixels around its place: [3, R, R]."""
    others = tuple(other for other in collage.layers if not same_layer(other, layer))
    alone = dataclasses.replace(collage, layers=others, edit=None)  # an edit's picture shows it
    picture = alone.composite.image[:1].movedim(-1, 1)
    length = max(1, min(round(side), 4 * max(collage.height, collage.width)))
    for axis, (centre, size) in enumerate(((layer.y, collage.height), (layer.x, collage.width))):
        index = torch.arange(length) + round(centre * size - length / 2)
        picture = picture.index_select(axis + 2, index.clamp(0, size - 1).to(picture.device))
    square = (resolution, resolution)
    return F.interpolate(picture, square, mode="bilinear", antialias=True)[0]
