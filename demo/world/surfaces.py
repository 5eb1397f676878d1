"""Small helpers for painting rooms: how planes and cylinders take the light, and stamping."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .paint import Light, Tile

Draw = Callable[[Light], np.ndarray]


def lit(light: Light, facing):
    """Brightness of a matt surface, given the cosine between its normal and the light."""
    return light.ambient + (1.15 - light.ambient) * np.clip(facing, 0, 1)


def facing(light: Light, up: float = 0.55) -> float:
    """Brightness of a plane tilted towards the ceiling, relative to one facing the viewer."""
    tilted = -light.y * up + light.z * np.sqrt(1 - up**2)
    return float(lit(light, tilted) / lit(light, light.z))


def around(tile: Tile, half: float, color) -> np.ndarray:
    """`color` [3] or [H, W, 3] as an upright cylinder of half width `half` shows it, to be
    painted with bulge 0."""
    across = np.clip(tile.x[0] / half, -1, 1) * 0.94
    turned = across * tile.light.x + np.sqrt(1 - across**2) * tile.light.z
    shade = lit(tile.light, turned) / lit(tile.light, tile.light.z)
    return np.asarray(color, np.float32) * shade[None, :, None].astype(np.float32)


def jitter(rng: np.random.Generator, color, by: float) -> tuple[float, float, float]:
    """The colour a little lighter or darker, and each channel a little off."""
    moved = np.clip(np.asarray(color) * rng.uniform(1 - by, 1 + by) + rng.normal(0, by / 3, 3), 0, 1)
    return tuple(float(channel) for channel in moved)


def stamp(canvas: np.ndarray, rgba: np.ndarray, top: int, left: int):
    """Put a straight-alpha picture over a part of a straight-alpha canvas, in place."""
    height, width = rgba.shape[:2]
    under = canvas[top : top + height, left : left + width]
    over = rgba[..., 3:]
    rest = under[..., 3:] * (1 - over)
    alpha = over + rest
    under[..., :3] = (rgba[..., :3] * over + under[..., :3] * rest) / np.maximum(alpha, 1e-4)
    under[..., 3:] = alpha
