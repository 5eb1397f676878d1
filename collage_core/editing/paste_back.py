"""Putting back every pixel outside of what an edit could change.

A picture that went through a VAE differs everywhere a little, and a decoder spreads what changed
beyond the latent cells that did. Both go away where the original is put back to the bit.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from ..collage.collage import CELL
from ..imaging.filters import inner_distance, square_max
from ..noise.noise_map import cell_noise
from ..noise.release import fixed_cells


def paste_back(
    original: torch.Tensor, new: torch.Tensor, noise: torch.Tensor, feather: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Two pictures [B, H, W, 3 or 4] and the noise of the new one [B, 1, H, W] -> picture, taken.

    The picture is the original to the bit outside of the cells that noise could change, and
    turns into the new one over `feather` pixels inside of them; the original's alpha stays.
    taken: [B, H, W], how far each pixel is the new one's; all 0 where nothing could change.
    """
    taken = _seam(noise.to(original.device), feather).movedim(1, -1)  # [B, H, W, 1]
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
    cells = _changing_cells(noise)
    whole = cells.repeat_interleave(CELL, -2).repeat_interleave(CELL, -1)
    return F.pad(whole, _rim(noise))


def _changing_cells(noise: torch.Tensor) -> torch.Tensor:
    return ~fixed_cells(cell_noise(noise, CELL))


def _rim(noise: torch.Tensor) -> tuple[int, int, int, int]:
    """Pixels beside the whole cells of a map [..., H, W]: left, right, top, bottom."""
    rims = [(size % CELL // 2, size % CELL - size % CELL // 2) for size in noise.shape[-2:]]
    return (*rims[1], *rims[0])


def _seam(noise: torch.Tensor, feather: float) -> torch.Tensor:
    """Noise of the pixels [B, 1, H, W] -> how far each one is to be the new picture's."""
    (H, W), rim = noise.shape[-2:], _rim(noise)
    beside = tuple(int(pixels > 0) for pixels in rim)  # a row of cells that are no cells
    ramp = inner_ramp(F.pad(_changing_cells(noise), beside), CELL, feather)
    left, top = beside[0] * CELL - rim[0], beside[2] * CELL - rim[2]
    return ramp[..., top : top + H, left : left + W]


def inner_ramp(region: torch.Tensor, cell: int, width: float) -> torch.Tensor:
    """Cells [B, 1, h, w], True inside -> weights of their pixels [B, 1, h cell, w cell].

    They are 0 outside and rise from there to 1 over `width` pixels inside. Where nothing within
    that width is deep enough, in thin regions, the ramp is as wide as fits, so that their middle
    is 1 too. The edge of the canvas is no edge.
    """
    reach = math.floor(width) + 1
    inside = inner_distance(region, cell, reach)
    ramp = inside / square_max(inside, reach).clamp(min=1).clamp_(max=width + 1)
    ramp = ramp.clamp_(max=1)
    return ramp * ramp * (3 - 2 * ramp)
