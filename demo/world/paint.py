"""Painting in numpy: signed distances become shaded, softly inflated shapes.

A shape is a signed distance in pixels, negative inside. `Tile.paint` covers it with a colour
and shades it as if it were inflated, which gives every object the same illustrated look and
lets one drawing be lit from anywhere. Colours are RGB in [0, 1]; y runs down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

Color = tuple[float, float, float] | np.ndarray


@dataclass(frozen=True)
class Light:
    """Where the light comes from (unit vector towards it, y down, z to the viewer) and its tint."""

    x: float
    y: float
    z: float
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    ambient: float = 0.45

    @staticmethod
    def random(rng: np.random.Generator) -> Light:
        """From above, left or right, 35 to 65 degrees high; tint from cool to warm."""
        side = rng.choice((-1.0, 1.0)) * rng.uniform(0.35, 1.0)
        vector = np.array([side, -rng.uniform(0.5, 0.9), rng.uniform(0.7, 1.1)])
        x, y, z = vector / np.linalg.norm(vector)
        warm = rng.uniform(-1.0, 1.0)
        tint = (1.0 + 0.06 * warm, 1.0 + 0.01 * warm, 1.0 - 0.07 * warm)
        return Light(float(x), float(y), float(z), tint, float(rng.uniform(0.38, 0.5)))


def circle(x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    return np.hypot(x, y) - radius


def ellipse(x: np.ndarray, y: np.ndarray, rx: float, ry: float) -> np.ndarray:
    """Distance to an ellipse to first order: exact on the rim, close enough near it."""
    k = np.sqrt((x / rx) ** 2 + (y / ry) ** 2) + 1e-6
    slope = np.sqrt((x / rx**2) ** 2 + (y / ry**2) ** 2) / k + 1e-6
    return (k - 1.0) / slope


def box(x: np.ndarray, y: np.ndarray, hx: float, hy: float, round_by: float = 0.0) -> np.ndarray:
    """Rectangle of half sizes hx, hy (rounding included) with corners of radius `round_by`."""
    dx = np.abs(x) - (hx - round_by)
    dy = np.abs(y) - (hy - round_by)
    outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0))
    return outside + np.minimum(np.maximum(dx, dy), 0) - round_by


def polygon(x: np.ndarray, y: np.ndarray, points: list[tuple[float, float]]) -> np.ndarray:
    """Distance to a closed polygon given in order."""
    best = np.full(x.shape, np.inf, np.float32)
    inside = np.zeros(x.shape, bool)
    for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
        ex, ey = bx - ax, by - ay
        px, py = x - ax, y - ay
        along = np.clip((px * ex + py * ey) / (ex * ex + ey * ey + 1e-9), 0, 1)
        best = np.minimum(best, (px - along * ex) ** 2 + (py - along * ey) ** 2)
        crosses = (ay > y) != (by > y)
        inside ^= crosses & (px < py * ex / (ey if abs(ey) > 1e-9 else 1e-9))
    return np.where(inside, -1.0, 1.0) * np.sqrt(best)


def segment(x, y, ax, ay, bx, by, radius: float) -> np.ndarray:  # noqa: PLR0913
    """A thick line from (ax, ay) to (bx, by) with round ends."""
    ex, ey = bx - ax, by - ay
    along = np.clip(((x - ax) * ex + (y - ay) * ey) / (ex * ex + ey * ey + 1e-9), 0, 1)
    return np.hypot(x - ax - along * ex, y - ay - along * ey) - radius


def smooth_union(a: np.ndarray, b: np.ndarray, k: float) -> np.ndarray:
    """Union of two distances with a fillet of about k pixels."""
    h = np.clip(0.5 + 0.5 * (b - a) / k, 0, 1)
    return b + (a - b) * h - k * h * (1 - h)


def rotate(x: np.ndarray, y: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates as seen by a shape turned counter-clockwise by `degrees`."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return c * x - s * y, s * x + c * y


def blur(image: np.ndarray, radius: int) -> np.ndarray:
    """Two box blurs of [H, W] or [H, W, C]: near enough to a Gaussian for a shadow."""
    for axis in (0, 1, 0, 1):
        pad = [(0, 0)] * image.ndim
        pad[axis] = (radius + 1, radius)
        sums = np.cumsum(np.pad(image, pad, mode="edge"), axis=axis, dtype=np.float32)
        width = 2 * radius + 1
        high = [slice(None)] * image.ndim
        low = [slice(None)] * image.ndim
        high[axis], low[axis] = slice(width, None), slice(None, -width)
        image = (sums[tuple(high)] - sums[tuple(low)]) / width
    return image


def noise(rng: np.random.Generator, height: int, width: int, cell_y: float, cell_x: float):
    """Smooth random field in [0, 1], features about cell_y by cell_x pixels."""
    rows, cols = int(height / cell_y) + 2, int(width / cell_x) + 2
    grid = rng.random((rows + 1, cols + 1), dtype=np.float32)
    ys, xs = np.arange(height) / cell_y, np.arange(width) / cell_x
    iy, ix = ys.astype(int), xs.astype(int)
    fy, fx = (ys - iy)[:, None], (xs - ix)[None, :]
    fy, fx = fy * fy * (3 - 2 * fy), fx * fx * (3 - 2 * fx)
    top = grid[iy][:, ix] * (1 - fx) + grid[iy][:, ix + 1] * fx
    low = grid[iy + 1][:, ix] * (1 - fx) + grid[iy + 1][:, ix + 1] * fx
    return (top * (1 - fy) + low * fy).astype(np.float32)


class Tile:
    """A small transparent canvas with its origin in the middle; x right, y down, pixels."""

    def __init__(self, height: int, width: int, light: Light):
        self.light = light
        self.y, self.x = np.mgrid[0:height, 0:width].astype(np.float32)
        self.y -= (height - 1) / 2
        self.x -= (width - 1) / 2
        self.color = np.zeros((height, width, 3), np.float32)  # premultiplied
        self.alpha = np.zeros((height, width), np.float32)

    def paint(self, distance, color: Color, *, bulge=6.0, gloss=0.0, edge=0.25, opacity=1.0):
        """Cover the shape with `color` ([3] or [H, W, 3]).

        bulge: pixels from rim to flat top (0 = flat); gloss: strength of the highlight;
        edge: how much darker the rim is.
        """
        distance = distance.astype(np.float32)
        cover = np.clip(0.5 - distance, 0, 1) * opacity
        diffuse, shine = self._shade(distance, bulge)
        rim = 1.0 - edge * np.clip(1.0 + distance / 3.0, 0, 1)
        lit = (self.light.ambient + (1.15 - self.light.ambient) * diffuse) * rim
        base = np.asarray(color, np.float32) * np.asarray(self.light.tint, np.float32)
        shaded = base * lit[..., None] + (gloss * shine)[..., None]
        keep = (1.0 - cover)[..., None]
        self.color = self.color * keep + np.clip(shaded, 0, 1) * cover[..., None]
        self.alpha = self.alpha * keep[..., 0] + cover

    def shadow(self, distance, strength=0.35, soft=3.0):
        """Darken what has been painted so far, under a part that is about to be painted."""
        dark = np.clip(0.5 - distance / soft, 0, 1) * strength
        self.color *= (1.0 - dark)[..., None]

    def _shade(self, distance, bulge):
        light = self.light
        if bulge <= 0:
            flat = np.full(distance.shape, max(light.z, 0.0), np.float32)
            return flat, np.zeros_like(flat)
        gy, gx = np.gradient(distance)
        tilt = np.clip(1.0 + distance / bulge, 0, 1)
        nz = np.sqrt(1.0 - np.minimum(tilt, 0.98) ** 2)
        diffuse = np.clip(gx * tilt * light.x + gy * tilt * light.y + nz * light.z, 0, 1)
        half = (light.x, light.y, light.z + 1.0)
        hx, hy, hz = (part / math.hypot(*half) for part in half)
        shine = np.clip(gx * tilt * hx + gy * tilt * hy + nz * hz, 0, 1) ** 32
        return diffuse, shine

    def rgba(self) -> np.ndarray:
        """Straight-alpha picture [H, W, 4] in [0, 1]."""
        color = self.color / np.maximum(self.alpha, 1e-4)[..., None]
        return np.dstack([np.clip(color, 0, 1), self.alpha])
