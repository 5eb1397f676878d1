"""Colours: read from a text, of heat, and heat maps over a picture."""

from __future__ import annotations

import re

import torch
import torch.nn.functional as F

from ..errors import CollageError, quoted
from ..interruption import interruptible
from .filters import TINY, gaussian_blur, square_max

GREY = "#969696"  # the paper's background
# From black over purple and orange to pale yellow, each step lighter by as much (inferno).
HEAT = "000004 1f0c48 550f6d 88226a ba3655 e35933 f98c0a f9c932 fcffa4"
HEAT_BLUR = 1.0  # latent cells: hides the edges of the larger cells that deep blocks work on
LUMA = (0.299, 0.587, 0.114)  # weights of red, green and blue in the grey of a colour


def parse_colour(text: str, node: str) -> torch.Tensor:
    """ "#rrggbb" or "#rgb" -> [3] in [0, 1]. Raises CollageError for anything else."""
    digits = text.strip().removeprefix("#")
    if re.fullmatch(r"[0-9a-fA-F]{3}", digits):
        digits = "".join(2 * digit for digit in digits)
    if not re.fullmatch(r"[0-9a-fA-F]{6}", digits):
        raise CollageError(
            f"{node}, input background: {quoted(text)} is not a colour. Write it as {GREY}."
        )
    return torch.tensor(list(bytes.fromhex(digits))) / 255


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
    cells = gaussian_blur(attention[None, None], HEAT_BLUR)
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
    return (square_max(inside, width) > inside).movedim(0, -1)
