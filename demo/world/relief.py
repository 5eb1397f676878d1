"""Painting now, lighting later: a tile that remembers colours and normals.

`Relief` is drawn like `paint.Tile`, once; `draw(light)` then lights it in one pass. A thing
with twenty parts costs twenty parts once, however often it is lit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .paint import Light

Draw = Callable[[Light], np.ndarray]

STEEPEST = 0.9  # how far a bulging rim turns away; below 1 keeps its dark side soft


def lit(light: Light, facing):
    """Brightness of a matt surface, given the cosine between its normal and the light."""
    return light.ambient + (1.15 - light.ambient) * np.clip(facing, 0, 1)


def upward(up: float) -> tuple[float, float, float]:
    """The normal of a plane that faces the viewer and, by the share `up`, the ceiling."""
    return 0.0, -up, float(np.sqrt(1 - up * up))


def jitter(rng: np.random.Generator, color, by: float) -> np.ndarray:
    """The colour a little lighter or darker, and each channel a little off."""
    moved = np.asarray(color) * rng.uniform(1 - by, 1 + by) + rng.normal(0, by / 3, 3)
    return np.clip(moved, 0, 1).astype(np.float32)


class Relief:
    """A small transparent canvas with its origin in the middle; x right, y down, pixels."""

    def __init__(self, height: int, width: int):
        self.y, self.x = np.mgrid[0:height, 0:width].astype(np.float32)
        self.y -= (height - 1) / 2
        self.x -= (width - 1) / 2
        # one plane each, premultiplied: colour (3), normal (3), gloss, alpha
        self.planes = np.zeros((8, height, width), np.float32)

    def between(self, top: float, bottom: float) -> Relief:
        """The rows from `top` to `bottom` as a relief of their own that shares the canvas."""
        first, last = np.searchsorted(self.y[:, 0], (top, bottom))
        strip = object.__new__(Relief)
        strip.y, strip.x = self.y[first:last], self.x[first:last]
        strip.planes = self.planes[:, first:last]
        return strip

    def paint(self, distance, color, *, bulge=6.0, gloss=0.0, edge=0.25, facing=(0.0, 0.0, 1.0)):
        """Cover the shape with `color` ([3] or [H, W, 3]).

        bulge: pixels from rim to flat top (0 = flat); gloss: strength of the highlight;
        edge: how much darker the rim is; facing: normal of the flat part, each of its three
        a number or [H, W].
        """
        part = _extent(distance)
        if part is None:
            return
        distance = distance[part]
        cover = np.clip(0.5 - distance, 0, 1)
        rim = 1.0 - edge * np.clip(1.0 + distance / 3.0, 0, 1)
        new = np.empty((8, *distance.shape), np.float32)
        color = np.asarray(color, np.float32)
        for channel in range(3):
            new[channel] = _part(color[..., channel], part) * rim
        _normals(distance, bulge, [_part(axis, part) for axis in facing], new[3:6])
        new[6], new[7] = gloss, 1.0
        here = self.planes[(slice(None), *part)]
        new -= here
        new *= cover
        here += new

    def shadow(self, distance, strength=0.35, soft=3.0):
        """Darken what has been painted so far, under a part that is about to be painted."""
        part = _extent(distance - soft / 2)
        if part is not None:
            dark = np.clip(0.5 - distance[part] / soft, 0, 1) * strength
            self.planes[(slice(3), *part)] *= 1.0 - dark

    def add(self, other: Relief, top: int, left: int):
        """Put another relief on this one, its upper left corner at (top, left)."""
        height, width = other.x.shape
        here = self.planes[:, top : top + height, left : left + width]
        here *= 1 - other.planes[7]
        here += other.planes

    def draw(self, light: Light) -> np.ndarray:
        """Straight-alpha picture [H, W, 4] in [0, 1]."""
        gloss, alpha = self.planes[6:]
        straight = 1 / np.maximum(alpha, 1e-4)
        level = lit(light, self._toward(light.x, light.y, light.z) * straight) * straight
        half = np.array([light.x, light.y, light.z + 1.0])
        shine = np.clip(self._toward(*(half / np.linalg.norm(half))) * straight, 0, 1)
        for _ in range(5):  # to the 32nd power
            shine *= shine
        shine *= gloss * straight
        out = np.empty((*alpha.shape, 4), np.float32)
        for channel, tint in enumerate(light.tint):
            np.clip(self.planes[channel] * (level * tint) + shine, 0, 1, out=out[..., channel])
        out[..., 3] = alpha
        return out

    def _toward(self, x: float, y: float, z: float) -> np.ndarray:
        """How far each premultiplied normal points towards (x, y, z)."""
        nx, ny, nz = self.planes[3:6]
        return nx * float(x) + ny * float(y) + nz * float(z)


def _extent(distance: np.ndarray) -> tuple[slice, slice] | None:
    """The rows and columns a shape reaches, at least two of each; None where there is none."""
    inside = distance < 1.0
    rows, cols = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if not len(rows):
        return None
    return slice(max(rows[0] - 1, 0), rows[-1] + 2), slice(max(cols[0] - 1, 0), cols[-1] + 2)


def _part(values, part):
    """The same part of a field [H, W]; a single number as it is."""
    return values[part] if np.ndim(values) else values


def _normals(distance, bulge: float, facing, out: np.ndarray):
    for axis in range(3):
        out[axis] = facing[axis]
    if bulge > 0:
        gy, gx = np.gradient(distance)
        tilt = STEEPEST * np.clip(1.0 + distance / bulge, 0, 1)
        out *= np.sqrt(1.0 - tilt**2)
        out[0] += gx * tilt
        out[1] += gy * tilt
