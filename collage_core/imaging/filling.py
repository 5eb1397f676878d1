"""Carrying values on smoothly into places where there are none.

Pull and push over a pyramid of resolutions: Gortler et al., "The Lumigraph", SIGGRAPH 1996.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

TINY = torch.finfo(torch.float32).tiny


def carry_on(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Values [B, C, H, W] with weights [B, 1, H, W] in [0, 1] -> the same shape.

    Where the weight is 1 the value stays, to the bit; where it is 0 comes the mean of what lies
    around, taken from as far away as it must. With no weight anywhere everything is 0.
    """
    size = values.shape[-2:]
    if max(size) == 1:
        return values * (weight > 0)
    share = F.avg_pool2d(weight, 2, ceil_mode=True)
    mean = F.avg_pool2d(values * weight, 2, ceil_mode=True) / share.clamp(min=TINY)
    coarse = carry_on(mean, (4 * share).clamp(max=1))
    return F.interpolate(coarse, size, mode="bilinear").lerp(values, weight)
