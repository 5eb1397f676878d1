"""Filters over pictures and masks: blur, dilation, distance to an edge, filling of gaps."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from ..interruption import interruptible

BLUR_REACH = 6  # sigmas; what a Gaussian holds further out is nothing to a float32
BLUR_VALUES_AT_ONCE = 1 << 22  # transformed together: bounds the memory
BLUR_ROUNDING = 1e-6  # of the range of values: what the transform leaves where nothing should be
TINY = torch.finfo(torch.float32).tiny


def gaussian_blur(image: torch.Tensor, sigma: float) -> torch.Tensor:
    """[B, C, H, W] -> the same shape, blurred by `sigma` pixels; edge pixels are repeated outside.

    Each axis is convolved with the Gaussian integrated over every pixel, by Fourier transform, so
    that time and memory hardly depend on `sigma`. A sigma of 0 changes no bit. Areas of one value
    keep it, and areas of the lowest value keep exactly that.
    """
    if sigma == 0:
        return image
    low, high = image.aminmax()
    blurred = _along_rows(_along_rows(image, sigma).mT, sigma).mT
    blurred = torch.where(blurred < low + BLUR_ROUNDING * (high - low), low, blurred)
    return torch.minimum(blurred, high, out=blurred)


def _along_rows(image: torch.Tensor, sigma: float) -> torch.Tensor:
    W = image.shape[-1]
    reach = min(math.ceil(BLUR_REACH * sigma), W - 1)
    kernel = _kernel(sigma, reach)
    size = _easy_length(W + 2 * reach)
    spectrum = torch.fft.rfft(kernel, size).to(torch.complex64).to(image.device)
    rows = image.reshape(-1, 1, W)
    blurred = torch.empty_like(rows)
    at_once = max(1, BLUR_VALUES_AT_ONCE // size)
    for some, result in interruptible(
        zip(rows.split(at_once), blurred.split(at_once), strict=True)
    ):
        wide = F.pad(some, (reach, reach), mode="replicate")
        product = torch.fft.rfft(wide, size).mul_(spectrum)
        result.copy_(torch.fft.irfft(product, size)[..., 2 * reach : 2 * reach + W])
    return blurred.view(image.shape)


def _kernel(sigma: float, reach: int) -> torch.Tensor:
    """[2 reach + 1], of sum 1; the first and the last value hold the tails of the Gaussian."""
    edges = torch.arange(-reach, reach + 2, dtype=torch.float64) - 0.5
    edges[0], edges[-1] = -math.inf, math.inf
    return torch.special.ndtr(edges / sigma).diff()


def _easy_length(least: int) -> int:
    """The smallest number >= `least` that is a power of two times 1, 3, 5 or 9: a fast FFT."""
    return min(odd << max(0, math.ceil(math.log2(least / odd))) for odd in (1, 3, 5, 9))


def running_max(values: torch.Tensor, dy: int, dx: int, length: int) -> torch.Tensor:
    """The largest of `length` + 1 neighbours in the direction (dy, dx), with zeros outside.

    [B, h, w] -> [B, h + |dy| length, w + |dx| length], in log2(length) passes. F.max_pool2d knows
    no diagonals, and its time grows with the length: at 512 it takes forty times as long.
    """
    rows, columns = length * dy, length * abs(dx)
    values = F.pad(values, (columns, columns, rows, rows))
    reach = 0
    while reach < length:  # every value is the largest of itself and `reach` neighbours
        step = min(reach + 1, length - reach)
        h, w = values.shape[-2] - dy * step, values.shape[-1] - abs(dx) * step
        start, end = (step, 0) if dx < 0 else (0, dx * step)
        values = torch.maximum(
            values[..., :h, start : start + w], values[..., dy * step :, end : end + w]
        )
        reach += step
    return values


def square_max(values: torch.Tensor, radius: int) -> torch.Tensor:
    """Values >= 0 [..., H, W] -> the largest within `radius` pixels up, down and to the sides."""
    H, W = values.shape[-2:]
    grown = running_max(running_max(values, 1, 0, 2 * radius), 0, 1, 2 * radius)
    return grown[..., radius : radius + H, radius : radius + W]


def inner_distance(region: torch.Tensor, cell: int, reach: int) -> torch.Tensor:
    """Cells [B, 1, h, w], True inside -> distance of their pixels [B, 1, h cell, w cell].

    The Euclidean distance to the nearest pixel outside, between centres of pixels, at most
    `reach`; 0 outside. It is found along one axis after the other: the square of a distance is
    the least sum of the squares along both. Of every cell only the nearest column can hold the
    nearest pixel, so that a cell counts as one step.
    """
    down = _down(region.repeat_interleave(cell, -2), reach).square_()
    planes = [_across(down, offset, cell, reach) for offset in range(cell)]
    return torch.stack(planes, -1).flatten(-2).sqrt_()


def _down(region: torch.Tensor, reach: int) -> torch.Tensor:
    """True [..., H, w] -> distance to the nearest False of the same column, at most `reach`."""
    H = region.shape[-2]
    here = torch.arange(H, dtype=torch.float32, device=region.device).unsqueeze(1)
    above = here - torch.where(region, -reach, here).cummax(-2).values
    below = torch.where(region, H + reach, here).flip(-2).cummin(-2).values.flip(-2) - here
    return torch.minimum(above, below).clamp_(max=reach)


def _across(squares: torch.Tensor, offset: int, cell: int, reach: int) -> torch.Tensor:
    """Squared distances down the columns [..., w] -> squared distances along both axes.

    `offset` is the place of the column in its cell.
    """
    nearest, w = squares.clone(), squares.shape[-1]
    for step in interruptible(range(1, w)):
        back, ahead = (step - 1) * cell + offset + 1, step * cell - offset
        if min(back, ahead) ** 2 >= min(nearest.max().item(), reach * reach):
            break
        for way, here, there in ((back, step, 0), (ahead, 0, step)):
            part = nearest.narrow(-1, here, w - step)
            torch.minimum(part, squares.narrow(-1, there, w - step) + way * way, out=part)
    return nearest


def pull_push_fill(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Values [B, C, H, W] with weights [B, 1, H, W] in [0, 1] -> values everywhere, same shape.

    Where the weight is 1 the value stays, to the bit. Where it is 0 the mean of the nearest
    weighted values is filled in. With no weight anywhere everything is 0. Pull and push over a
    pyramid of resolutions: Gortler et al., "The Lumigraph", SIGGRAPH 1996.
    """
    size = values.shape[-2:]
    if max(size) == 1:
        return values * (weight > 0)
    share = F.avg_pool2d(weight, 2, ceil_mode=True)
    mean = F.avg_pool2d(values * weight, 2, ceil_mode=True) / share.clamp(min=TINY)
    coarse = pull_push_fill(mean, (4 * share).clamp(max=1))
    return F.interpolate(coarse, size, mode="bilinear").lerp(values, weight)
