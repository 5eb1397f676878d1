"""Heat maps over a picture."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ..interruption import interruptible
from ..noise.halo import running_max
from .blur import gaussian_blur

# From black over purple and orange to pale yellow, each step lighter by as much (inferno).
HEAT = "000004 1f0c48 550f6d 88226a ba3655 e35933 f98c0a f9c932 fcffa4"
SOFTNESS = 1.0  # latent cells: blocks see larger cells, whose edges are nothing in the picture
TINY = torch.finfo(torch.float32).tiny
LUMA = (0.299, 0.587, 0.114)


def heat_maps(attention: torch.Tensor, masks: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """Heat [L, h, w] and outlines of masks [L, H, W] over an image [H, W, 3] -> [L, H, W, 3].

    The hottest place of each map has the last colour; what is cold shows the image, dim and grey.
    """
    pictures = image.new_empty(*masks.shape, 3)
    parts = zip(pictures, attention.to(image), masks.to(image), strict=True)
    for picture, heat, mask in interruptible(parts):
        picture.copy_(_heat_map(heat, mask, image))
    return pictures


def _heat_map(attention: torch.Tensor, mask: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """One layer's heat [h, w] and mask [H, W] -> [H, W, 3]."""
    cells = gaussian_blur(attention[None, None], SOFTNESS)
    heat = F.interpolate(cells, mask.shape, mode="bilinear")[0, 0]
    heat = heat / heat.amax().clamp(min=TINY)
    grey = 0.5 * (image @ image.new_tensor(LUMA)).unsqueeze(-1)
    picture = torch.lerp(grey.expand(-1, -1, 3), heat_colours(heat), heat.unsqueeze(-1))
    line = max(1, round(min(mask.shape) / 300))
    picture = torch.where(_rim(mask, 2 * line), 0.0, picture)
    return torch.where(_rim(mask, line), 1.0, picture)


def heat_colours(heat: torch.Tensor) -> torch.Tensor:
    """[...] in [0, 1] -> [..., 3], straight between the colours of HEAT."""
    table = heat.new_tensor([list(bytes.fromhex(colour)) for colour in HEAT.split()]) / 255
    place = heat * (len(table) - 1)
    below = place.floor().long().clamp(max=len(table) - 2)
    return torch.lerp(table[below], table[below + 1], (place - below).unsqueeze(-1))


def _rim(mask: torch.Tensor, width: int) -> torch.Tensor:
    """[H, W] -> True [H, W, 1] within `width` pixels outside the half of the mask's peak."""
    inside = ((mask >= mask.amax() / 2) & (mask > 0)).float().unsqueeze(0)
    grown = running_max(running_max(inside, 1, 0, 2 * width), 0, 1, 2 * width)
    return (grown[:, width:-width, width:-width] > inside).movedim(0, -1)
