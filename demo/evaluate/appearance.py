"""How similar a layer's region is before and after painting.

Three measures, each 1 for identical pixels: the judge's features, colours, and texture. Other
shading lowers them a little, another object or another colour lowers them a lot.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import torch
import torch.nn.functional as F

from ..judges.judge import CELL, Judge

COLOUR_BINS = 8  # per channel
DIRECTIONS, STRENGTHS = 6, (0.02, 0.06, 0.15)  # of brightness's slope, in units per pixel


@dataclass(frozen=True)
class Appearance:
    """Similarities in [0, 1], such as Appearance(0.9, 0.7, 0.8); `fidelity` is their mean, 0.8."""

    features: float
    colour: float
    texture: float

    @property
    def fidelity(self) -> float:
        return sum(astuple(self)) / 3


@torch.inference_mode()
def appearance(
    judge: Judge, wanted: torch.Tensor, found: torch.Tensor, mask: torch.Tensor
) -> Appearance:
    """Two pictures [H, W, 3] in [0, 1] and the visible mask [H, W] of the layer in question."""
    pair = torch.stack((wanted, found)).movedim(-1, 1).float().clamp(0, 1)
    cells = F.avg_pool2d(mask[None, None], CELL)[0, 0]
    seen = judge.features(pair)
    alike = F.cosine_similarity(seen[0], seen[1], dim=0)
    return Appearance(
        features=((alike * cells).sum() / cells.sum()).item(),
        colour=_shared(*(_colours(picture, mask) for picture in pair)),
        texture=_shared(*(_texture(picture, mask) for picture in pair)),
    )


def _shared(one: torch.Tensor, other: torch.Tensor) -> float:
    """The intersection of two histograms that each sum to 1."""
    return torch.minimum(one, other).sum().item()


def _colours(picture: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """[3, H, W] -> histogram [8^3]; a colour between bins is shared among them (trilinear)."""
    place = picture.flatten(1) * (COLOUR_BINS - 1)
    low = place.floor().clamp(max=COLOUR_BINS - 2)
    above = place - low
    histogram = picture.new_zeros(COLOUR_BINS**3)
    for corner in range(8):
        step = torch.tensor([corner >> axis & 1 for axis in range(3)])[:, None]
        weight = torch.where(step == 1, above, 1 - above).prod(0) * mask.flatten()
        index = (low.long() + step) * torch.tensor((COLOUR_BINS**2, COLOUR_BINS, 1))[:, None]
        histogram.index_add_(0, index.sum(0), weight)
    return histogram / histogram.sum()


def _texture(picture: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """[3, H, W] -> histogram of brightness gradients by direction and strength, at full and half
    size; without the rim of the mask, where the surroundings change the gradients."""
    inside = -F.max_pool2d(-mask[None, None], 9, 1, 4)
    brightness = picture.mean(0)[None, None]
    found = []
    for size in (1, 2):
        small, weight = F.avg_pool2d(brightness, size), F.avg_pool2d(inside, size)
        dy, dx = torch.gradient(small[0, 0])
        strength = torch.hypot(dx, dy)
        direction = torch.atan2(dy, dx).remainder(torch.pi) / torch.pi * DIRECTIONS
        level = torch.bucketize(strength, torch.tensor(STRENGTHS))
        turn = direction.long().clamp(max=DIRECTIONS - 1)
        index = torch.where(level == 0, 0, 1 + (level - 1) * DIRECTIONS + turn)
        histogram = picture.new_zeros(1 + len(STRENGTHS) * DIRECTIONS)
        histogram.index_add_(0, index.flatten(), weight.flatten())
        found.append(histogram / histogram.sum().clamp(min=1e-6) / 2)
    return torch.cat(found)
