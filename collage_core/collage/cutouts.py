"""Layers one by one: their pixels on the canvas, their masks and the boxes around them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..imaging.pixels import seen_box
from ..interruption import interruptible
from .collage import Collage, Layer
from .placement import place_layer

BACKGROUND = 0  # the number of what shows where no layer is; layers count from 1
TINY = torch.finfo(torch.float32).tiny

Box = dict[str, int]  # x, y, width, height in pixels, as ComfyUI's BOUNDING_BOX


@dataclass(frozen=True, eq=False)
class OwnPixels:
    """What a layer brings to the canvas: straight colour [B, 3, h, w], alpha [B, 1, h, w].

    They lie in the rows and columns of `window`, which is empty for a layer beyond the canvas.
    """

    window: tuple[slice, slice]
    colour: torch.Tensor
    alpha: torch.Tensor


def own_pixels(layer: Layer, height: int, width: int) -> OwnPixels:
    """A layer alone on a canvas; its opacity is in the alpha, the colour under alpha 0 is black."""
    placed = place_layer(layer, height, width)
    colour, alpha = placed.pixels.split((3, 1), dim=1)
    return OwnPixels(placed.window, (colour / alpha.clamp(min=TINY)).clamp(max=1), alpha)


def visible_part(collage: Collage, number: int) -> torch.Tensor:
    """What can be seen of a shown layer, or with 0 of the background: [B, 1, H, W]."""
    visible = collage.composite.visible_alpha
    if number == BACKGROUND:
        return (1 - visible.sum(1, keepdim=True)).clamp(0, 1)
    index = [n for n, _ in collage.numbered].index(number)
    return visible[:, index : index + 1]


def paste_layers(picture: torch.Tensor, collage: Collage, numbers: Sequence[int]) -> torch.Tensor:
    """A picture [B, H, W, 3] with the layers' own pixels, or the background's, where they show.

    The picture stays to the bit wherever nothing of them can be seen.
    """
    H, W = collage.height, collage.width
    pasted = picture.movedim(-1, 1).clone()
    for number in interruptible(numbers):
        if number == BACKGROUND:
            window, colour = (slice(0, H), slice(0, W)), collage.background.movedim(-1, 1)
        else:
            own = own_pixels(collage.layers[number - 1], H, W)
            window, colour = own.window, own.colour
        share = visible_part(collage, number)[(..., *window)]
        pasted[(..., *window)] += share * (colour - picture.movedim(-1, 1)[(..., *window)])
    return pasted.clamp_(0, 1).movedim(1, -1).contiguous()


@dataclass(frozen=True, eq=False)
class LayerCuts:
    """Per shown layer, bottom to top, everything as large as the canvas.

    images: [L, B, H, W, 3]; visible: [L, B, H, W], what can be seen of each layer, 1 = all;
    full: [L, B, H, W], what could be seen of it with nothing above it.
    """

    images: torch.Tensor
    visible: torch.Tensor
    full: torch.Tensor


def mask_rows(masks: torch.Tensor) -> torch.Tensor:
    """[L, B, H, W] -> MASK [L * B, H, W], layer by layer; an empty one where no layer is shown."""
    return masks.flatten(0, 1) if len(masks) else masks.new_zeros(1, *masks.shape[2:])


def cut_layers(collage: Collage, picture: torch.Tensor | None, ground: torch.Tensor) -> LayerCuts:
    """Every shown layer alone on a ground of one colour [3].

    With a picture [B, H, W, 3] what can be seen of the layer is cut out of that; without one
    these are the layer's own pixels, also those that other layers hide.
    """
    H, W, L = collage.height, collage.width, len(collage.shown)
    visible = collage.composite.visible_alpha.transpose(0, 1)
    B = visible.shape[1] if picture is None else len(picture)
    full = visible.new_zeros(L, B, H, W)
    images = ground.to(visible).expand(L, B, H, W, 3).clone()
    for index, layer in enumerate(interruptible(collage.shown)):
        own = own_pixels(layer, H, W)
        full[index][(..., *own.window)] = own.alpha.squeeze(1)
        if picture is None:
            part = images[index].movedim(-1, 1)[(..., *own.window)]
            part.lerp_(own.colour.expand_as(part), own.alpha)
        else:
            images[index].lerp_(picture, visible[index].unsqueeze(-1))
    return LayerCuts(images, visible.expand(L, B, H, W), full)


def cut_bytes(collage: Collage, pictures: int) -> int:
    """The memory that `cut_layers` takes of so many pictures, with the maps made beside it."""
    return 4 * collage.height * collage.width * pictures * (4 * len(collage.shown) + 26)


def boxes(masks: torch.Tensor) -> list[list[Box | None]]:
    """Masks [L, B, H, W] -> per picture the box of every layer, None where nothing can be seen."""
    return [[_box(mask) for mask in picture] for picture in masks.transpose(0, 1)]


def _box(mask: torch.Tensor) -> Box | None:
    rows, columns = seen_box(mask)
    size = {"width": columns.stop - columns.start, "height": rows.stop - rows.start}
    return {"x": columns.start, "y": rows.start, **size} if size["width"] else None


def describe_layout(collage: Collage, cuts: LayerCuts) -> str:
    """JSON: the canvas, and per shown layer its number, text, noise, share of the canvas that it
    is visible on, and per picture the boxes around its visible part and around all of it."""
    visible, full = boxes(cuts.visible), boxes(cuts.full)
    layers = [
        {
            "number": number,
            "text": layer.text,
            "noise": layer.noise,
            "visible": round(cuts.visible[index].mean().item(), 6),
            "boxes": _column(visible, index),
            "full_boxes": _column(full, index),
        }
        for index, (number, layer) in enumerate(collage.numbered)
    ]
    layout = {"width": collage.width, "height": collage.height, "layers": layers}
    return json.dumps(layout, ensure_ascii=False, indent=1)


def _column(rows: Sequence[Sequence[Box | None]], index: int) -> list[Box | None]:
    return [row[index] for row in rows]
