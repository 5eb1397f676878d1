"""Heat maps over a picture."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from .noise import gaussian_blur

# From black over purple and orange to pale yellow, each step lighter by as much (inferno).
HEAT = "000004 1f0c48 550f6d 88226a ba3655 e35933 f98c0a f9c932 fcffa4"
SOFTNESS = 1.0  # latent cells: blocks see larger cells, whose edges are nothing in the picture
TINY = torch.finfo(torch.float32).tiny
LUMA = (0.299, 0.587, 0.114)


def heat_maps(attention: torch.Tensor, masks: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """Heat [L, h, w] and outlines of masks [L, H, W] over an image [H, W, 3] -> [L, H, W, 3].

    The hottest place of each map has the last colour; what is cold shows the image, dim and grey.
    """
    cells = gaussian_blur(attention.unsqueeze(1), SOFTNESS)
    heat = F.interpolate(cells, masks.shape[-2:], mode="bilinear").movedim(1, -1)  # [L, H, W, 1]
    heat = heat / heat.amax((1, 2), keepdim=True).clamp(min=TINY)
    grey = 0.5 * (image @ image.new_tensor(LUMA)).unsqueeze(-1)
    picture = torch.lerp(grey.expand(*grey.shape[:2], 3), heat_colours(heat.squeeze(-1)), heat)
    line = max(1, round(min(masks.shape[-2:]) / 300))
    picture = torch.where(_rim(masks, 2 * line), 0.0, picture)
    return torch.where(_rim(masks, line), 1.0, picture)


def heat_colours(heat: torch.Tensor) -> torch.Tensor:
    """[...] in [0, 1] -> [..., 3], straight between the colours of HEAT."""
    table = torch.tensor([list(bytes.fromhex(colour)) for colour in HEAT.split()]) / 255
    place = heat * (len(table) - 1)
    below = place.floor().long().clamp(max=len(table) - 2)
    return torch.lerp(table[below], table[below + 1], (place - below).unsqueeze(-1))


def _rim(masks: torch.Tensor, width: int) -> torch.Tensor:
    """[L, H, W] -> True [L, H, W, 1] within `width` pixels outside the half of a mask's peak."""
    inside = ((masks >= masks.amax((1, 2), keepdim=True) / 2) & (masks > 0)).float()
    grown = F.max_pool2d(inside, 2 * width + 1, stride=1, padding=width)
    return (grown > inside).unsqueeze(-1)
