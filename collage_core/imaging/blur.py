"""Gaussian blur of any width, in time and memory that hardly depend on the width."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from ..interruption import interruptible

REACH = 6  # sigmas; what a Gaussian holds beyond them a float32 cannot tell from nothing
AT_ONCE = 1 << 22  # numbers that are transformed together: bounds the memory
DUST = 1e-6  # of the values' range: rounding of the transform, where there should be nothing


def gaussian_blur(image: torch.Tensor, sigma: float) -> torch.Tensor:
    """[B, C, H, W] -> the same shape, blurred by `sigma` pixels; the edge pixels go on for ever.

    Each axis is convolved with the Gaussian integrated over every pixel, by Fourier transform.
    0 changes no bit, places of one value keep it, and what was the lowest value far around stays
    that exactly.
    """
    if sigma == 0:
        return image
    low, high = image.aminmax()
    blurred = _along_rows(_along_rows(image, sigma).mT, sigma).mT
    blurred = torch.where(blurred < low + DUST * (high - low), low, blurred)
    return torch.minimum(blurred, high, out=blurred)


def _along_rows(image: torch.Tensor, sigma: float) -> torch.Tensor:
    W = image.shape[-1]
    reach = min(math.ceil(REACH * sigma), W - 1)
    kernel = _kernel(sigma, reach)
    size = _easy_length(W + 2 * reach)
    spectrum = torch.fft.rfft(kernel, size).to(torch.complex64).to(image.device)
    rows = image.reshape(-1, 1, W)
    blurred = torch.empty_like(rows)
    at_once = max(1, AT_ONCE // size)
    for some, result in interruptible(
        zip(rows.split(at_once), blurred.split(at_once), strict=True)
    ):
        wide = F.pad(some, (reach, reach), mode="replicate")
        product = torch.fft.rfft(wide, size).mul_(spectrum)
        result.copy_(torch.fft.irfft(product, size)[..., 2 * reach : 2 * reach + W])
    return blurred.view(image.shape)


def _kernel(sigma: float, reach: int) -> torch.Tensor:
    """[2 reach + 1], of sum 1; the outermost take the whole tail beyond them."""
    edges = torch.arange(-reach, reach + 2, dtype=torch.float64) - 0.5
    edges[0], edges[-1] = -math.inf, math.inf
    return torch.special.ndtr(edges / sigma).diff()


def _easy_length(least: int) -> int:
    """The first number from `least` on that is a power of two times 1, 3, 5 or 9."""
    return min(odd << max(0, math.ceil(math.log2(least / odd))) for odd in (1, 3, 5, 9))
