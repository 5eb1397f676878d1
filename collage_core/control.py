"""Structure control per layer: how much of a network's outputs counts where (arXiv 2303.00262).

The paper shows a ControlNet the edges of the composite and scales what it adds by a map that is
made of the layers' visible masks.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from .attention.bias import shrink_factor

GRAIN = 65536  # steps per unit: what visible alphas miss of adding up to 1 is far less than one


def control_map(
    visible_alpha: torch.Tensor, controls: Sequence[float], base_control: float
) -> torch.Tensor:
    """Visible alphas [B, L, H, W] and one control per layer -> weight of every pixel [B, 1, H, W].

    Where no layer shows, `base_control` does; a soft edge mixes the values by its alpha, once.
    One control everywhere is that value to the bit if GRAIN can tell it, as it can 0, 1 and 2.
    """
    above_base = visible_alpha.new_tensor([control - base_control for control in controls])
    flat = base_control + torch.einsum("blhw,l->bhw", visible_alpha, above_base)
    return (flat * GRAIN).round().div(GRAIN).unsqueeze(1)


def grid_weights(
    weights: torch.Tensor, latent: tuple[int, int], size: tuple[int, int]
) -> torch.Tensor:
    """Weights of the pixels [B, 1, H, W] -> of `size` cells of a block: the mean of their area.

    latent: height and width of the latent picture. A UNet halves it with rounding up, so the
    last cell of an odd side is half outside and has the mean of what is inside.
    """
    cells = F.adaptive_avg_pool2d(weights, latent)
    factor = shrink_factor(latent, size)
    if factor is None:
        return F.adaptive_avg_pool2d(cells, size)
    return F.avg_pool2d(cells, factor, ceil_mode=True)


def same_proportions(size: Sequence[int], canvas: Sequence[int]) -> bool:
    """Whether a picture or latent of `size` shows all of a canvas, both (height, width).

    Either side may be three quarters of its own pixels or cells off, by rounding.
    """
    (rows, columns), (height, width) = size, canvas
    return abs(rows / height - columns / width) <= 0.75 / height + 0.75 / width
