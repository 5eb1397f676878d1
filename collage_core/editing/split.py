"""A finished picture taken apart into the layers of its collage.

Where a layer is visible, the picture says how it looks. Where other layers hide it, its own
pixels are taken from the collage, and the change of colour that painting made around them is
filled in smoothly, as in seamless cloning (Perez et al., "Poisson Image Editing", SIGGRAPH 2003).
The background is treated like a layer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..collage.collage import Collage
from ..collage.compositing import blended, compose, lay_over
from ..collage.layer import Layer
from ..collage.limits import NORMAL, UNFLIPPED
from ..collage.placement import CanvasPixels
from ..imaging.filters import pull_push_fill
from ..interruption import interruptible

SPLIT_BLEND = "now it is normal, in the colours that it has in the picture"


@dataclass(frozen=True, eq=False)
class _Part:
    """A layer, or the background, in its window of the canvas.

    colour: [B, 3, h, w]; share: its visible alpha [B, 1, h, w]; alpha: the alpha of the layer
    alone [B, 1, h, w].
    """

    window: tuple[slice, slice]
    colour: torch.Tensor
    share: torch.Tensor
    alpha: torch.Tensor


def split(collage: Collage, picture: torch.Tensor) -> Collage:
    """A collage whose layers and background are cut out of its painted picture [B, H, W, 3].

    There are as many pictures as the collage makes, or several of a collage that makes one. Each
    layer keeps its place, alpha, words and strengths, so that the new composite is the picture
    again; its pixels outside of the canvas are cut off. A blend mode becomes "normal", because the
    picture shows the mixed colours. Moving a layer uncovers what is behind it.
    Hidden layers and layers outside of the canvas are not changed.
    """
    target = picture.movedim(-1, 1)
    parts = _changed(collage, target)
    _unmix(parts, target)
    layers, background = list(collage.layers), parts.pop(0)
    for (number, layer), part in zip(collage.numbered, parts, strict=True):
        if part.alpha.numel():
            layers[number - 1] = _cut(layer, part, collage)
    behind = background.colour.movedim(1, -1).contiguous()
    return dataclasses.replace(
        collage, background=behind, source=None, layers=tuple(layers), edit=None
    )


def remove_layers(
    collage: Collage, picture: torch.Tensor, numbers: Sequence[int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """A painted picture [B, H, W, 3] without some shown layers, and their visible alpha
    [B, 1, H, W].

    Where they were visible the picture shows what `split` finds behind them; everywhere else it
    stays to the bit.
    """
    device, picture = picture.device, picture.to(collage.background.device)
    left = torch.cat([collage.visible_part(number) for number in numbers], 1).sum(1, keepdim=True)
    parted = split(collage, picture)
    kept = tuple(layer for n, layer in enumerate(parted.layers, 1) if n not in numbers)
    behind = parted.with_layers(kept).composite.image
    picture = torch.where(left.movedim(1, -1) > 0, behind, picture)
    return picture.to(device), left.to(device)


def _cut(layer: Layer, part: _Part, collage: Collage) -> Layer:
    """The layer with the colours of its part, in pixels of the canvas."""
    rows, columns = part.window
    return dataclasses.replace(
        layer,
        image=part.colour.movedim(1, -1).contiguous(),
        alpha=part.alpha.squeeze(1).expand(len(part.colour), -1, -1),
        x=(columns.start + columns.stop) / 2 / collage.width,
        y=(rows.start + rows.stop) / 2 / collage.height,
        scale=1.0,
        fit="pixels",
        rotation=0.0,
        flip=UNFLIPPED,
        opacity=1.0,
        blend=NORMAL,
        notes=(f"its blend was {layer.blend}; {SPLIT_BLEND}",) if layer.blends else (),
    )


def _changed(collage: Collage, target: torch.Tensor) -> list[_Part]:
    """The background and every shown layer with the colours that painting gave them.

    Where only one of them is visible, its colour is that of the picture [B, 3, H, W].
    """
    H, W = collage.height, collage.width
    plain = (
        collage.composite if collage.edit is None else compose(collage.background, collage.shown)
    )
    change, visible = target - plain.image.movedim(-1, 1), collage.composite.visible_alpha
    rest = (1 - visible.sum(1, keepdim=True)).clamp(0, 1)
    whole = CanvasPixels((slice(0, H), slice(0, W)), collage.background.movedim(-1, 1), rest)
    parts = [_part(whole, rest, change)]
    below = whole.colour.expand(len(visible), -1, -1, -1).clone()
    for index, layer in enumerate(interruptible(collage.shown)):
        alone = blended(layer, below)
        lay_over(below, alone)
        parts.append(_part(alone, visible[:, index : index + 1], change))
    return parts


def _part(alone: CanvasPixels, share: torch.Tensor, change: torch.Tensor) -> _Part:
    spread = pull_push_fill(change, share.expand(len(change), -1, -1, -1))
    changed = (alone.colour + spread[(..., *alone.window)]).clamp_(0, 1)
    return _Part(alone.window, changed, share[(..., *alone.window)], alone.alpha.clone())


def _unmix(parts: Sequence[_Part], target: torch.Tensor) -> None:
    """Change the colours of the parts in place, so that their weighted sum is the picture.

    The picture is [B, 3, H, W], the weights are their shares. Where several parts share a pixel,
    at a soft edge, each takes the missing colour in proportion to its share, which is the
    smallest change that suffices. Where a colour leaves [0, 1], all parts of the pixel move
    towards the colour of the picture until none does; this keeps the weighted sum.
    """
    lacking, power = target.clone(), torch.zeros_like(target[:, :1])
    for part in interruptible(parts):
        lacking[(..., *part.window)] -= part.share * part.colour
        power[(..., *part.window)] += part.share**2
    lacking /= power
    towards = torch.zeros_like(target)
    for part in interruptible(parts):
        part.colour.add_(lacking[(..., *part.window)] * part.share)
        beyond = (part.colour - part.colour.clamp(0, 1)).abs()
        way = (part.colour - target[(..., *part.window)]).abs()
        window = towards[(..., *part.window)]
        torch.maximum(window, torch.where(beyond > 0, beyond / way, 0.0), out=window)
    for part in interruptible(parts):
        window = (..., *part.window)
        part.colour.lerp_(target[window], towards[window]).clamp_(0, 1)


def split_bytes(collage: Collage, pictures: int) -> int:
    """Bytes of memory that `split` of so many pictures takes, with its new composite."""
    return 4 * collage.height * collage.width * pictures * (5 * len(collage.shown) + 43)
