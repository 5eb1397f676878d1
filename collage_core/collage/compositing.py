"""Flattening layers into one picture, in float32.

Paper section 4: noise and attention use the visible alpha of a layer, which is its own alpha
times one minus the alpha of everything above it. A blend mode changes colours alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from ..imaging.blending import mix
from ..interruption import interruptible
from .layer import Layer
from .placement import CanvasPixels, PlacedLayer, layer_on_canvas, place_layer

MIXING = 12  # numbers per pixel that blend modes take besides, at their most


@dataclass(frozen=True, eq=False)
class Composite:
    """A flattened picture and the visible part of each of its layers.

    image: [B, H, W, 3] in [0, 1]. visible_alpha: [B, L, H, W] in [0, 1]; in every pixel the sum
    over the layers and the visible share of the background make 1. covered: [L], the share of the
    canvas that each layer would cover alone. hidden_by: [L, L], the share of the canvas where
    layer [row] is hidden by layer [column].

    Placed pixels are not kept: they would add 16 bytes per pixel of each layer's window to the 4
    of its visible alpha, for as long as the collage lives, while only nodes that cut layers out
    ask for them again.

    Example: an opaque cake over half of an opaque cup that covers 10 % of the canvas.
        composite.covered[0] == 0.1 and composite.hidden_by[0, 1] == 0.05
    """

    image: torch.Tensor
    visible_alpha: torch.Tensor
    covered: torch.Tensor
    hidden_by: torch.Tensor


def compose(background: torch.Tensor, layers: Sequence[Layer]) -> Composite:
    """Background [B, H, W, 3] under L layers, bottom to top: straight-alpha "over".

    A batch of 1 serves every other batch. Layers are composed from the top down, so that each one
    is placed once and weighted with what the layers above it leave uncovered. Blend modes need
    the picture below a layer: with them the colours are composed once more, from below.
    """
    H, W = background.shape[1:3]
    B = max([len(background), *(layer.batch for layer in layers)])
    L = len(layers)
    plain = not any(layer.blends for layer in layers)
    image = background.new_zeros(B, 3, H, W)
    uncovered = background.new_ones(B, 1, H, W)
    visible = background.new_zeros(B, L, H, W)
    covered, hidden_by = background.new_zeros(L), background.new_zeros(L, L)
    for index in interruptible(reversed(range(L))):
        placed = place_layer(layers[index], H, W)
        window = (..., *placed.window)
        colour, alpha = placed.pixels.split((3, 1), dim=1)
        if plain:
            image[window].addcmul_(colour, uncovered[window])
        shown = visible[:, index : index + 1][window]
        torch.mul(alpha, uncovered[window], out=shown)
        uncovered[window] -= shown
        covered[index] = alpha.sum() / (len(alpha) * H * W)
        hidden_by[index, index + 1 :] = _overlaps(placed, visible[:, index + 1 :]) / (B * H * W)
    if plain:
        image.addcmul_(background.movedim(-1, 1), uncovered)
    else:
        image.copy_(background.movedim(-1, 1))
        for layer in interruptible(layers):
            lay_over(image, blended(layer, image))
    return Composite(
        image=image.clamp_(0, 1).movedim(1, -1).contiguous(),
        visible_alpha=visible,
        covered=covered,
        hidden_by=hidden_by,
    )


def blended(layer: Layer, below: torch.Tensor) -> CanvasPixels:
    """The pixels of a layer, with the colours that it shows over a picture [B, 3, H, W]."""
    own = layer_on_canvas(layer, *below.shape[2:])
    if not layer.blends:
        return own
    return replace(own, colour=mix(layer.blend, below[(..., *own.window)], own.colour))


def lay_over(picture: torch.Tensor, pixels: CanvasPixels) -> None:
    """Lay pixels over a picture [B, 3, H, W], in place."""
    part = picture[(..., *pixels.window)]
    part.lerp_(pixels.colour.expand_as(part), pixels.alpha)


def compose_bytes(height: int, width: int, background: int, layers: Sequence[Layer]) -> int:
    """Bytes of memory that `compose` takes beside its inputs; background: its batch size."""
    B = max([background, *(layer.batch for layer in layers)])
    b = max((layer.batch for layer in layers), default=0)
    mixing = MIXING * any(layer.blends for layer in layers)
    source = max((layer.image.numel() for layer in layers), default=0) * 8 // 3
    return 4 * (height * width * (B * (len(layers) + 7 + mixing) + 7 * b + 7) + source)


def _overlaps(placed: PlacedLayer, above: torch.Tensor) -> torch.Tensor:
    """A layer and the visible alphas of the layers above [B, M, H, W] -> sums of products [M].

    It sums over whole rows, which are contiguous in memory, so that `above` is not copied.
    """
    rows, columns = placed.window
    above = above[:, :, rows]
    alpha = placed.pixels[:, 3]
    own = alpha.new_zeros(*alpha.shape[:2], above.shape[3])
    own[..., columns] = alpha
    sums = above.new_zeros(above.shape[1])
    for one, several in zip(
        own.expand(len(above), -1, -1).flatten(1), above.flatten(2), strict=True
    ):
        sums += several @ one
    return sums
