"""Noise around a layer, so that its shadow and its reflection may form outside its alpha."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F

from ..errors import CollageError
from ..interruption import interruptible

DIAGONAL = 1 - 2**-0.5  # what two corners cut off the half side of a regular octagon
TINY = torch.finfo(torch.float32).tiny

Box = tuple[int, int, int, int]  # first row, end of the rows, first column, end of the columns


def with_halo(
    flat: torch.Tensor, visible_alpha: torch.Tensor, noises: Sequence[float], halo: int
) -> torch.Tensor:
    """Noise of the pixels [B, 1, H, W], raised around layers with visible alpha [B, L, H, W].

    Every layer is taken for larger by `halo` pixels: where that adds to its alpha, its noise
    takes the place of lower noise, a share of it under a soft edge. Nothing is ever lowered and
    0 changes no bit. Each layer costs some 8 log2(halo) passes over its own box, not over the
    canvas. Raises CollageError for a halo that is no width in pixels.
    """
    if not (math.isfinite(halo) and halo >= 0 and halo == int(halo)):
        raise CollageError(
            f"PerLayerNoiseKSampler, input halo: {halo} is no width in whole pixels. "
            "Enter 0 for no halo or a positive number."
        )
    halo = min(int(halo), sum(flat.shape[-2:]))  # more reaches no further
    if halo == 0:
        return flat
    raised, lowest = flat.clone(), flat.min()
    for index, noise in enumerate(interruptible(noises)):
        box = _box(visible_alpha[:, index])
        if box is not None and noise > lowest:
            here, added = _added_alpha(visible_alpha[:, index], box, halo)
            below = flat[here]
            higher = below + added * (noise - below)
            raised[here] = torch.maximum(raised[here], higher)
    return raised


def _added_alpha(
    alpha: torch.Tensor, box: Box, halo: int
) -> tuple[tuple[slice, ...], torch.Tensor]:
    """Where on the map a halo lies, and what a grown alpha [B, H, W] covers there of the rest.

    The rest of a pixel is what its own alpha leaves; the share is 0 where growing adds nothing.
    """
    top, bottom, left, right = box
    rows = slice(max(top - halo, 0), bottom + halo)
    columns = slice(max(left - halo, 0), right + halo)
    own = alpha[:, rows, columns]
    grown = grow(alpha[:, top:bottom, left:right], halo)
    grown = grown[:, max(halo - top, 0) :, max(halo - left, 0) :]
    grown = grown[:, : own.shape[1], : own.shape[2]]
    added = ((grown - own) / (1 - own).clamp(min=TINY)).clamp(0, 1)
    return (slice(None), slice(None), rows, columns), added.unsqueeze(1)


def _box(alpha: torch.Tensor) -> Box | None:
    """The box that holds all of [B, H, W] that is not 0; None where nothing is."""
    seen = alpha.amax(0) > 0
    rows, columns = (seen.any(dim).nonzero().flatten().tolist() for dim in (1, 0))
    return (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1) if rows else None


def grow(alpha: torch.Tensor, radius: int) -> torch.Tensor:
    """[B, h, w] -> [B, h + 2 radius, w + 2 radius]: the largest value within `radius` pixels.

    Within an octagon, to be exact, whose corners reach a pixel or a tenth further: four lines one
    after the other make one, and the largest value along a line takes log2 of its length.
    """
    corner = min(round(DIAGONAL * radius), (radius - 1) // 2)
    side = radius - 2 * corner
    for dy, dx, length in ((0, 1, side), (1, 0, side), (1, 1, corner), (1, -1, corner)):
        alpha = running_max(alpha, dy, dx, 2 * length)
    return alpha


def running_max(alpha: torch.Tensor, dy: int, dx: int, length: int) -> torch.Tensor:
    """The largest of `length` + 1 neighbours in the direction (dy, dx), the border filled with 0.

    [B, h, w] -> [B, h + |dy| length, w + |dx| length]. Takes log2(length) passes.
    """
    rows, columns = length * dy, length * abs(dx)
    alpha = F.pad(alpha, (columns, columns, rows, rows))
    reach = 0
    while reach < length:  # every value is the largest of itself and `reach` neighbours
        step = min(reach + 1, length - reach)
        h, w = alpha.shape[-2] - dy * step, alpha.shape[-1] - abs(dx) * step
        start, end = (step, 0) if dx < 0 else (0, dx * step)
        alpha = torch.maximum(
            alpha[..., :h, start : start + w], alpha[..., dy * step :, end : end + w]
        )
        reach += step
    return alpha
