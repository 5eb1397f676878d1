"""A finished picture taken apart again into the layers of its collage.

The picture says how a layer looks where it can be seen. What others hide of it comes from the
collage: its own pixels there, changed as painting changed the ones around them, carried on
smoothly as in seamless cloning (Perez et al., "Poisson Image Editing", SIGGRAPH 2003). The same
goes for the background.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..collage.collage import Collage
from ..collage.compositing import compose
from ..collage.cutouts import CanvasPixels, layer_on_canvas
from ..collage.layer import Layer
from ..imaging.filters import pull_push_fill
from ..interruption import interruptible


@dataclass(frozen=True, eq=False)
class _Part:
    """A layer, or the background, in its window of the canvas.

    colour: [B, 3, h, w]; share: [B, 1, h, w], how far it is what can be seen; alpha: [B, 1, h, w],
    that of the layer alone.
    """

    window: tuple[slice, slice]
    colour: torch.Tensor
    share: torch.Tensor
    alpha: torch.Tensor


def split(collage: Collage, picture: torch.Tensor) -> Collage:
    """A collage whose layers and background are cut out of its painted picture [B, H, W, 3].

    There are as many pictures as the collage makes, or several of a collage that makes one.
    Each layer stands where it stood, with its alpha, its words and its strengths, so that the
    new composite is the picture again; what lay beyond the canvas is cut off. Moving a layer
    shows what is behind it. Hidden layers and those beyond the canvas stay as they are.
    """
    target = picture.movedim(-1, 1)
    parts = _changed(collage, target)
    _unmix(parts, target)
    layers, background = list(collage.layers), parts.pop(0)
    for (number, layer), part in zip(collage.numbered, parts, strict=True):
        if part.alpha.numel():
            layers[number - 1] = _cut(layer, part, collage)
    behind = background.colour.movedim(1, -1).contiguous()
    return dataclasses.replace(collage, background=behind, layers=tuple(layers), edit=None)


def take_away(
    collage: Collage, picture: torch.Tensor, numbers: Sequence[int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """A painted picture [B, H, W, 3] without some shown layers, and what they left [B, 1, H, W].

    There it shows what `split` finds behind them; everywhere else it stays to the bit.
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
        opacity=1.0,
        notes=(),
    )


def _changed(collage: Collage, target: torch.Tensor) -> list[_Part]:
    """The background and every shown layer with the colours that painting gave them.

    Where one can be seen alone this is the picture [B, 3, H, W] itself.
    """
    H, W = collage.height, collage.width
    plain = (
        collage.composite if collage.edit is None else compose(collage.background, collage.shown)
    )
    change, visible = target - plain.image.movedim(-1, 1), collage.composite.visible_alpha
    rest = (1 - visible.sum(1, keepdim=True)).clamp(0, 1)
    whole = CanvasPixels((slice(0, H), slice(0, W)), collage.background.movedim(-1, 1), rest)
    parts = [_part(whole, rest, change)]
    for index, layer in enumerate(interruptible(collage.shown)):
        own = layer_on_canvas(layer, H, W)
        parts.append(_part(own, visible[:, index : index + 1], change))
    return parts


def _part(own: CanvasPixels, share: torch.Tensor, change: torch.Tensor) -> _Part:
    spread = pull_push_fill(change, share.expand(len(change), -1, -1, -1))
    changed = (own.colour + spread[(..., *own.window)]).clamp_(0, 1)
    return _Part(own.window, changed, share[(..., *own.window)], own.alpha.clone())


def _unmix(parts: Sequence[_Part], target: torch.Tensor) -> None:
    """Change the colours of the parts so that their mix by their shares is the picture.

    The picture is [B, 3, H, W]. Where several share a pixel, at a soft edge, each takes what the
    mix lacks in proportion to its share: the smallest change of colours that does it. Where that
    leaves [0, 1] all of them go as far towards the colour of the picture as it takes; any way
    there keeps the mix.
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
    """The memory that `split` takes of so many pictures, with the composite of what it finds."""
    return 4 * collage.height * collage.width * pictures * (5 * len(collage.shown) + 40)
