"""Putting back every pixel that an edit had no business with.

A picture that went through a VAE differs everywhere a little, and a decoder spreads what changed
beyond the latent cells that did. Both go away where the original is put back to the bit.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from .collage import CELL
from .noise import cell_noise, fixed_cells


def paste_back(
    original: torch.Tensor, new: torch.Tensor, noise: torch.Tensor, feather: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Two pictures [B, H, W, 3 or 4] and the noise of the new one [B, 1, H, W] -> picture, taken.

    The picture is the original to the bit outside of the cells that noise could change, and
    turns into the new one over `feather` pixels inside of them; the original's alpha stays.
    taken: [B, H, W], how far each pixel is the new one's; all 0 where nothing could change.
    """
    taken = inner_ramp(changeable(noise), feather).movedim(1, -1)  # [B, H, W, 1]
    B = max(len(original), len(new), len(taken))
    picture = original.expand(B, -1, -1, -1).clone()
    colour = picture[..., :3]
    mixed = colour.lerp(new[..., :3].to(colour), taken.to(colour))
    picture[..., :3] = torch.where(taken > 0, mixed, colour)
    return picture, taken.squeeze(-1).expand(B, -1, -1)


def changeable(noise: torch.Tensor) -> torch.Tensor:
    """Noise of the pixels [B, 1, H, W] -> True for all pixels of the cells that it could change.

    Of a canvas that cells do not divide, the rim that a VAE cuts off is none of them.
    """
    H, W = noise.shape[-2:]
    cells = ~fixed_cells(cell_noise(noise, CELL))
    whole = cells.repeat_interleave(CELL, -2).repeat_interleave(CELL, -1)
    top, left = H % CELL // 2, W % CELL // 2
    bottom, right = H - top - whole.shape[-2], W - left - whole.shape[-1]
    return F.pad(whole, (left, right, top, bottom))


def inner_ramp(region: torch.Tensor, width: float) -> torch.Tensor:
    """True [B, 1, H, W] -> weights: 0 outside, from there rising to 1 over `width` pixels inside.

    Where nothing within that width is deep enough, in thin regions, the ramp is as wide as fits,
    so that their middle is 1 too. The edge of the canvas is no edge.
    """
    reach = math.floor(width) + 1
    inside = inner_distance(region, reach)
    window = (2 * reach + 1, 1)
    deepest = F.max_pool2d(inside, window, 1, (reach, 0))
    deepest = F.max_pool2d(deepest, window[::-1], 1, (0, reach))
    ramp = inside / deepest.clamp(min=1).minimum(deepest.new_tensor(width + 1))
    ramp = ramp.clamp(max=1)
    return ramp * ramp * (3 - 2 * ramp)


def inner_distance(region: torch.Tensor, reach: int) -> torch.Tensor:
    """True [B, 1, H, W] -> distance of each of its pixels to the nearest outside, up to `reach`.

    Euclidean, between the middles of pixels; 0 outside. One axis after the other: the square of
    a distance is the least sum of the squares along both.
    """
    squares = torch.where(region, float(reach * reach), 0.0)
    for axis in (-1, -2):
        nearest = squares.clone()
        for step in range(1, min(reach, squares.shape[axis])):
            length = squares.shape[axis] - step
            front, back = (squares.narrow(axis, start, length) for start in (0, step))
            for here, there in ((step, front), (0, back)):
                part = nearest.narrow(axis, here, length)
                torch.minimum(part, there + step * step, out=part)
        squares = nearest
    return squares.sqrt()
