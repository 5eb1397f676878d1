"""Where a layer lands on the canvas, and its pixels there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ..imaging.filters import TINY
from ..imaging.resample import area_shrink
from .layer import Layer, turned_size

_MIRRORED = {2: ("vertical", "both"), 3: ("horizontal", "both")}  # axis of [B, C, H, W] -> flips
STEPS_PER_PIXEL = 1024  # to which edges are rounded, so that rounding errors do not blur


@dataclass(frozen=True, eq=False)
class PlacedLayer:
    """The pixels of a layer on the canvas: premultiplied [B, 4, h, w], from `top` and `left` on.

    Example: canvas[(..., *placed.window)] is the part of [B, 4, H, W] that they cover.
    """

    top: int
    left: int
    pixels: torch.Tensor

    @property
    def window(self) -> tuple[slice, slice]:
        """The rows and the columns of the canvas, as an index for the end of [..., H, W]."""
        height, width = self.pixels.shape[-2:]
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


def place_layer(layer: Layer, height: int, width: int, margin: int = 0) -> PlacedLayer:
    """Layer [B, h, w] -> the window it touches on a canvas of height x width pixels.

    Sampling is bilinear, after an area filter where the layer shrinks, on premultiplied colour, so
    that the colour under alpha 0 never bleeds. A layer at scale 1, flipped or not, in quarter turns
    and on whole pixels is copied exactly. Pixels more than `margin` outside of the canvas are
    cropped; a layer that is wholly outside has an empty window.
    """
    pixels = _premultiplied(layer)
    if axes := [axis for axis, flips in _MIRRORED.items() if layer.flip in flips]:
        pixels = pixels.flip(axes)
    degrees = layer.rotation % 360
    if degrees % 90 == 0:
        pixels, degrees = pixels.rot90(int(degrees // 90), (2, 3)), 0
    scale = layer.scale_on(height, width)
    tall, wide = (size * scale for size in pixels.shape[2:])
    if scale < 1:
        pixels = area_shrink(pixels, max(1, round(tall)), max(1, round(wide)))

    box = _Box(layer.y * height, layer.x * width, tall, wide, degrees)
    (y, rows), (x, columns) = box.touched(height, width, margin)
    if not rows or not columns:
        return PlacedLayer(0, 0, pixels[:, :, :0, :0])
    if degrees == 0 and pixels.shape[2:] == (tall, wide) and y.is_integer() and x.is_integer():
        pixels = pixels[:, :, rows.start - int(y) :, columns.start - int(x) :]
        pixels = pixels[:, :, : len(rows), : len(columns)]
    else:
        pixels = box.sample(pixels, rows, columns)
    return PlacedLayer(rows.start, columns.start, pixels)


@dataclass(frozen=True, eq=False)
class CanvasPixels:
    """A layer alone on the canvas: straight colour [B, 3, h, w] and alpha [B, 1, h, w].

    `window` holds their rows and columns of the canvas; it is empty for a layer outside of it.
    """

    window: tuple[slice, slice]
    colour: torch.Tensor
    alpha: torch.Tensor


def layer_on_canvas(layer: Layer, height: int, width: int) -> CanvasPixels:
    """The pixels of a layer there; alpha includes its opacity, colour under alpha 0 is black."""
    placed = place_layer(layer, height, width)
    colour, alpha = placed.pixels.split((3, 1), dim=1)
    return CanvasPixels(placed.window, (colour / alpha.clamp(min=TINY)).clamp(max=1), alpha)


def _premultiplied(layer: Layer) -> torch.Tensor:
    B, H, W = layer.alpha.shape
    pixels = layer.image.new_empty(B, 4, H, W)
    pixels[:, 3] = layer.alpha * layer.opacity
    torch.mul(layer.image.movedim(-1, 1), pixels[:, 3:], out=pixels[:, :3])
    return pixels


@dataclass(frozen=True)
class _Box:
    """A rectangle on the canvas: centre and size in pixels, rotated counter-clockwise."""

    y: float
    x: float
    height: float
    width: float
    degrees: float

    def touched(self, height: int, width: int, margin: int) -> list[tuple[float, range]]:
        """Where the rectangle starts and which pixels of the canvas and its margin it touches,
        down and across."""
        tall, wide = turned_size(self.height, self.width, self.degrees)
        found: list[tuple[float, range]] = []
        for center, extent, size in ((self.y, tall, height), (self.x, wide, width)):
            start = round((center - extent / 2) * STEPS_PER_PIXEL) / STEPS_PER_PIXEL
            end = round((center + extent / 2) * STEPS_PER_PIXEL) / STEPS_PER_PIXEL
            first, last = max(-margin, math.floor(start)), min(size + margin, math.ceil(end))
            found.append((start, range(first, last)))
        return found

    def sample(self, pixels: torch.Tensor, rows: range, columns: range) -> torch.Tensor:
        """[B, C, h, w] stretched over the box -> its bilinear samples [B, C, rows, columns].

        Samples are weighted with the share of the pixel that the box covers, so that its edges
        are one pixel of the canvas soft at any scale.
        """
        dy = torch.tensor(rows, dtype=torch.float64)[:, None] + 0.5 - self.y
        dx = torch.tensor(columns, dtype=torch.float64) + 0.5 - self.x
        angle = math.radians(self.degrees)
        cos, sin = math.cos(angle), math.sin(angle)
        grid = pixels.new_empty(1, len(rows), len(columns), 2)
        covered = pixels.new_ones(len(rows), len(columns))
        # x and y of each pixel in the layer's own frame, from -1 to 1 over the box
        turned = ((cos * dx, -sin * dy, self.width / 2), (sin * dx, cos * dy, self.height / 2))
        for axis, (from_x, from_y, half) in enumerate(turned):
            turn = grid[0, ..., axis]
            torch.add((from_x / half).to(pixels), (from_y / half).to(pixels), out=turn)
            covered *= ((0.5 + half) - turn.abs() * half).clamp_(0, min(1, 2 * half))
        sampled = F.grid_sample(
            pixels, grid.expand(len(pixels), -1, -1, -1), padding_mode="border", align_corners=False
        )
        return sampled.mul_(covered).clamp_(max=1)  # bilinear weights add up to 1 or a bit over
