"""Structure control per layer: the weight of a control network's outputs (arXiv 2303.00262).

The paper shows a ControlNet the edges of the composite and multiplies its outputs by a map that
is made of the layers' visible masks.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from .attention.bias import shrink_factor

# Weights are rounded to 1/65536, so that float error in the alphas cannot turn 1.0 into 0.9999999.
STEPS_PER_UNIT = 65536


def control_map(
    visible_alpha: torch.Tensor, controls: Sequence[float], base_control: float
) -> torch.Tensor:
    """Visible alphas [B, L, H, W] and one control per layer -> weight of every pixel [B, 1, H, W].

    The weight is `base_control` where no layer is visible; a soft edge mixes the values by its
    alpha. If all layers and the base share a value of whole 1/65536, the map is exactly that value.
    """
    above_base = visible_alpha.new_tensor([control - base_control for control in controls])
    flat = base_control + torch.einsum("blhw,l->bhw", visible_alpha, above_base)
    return (flat * STEPS_PER_UNIT).round().div(STEPS_PER_UNIT).unsqueeze(1)


def grid_weights(
    weights: torch.Tensor, latent: tuple[int, int], size: tuple[int, int]
) -> torch.Tensor:
    """Weights of pixels [B, 1, H, W] -> of `size` cells of a block, each the mean of its area.

    latent: height and width of the latent. A UNet halves it with rounding up, so the last cell of
    an odd side lies half outside and has the mean of its inner half.
    """
    cells = F.adaptive_avg_pool2d(weights, latent)
    factor = shrink_factor(latent, size)
    if factor is None:
        return F.adaptive_avg_pool2d(cells, size)
    return F.avg_pool2d(cells, factor, ceil_mode=True)


def same_proportions(size: Sequence[int], canvas: Sequence[int]) -> bool:
    """Whether a picture or latent of `size` shows all of a canvas, both (height, width).

    Each side may be off by three quarters of a pixel or cell, as rounding makes it.
    """
    (rows, columns), (height, width) = size, canvas
    return abs(rows / height - columns / width) <= 0.75 / height + 0.75 / width
