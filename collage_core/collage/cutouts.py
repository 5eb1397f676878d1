"""Layers one by one: their pixels on the canvas, their masks and the boxes around them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from einops import rearrange

from ..imaging.pixels import seen_box
from ..interruption import interruptible
from .collage import BACKGROUND, Collage
from .compositing import blended, lay_over
from .placement import layer_on_canvas

BoundingBox = dict[str, int]  # x, y, width, height in pixels, as ComfyUI's BOUNDING_BOX


def paste_layers(picture: torch.Tensor, collage: Collage, numbers: Sequence[int]) -> torch.Tensor:
    """A picture [B, H, W, 3] with the own pixels of some layers pasted where these are visible.

    Number 0 pastes the background. The picture stays to the bit where none of them is visible.
    A layer with a blend mode mixes with the picture and with what is pasted below it.
    """
    H, W = collage.height, collage.width
    if any(layer.blends for n, layer in collage.numbered if n in numbers):
        return _paste_blended(picture, collage, numbers)
    pasted = picture.movedim(-1, 1).clone()
    for number in interruptible(numbers):
        if number == BACKGROUND:
            window, colour = (slice(0, H), slice(0, W)), collage.background.movedim(-1, 1)
        else:
            alone = layer_on_canvas(collage.layers[number - 1], H, W)
            window, colour = alone.window, alone.colour
        share = collage.visible_part(number)[(..., *window)]
        pasted[(..., *window)] += share * (colour - picture.movedim(-1, 1)[(..., *window)])
    return pasted.clamp_(0, 1).movedim(1, -1).contiguous()


def _paste_blended(picture: torch.Tensor, collage: Collage, numbers: Sequence[int]) -> torch.Tensor:
    """The same from below, where every layer that is not pasted shows the picture."""
    before = picture.movedim(-1, 1)
    start = collage.background.movedim(-1, 1) if BACKGROUND in numbers else before
    pasted = start.expand_as(before).clone()
    for number, layer in interruptible(collage.numbered):
        if number in numbers:
            lay_over(pasted, blended(layer, pasted))
        else:
            own = layer_on_canvas(layer, collage.height, collage.width)
            lay_over(pasted, replace(own, colour=before[(..., *own.window)]))
    return pasted.clamp_(0, 1).movedim(1, -1).contiguous()


@dataclass(frozen=True, eq=False)
class LayerCutouts:
    """Every shown layer, bottom to top, on a canvas of its alone.

    images: [L, B, H, W, 3]; visible: [L, B, H, W], the visible alpha of each layer;
    full: [L, B, H, W], its alpha with nothing above it.

    Example: of a cake over half of a cup, both opaque.
        cutouts.visible[0].sum() == cutouts.full[0].sum() / 2  # the cup
    """

    images: torch.Tensor
    visible: torch.Tensor
    full: torch.Tensor


def mask_rows(masks: torch.Tensor) -> torch.Tensor:
    """[L, B, H, W] -> MASK [L * B, H, W], layer by layer; one empty mask where L is 0."""
    return (
        rearrange(masks, "l b h w -> (l b) h w")
        if len(masks)
        else masks.new_zeros(1, *masks.shape[2:])
    )


def layer_cutouts(
    collage: Collage, picture: torch.Tensor | None, background_colour: torch.Tensor
) -> LayerCutouts:
    """Every shown layer alone on a background of one colour [3].

    With a picture [B, H, W, 3] the visible part of each layer is cut out of the picture. Without
    one the layer's own pixels are given, also where other layers hide them, unblended.
    """
    H, W, L = collage.height, collage.width, len(collage.shown)
    visible = collage.composite.visible_alpha.transpose(0, 1)
    B = visible.shape[1] if picture is None else len(picture)
    full = visible.new_zeros(L, B, H, W)
    images = background_colour.to(visible).expand(L, B, H, W, 3).clone()
    for index, layer in enumerate(interruptible(collage.shown)):
        alone = layer_on_canvas(layer, H, W)
        full[index][(..., *alone.window)] = alone.alpha.squeeze(1)
        if picture is None:
            part = images[index].movedim(-1, 1)[(..., *alone.window)]
            part.lerp_(alone.colour.expand_as(part), alone.alpha)
        else:
            images[index].lerp_(picture, visible[index].unsqueeze(-1))
    return LayerCutouts(images, visible.expand(L, B, H, W), full)


def cutouts_bytes(collage: Collage, pictures: int) -> int:
    """Bytes of memory that `layer_cutouts` of so many pictures takes, with the maps beside it."""
    return 4 * collage.height * collage.width * pictures * (4 * len(collage.shown) + 26)


def boxes(masks: torch.Tensor) -> list[list[BoundingBox | None]]:
    """Masks [L, B, H, W] -> per picture the box of every layer, None where nothing is visible."""
    return [[_box(mask) for mask in picture] for picture in masks.transpose(0, 1)]


def _box(mask: torch.Tensor) -> BoundingBox | None:
    rows, columns = seen_box(mask)
    size = {"width": columns.stop - columns.start, "height": rows.stop - rows.start}
    return {"x": columns.start, "y": rows.start, **size} if size["width"] else None


def describe_layout(collage: Collage, cutouts: LayerCutouts) -> str:
    """JSON: the canvas, and per shown layer its number, text, noise, visible share of the canvas,
    and per picture the boxes around its visible part and around all of it."""
    visible, full = boxes(cutouts.visible), boxes(cutouts.full)
    layers = [
        {
            "number": number,
            "text": layer.text,
            "noise": layer.noise,
            "visible": round(cutouts.visible[index].mean().item(), 6),
            "boxes": _column(visible, index),
            "full_boxes": _column(full, index),
        }
        for index, (number, layer) in enumerate(collage.numbered)
    ]
    layout = {"width": collage.width, "height": collage.height, "layers": layers}
    return json.dumps(layout, ensure_ascii=False, indent=1)


def _column(rows: Sequence[Sequence[BoundingBox | None]], index: int) -> list[BoundingBox | None]:
    return [row[index] for row in rows]
