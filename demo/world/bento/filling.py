"""How a food fills a compartment: parts of a relief, where they go, and grainy surfaces."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from ..paint import box, noise, rotate, segment
from ..relief import Relief

Spots = list[tuple[float, float]]


def part(relief: Relief, x: float, y: float, reach: float, reach_y: float = 0.0) -> Relief:
    """The relief around a point, with its origin there: painting a small part costs little."""
    reach_y = reach_y or reach
    height, width = relief.x.shape
    row, col = y + (height - 1) / 2, x + (width - 1) / 2
    rows = slice(max(int(row - reach_y), 0), min(int(row + reach_y) + 2, height))
    cols = slice(max(int(col - reach), 0), min(int(col + reach) + 2, width))
    piece = object.__new__(Relief)
    piece.x = relief.x[rows, cols] - np.float32(x)
    piece.y = relief.y[rows, cols] - np.float32(y)
    piece.planes = relief.planes[:, rows, cols]
    return piece


def turned(piece: Relief, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates along and across something that is turned by `degrees`, in single precision."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return c * piece.x - s * piece.y, s * piece.x + c * piece.y


def rounded(relief: Relief, inset: float) -> np.ndarray:
    """Distance to the compartment with its corners well rounded."""
    height, width = relief.x.shape
    hx, hy = width / 2 - inset, height / 2 - inset
    return box(relief.x, relief.y, hx, hy, 0.55 * min(hx, hy))


def heap(relief: Relief, rng: np.random.Generator) -> np.ndarray:
    """Distance to a heap that fills the compartment, with an uneven rim."""
    height, width = relief.x.shape
    return rounded(relief, 4.0) + 5 * (noise(rng, height, width, 16, 16) - 0.5)


def scatter(rng: np.random.Generator, width: float, height: float, step: float) -> Spots:
    """Spots over the whole area, about `step` apart, not in line."""
    spots = np.array(grid(width, height, step))
    return list(spots + rng.uniform(-0.3, 0.3, spots.shape) * step)


def grid(width: float, height: float, size: float) -> Spots:
    """Middles of cells of about `size` that share out the area."""
    cols, rows = _cells(width, height, size)
    return [
        (((i + 0.5) / cols - 0.5) * width, ((j + 0.5) / rows - 0.5) * height)
        for j in range(rows)
        for i in range(cols)
    ]


def cell(width: float, height: float, size: float) -> float:
    """The side of the squares that fit the cells of `grid`."""
    cols, rows = _cells(width, height, size)
    return min(width / cols, height / rows)


def _cells(width: float, height: float, size: float) -> tuple[int, int]:
    return max(1, round(width / size)), max(1, round(height / size))


def bumps(
    relief: Relief, rng: np.random.Generator, length: float, radius: float, strength: float
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """A surface of small domes: its brightness [h, w, 1] and its normals, for `facing`."""
    rows, cols = relief.x.shape
    slope_y, slope_x, height = _domes(length, radius)
    margin = 8  # the field is empty along its rim
    top, left = (int(rng.integers(margin, height.shape[0] - margin - n)) for n in (rows, cols))
    cut = slice(top, top + rows), slice(left, left + cols)
    nx, ny = -strength * slope_x[cut], -strength * slope_y[cut]
    up = 1 / np.sqrt(1 + nx * nx + ny * ny)
    bright = 1 + 0.4 * strength * (height[cut] - 0.7)
    return bright[..., None], (nx * up, ny * up, up)


@lru_cache(maxsize=4)
def _domes(length: float, radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A field of small domes, `length` long: its slopes (y, x) and its height. Made once."""
    rng = np.random.default_rng(7)
    size, reach = 256, int(length / 2 + radius + 2)
    height = np.zeros((size, size), np.float32)
    for x, y in scatter(rng, size - 2 * reach, size - 2 * reach, radius * 1.75 + length * 0.2):
        row, col = int(y + size / 2), int(x + size / 2)
        window = height[row - reach : row + reach, col - reach : col + reach]
        v, u = np.mgrid[0 : window.shape[0], 0 : window.shape[1]] - float(reach)
        u, v = rotate(u, v, rng.uniform(0, 180))
        inside = np.clip(1 + segment(u, v, -length / 2, 0, length / 2, 0, radius) / radius, 0, 1)
        np.maximum(window, (1 - inside**2) * rng.uniform(0.75, 1.0), out=window)
    slope_y, slope_x = np.gradient(height)
    return slope_y, slope_x, height
