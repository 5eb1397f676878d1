"""Pictures in another size."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def cover_crop(picture: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """[B, C, h, w] -> [B, C, height, width]: the largest middle part that has this shape."""
    h, w = picture.shape[2:]
    scale = max(height / h, width / w)
    rows, columns = max(1, round(height / scale)), max(1, round(width / scale))
    top, left = (h - rows) // 2, (w - columns) // 2
    middle = picture[:, :, top : top + rows, left : left + columns]
    if scale < 1:
        return area_shrink(middle, height, width)
    return F.interpolate(middle, (height, width), mode="bilinear")


def stretch(pixels: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """[B, C, h, w] -> [B, C, height, width], whatever the proportions.

    Each axis is filtered by area where it shrinks, and is bilinear where it grows.
    """
    h, w = pixels.shape[2:]
    small = area_shrink(pixels, min(h, height), min(w, width))
    if small.shape[2:] == (height, width):
        return small
    return F.interpolate(small, (height, width), mode="bilinear")


def area_shrink(pixels: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """[B, C, H, W] -> [B, C, height, width]: each new pixel is the mean of the area it covers."""
    pixels = _shrink_rows(pixels, height)
    return _shrink_rows(pixels.transpose(2, 3).contiguous(), width).transpose(2, 3)


def _shrink_rows(pixels: torch.Tensor, rows: int) -> torch.Tensor:
    old = pixels.shape[2]
    if rows == old:
        return pixels
    edges = torch.arange(rows + 1, dtype=torch.float64) * old / rows
    start, end = edges[:-1], edges[1:]
    first = start.floor()
    shrunk = pixels.new_zeros(*pixels.shape[:2], rows, pixels.shape[3])
    tapped = torch.empty_like(shrunk)
    for tap in range(int((end.ceil() - first).max())):
        row = first + tap
        overlap = (torch.minimum(end, row + 1) - torch.maximum(start, row)).clamp(min=0)
        index = row.clamp(max=old - 1).long().to(pixels.device)
        torch.index_select(pixels, 2, index, out=tapped)
        shrunk.addcmul_(tapped, (overlap * rows / old)[:, None].to(pixels))
    return shrunk
