"""Flattening layers into one picture, in float32.

Paper section 4: what noise and attention use of a layer is its visible alpha, its own alpha
times one minus the alpha of everything above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from .placement import place_layer

if TYPE_CHECKING:
    from .collage import Layer


@dataclass(frozen=True, eq=False)
class Composite:
    """A flattened picture and what can be seen of each of its layers.

    image: [B, H, W, 3] in [0, 1]. visible_alpha: [B, L, H, W] in [0, 1]; in every pixel its sum
    over the layers and the share of the background that shows make 1.
    covered: [L], the part of the canvas that each layer would cover alone. hidden_by: [L, L],
    the part of the canvas where layer [row] is hidden by layer [column].
    """

    image: torch.Tensor
    visible_alpha: torch.Tensor
    covered: torch.Tensor
    hidden_by: torch.Tensor


def compose(background: torch.Tensor, layers: Sequence[Layer]) -> Composite:
    """Background [B, H, W, 3] under L layers, bottom to top: straight-alpha "over".

    A batch of 1 serves every other batch. Goes from the top down, so that each layer is placed
    once and weighs what nothing above it has covered yet.
    """
    H, W = background.shape[1:3]
    B = max([len(background), *(layer.batch for layer in layers)])
    L = len(layers)
    image = background.new_zeros(B, 3, H, W)
    uncovered = background.new_ones(B, 1, H, W)
    own = background.new_zeros(B, L, H, W)
    visible = torch.zeros_like(own)
    for index in reversed(range(L)):
        placed = place_layer(layers[index], H, W)
        window = (..., *placed.window)
        colour, alpha = placed.pixels.split((3, 1), dim=1)
        image[window].addcmul_(colour, uncovered[window])
        own[:, index : index + 1][window] = alpha
        shown = visible[:, index : index + 1][window]
        torch.mul(alpha, uncovered[window], out=shown)
        uncovered[window] -= shown
    image.addcmul_(background.movedim(-1, 1), uncovered)
    hidden_by = own.flatten(2) @ visible.flatten(2).mT  # [B, L, L]; only layers above hide
    return Composite(
        image=image.clamp_(0, 1).movedim(1, -1).contiguous(),
        visible_alpha=visible,
        covered=own.mean((0, 2, 3)),
        hidden_by=hidden_by.mean(0).triu(1) / (H * W),
    )
