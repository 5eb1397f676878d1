"""Behind the cake table: wall and floor, and the window with its winter view.

Each maker draws its random choices at once and gives back a drawing that depends on the light
alone.
"""

from __future__ import annotations

import numpy as np

from .paint import Light, box, circle, ellipse
from .relief import Draw, Relief, jitter, lit, upward

WALLS = {
    "green": (0.56, 0.72, 0.55),
    "blue": (0.55, 0.70, 0.82),
    "yellow": (0.96, 0.82, 0.48),
    "pink": (0.95, 0.72, 0.73),
    "grey": (0.60, 0.61, 0.63),
    "white": (0.95, 0.93, 0.89),
}
FLOORS = ((0.80, 0.70, 0.58), (0.62, 0.50, 0.42), (0.74, 0.72, 0.70), (0.70, 0.58, 0.48))
FRAMES = ((0.98, 0.97, 0.95), (0.98, 0.97, 0.95), (0.72, 0.46, 0.26), (0.60, 0.37, 0.22))
SKIRTING = (0.98, 0.97, 0.95)
FALLOFF = 0.26  # how much the wall's light changes from one edge of the picture to the other


def wall(rng: np.random.Generator, color: str, floor_y: float, size: int) -> Draw:
    """Wall, skirting board and plank floor, [size, size]."""
    line = np.arange(size, dtype=np.float32)
    below = np.clip(line - floor_y + 0.5, 0, 1)[:, None, None]
    skirting = np.clip(5.5 - np.abs(line - floor_y + 5), 0, 1)[:, None, None]
    paper = _wallpaper(rng, line)[..., None] * jitter(rng, WALLS[color], 0.03)
    base = paper + (np.asarray(SKIRTING, np.float32) - paper) * skirting
    start = int(floor_y)
    base[start:] += (_planks(rng, line, start) - base[start:]) * below[start:]
    grooves = 0.3 * np.clip(1.5 - np.abs(line - floor_y), 0, 1)
    grooves += 0.1 * np.clip(1.5 - np.abs(line - floor_y + 10.5), 0, 1)
    base *= (1 - grooves)[:, None, None]

    def draw(light: Light) -> np.ndarray:
        across = (line / size - 0.5) * FALLOFF
        flat = lit(light, light.z)
        floor = lit(light, np.dot(upward(0.55), (light.x, light.y, light.z)))
        level = flat + (floor - flat) * below[..., 0]
        glow = level * (1.04 + light.x * across + light.y * across[:, None])
        out = np.ones((size, size, 4), np.float32)
        for channel, tint in enumerate(light.tint):
            np.clip(base[..., channel] * (glow * tint), 0, 1, out=out[..., channel])
        return out

    return draw


def _wallpaper(rng: np.random.Generator, line: np.ndarray) -> np.ndarray:
    """Brightness of plain, striped, diamond-patterned or panelled wallpaper."""
    kind, period = rng.integers(4), rng.uniform(28, 40)
    wave = np.sin(line * (2 * np.pi / period))
    across = (0 * wave, 0.03 * np.tanh(3 * wave), wave, -0.06 * np.clip(20 * wave - 19, 0, 1))[kind]
    down = 0.035 * wave[:, None] if kind == 2 else np.ones_like(line)[:, None]
    return (1 + down * across).astype(np.float32)


def _planks(rng: np.random.Generator, line: np.ndarray, start: int) -> np.ndarray:
    """The floor below row `start`: boards that run towards a vanishing point."""
    size = len(line)
    apart = 5 / (line[start:, None] - start + 90)
    plank = (line - size * rng.uniform(0.3, 0.7)) * apart + 40
    seam = np.clip(1 - np.abs(plank % 1 - 0.5) * 36, 0, 1)
    tones = rng.uniform(0.95, 1.03, 80).astype(np.float32)[(plank + 0.5).astype(int)]
    wood = jitter(rng, FLOORS[rng.integers(len(FLOORS))], 0.04)
    return (tones * (1 - 0.16 * seam))[..., None] * wood


def window(rng: np.random.Generator, width: int, height: int) -> Draw:
    """A window of four panes with a snowy view."""
    frame = jitter(rng, FRAMES[rng.integers(len(FRAMES))], 0.03)
    arched = rng.random() < 0.35
    view = _WinterView(rng, width / 2 - 8, height / 2 - 12)

    tile = Relief(height, width)
    x, y = tile.x, tile.y + 3
    hx, hy = width / 2 - 4, height / 2 - 7
    outer = box(x, y, hx, hy, 3)
    if arched:
        crown = np.maximum(circle(x, y + hy - hx, hx), y + hy - hx)
        outer = np.minimum(crown, np.maximum(outer, -(y + hy - hx)))
    tile.paint(outer, frame, bulge=4, edge=0.25)
    glass = outer + 6.5
    view.paint(tile, glass)
    bars = np.minimum(np.abs(x), np.abs(y)) - 2.6
    tile.shadow(np.maximum(bars - 2, glass), 0.25, 3)
    tile.paint(np.maximum(bars, outer + 3), frame, bulge=3, edge=0.2)
    foot = tile.between(height / 2 - 16, height)
    sill = box(foot.x, foot.y - height / 2 + 6, width / 2 - 0.5, 5, 2.5)
    foot.shadow(sill - 1, 0.25, 3)
    foot.paint(sill, frame, bulge=4, edge=0.25)
    return tile.draw


class _WinterView:
    """Pale sky, two snowy hills, fir trees and a few flakes, within half sizes hx, hy."""

    def __init__(self, rng: np.random.Generator, hx: float, hy: float):
        self.half = hx, hy
        self.sky = jitter(rng, ((0.62, 0.82, 0.96), (0.74, 0.86, 0.96))[rng.integers(2)], 0.03)
        self.hills = [(rng.uniform(-0.8, 0.8) * hx, hy * low) for low in (0.12, 0.42)]
        count = int(rng.integers(2, 4))
        self.firs = [
            (hx * (2 * (i + rng.uniform(0.3, 0.7)) / count - 1), rng.uniform(0.65, 1.0) * hy)
            for i in range(count)
        ]
        self.flakes = rng.uniform(-1, 1, (7, 2)) * (hx, hy * 0.9)

    def paint(self, tile: Relief, glass: np.ndarray):
        hx, hy = self.half
        x, y = tile.x, tile.y
        fade = np.clip((y + hy) / (2 * hy), 0, 1)[..., None]
        sky = np.float32(self.sky) * 1.12 + fade * 0.1
        tile.paint(glass, np.minimum(sky, 1.1), bulge=0, edge=0.15)
        for index, (middle, low) in enumerate(self.hills):
            hill = np.maximum(ellipse(x - middle, y - low - hy, hx * 1.7, hy), glass)
            tile.paint(hill, ((0.86, 0.92, 1.0), (1.08, 1.08, 1.08))[index], bulge=8, edge=0.04)
            if index == 0:
                self._paint_firs(tile, glass)
        flakes = np.minimum.reduce([circle(x - fx, y - fy, 1.9) for fx, fy in self.flakes])
        tile.paint(np.maximum(flakes, glass), (1.15, 1.15, 1.15), bulge=0, edge=0)

    def _paint_firs(self, tile: Relief, glass: np.ndarray):
        foot = self.half[1] * 0.66
        firs = []
        for middle, tall in self.firs:
            up = np.clip((foot - tile.y) / tall, 0, 1)
            skirt = tall * (0.42 * (1 - up) + 0.13 * (1 - (up * 3) % 1) * (1 - 0.5 * up))
            across = np.abs(tile.x - middle) - skirt
            firs.append(np.maximum(across * 0.8, np.abs(tile.y - foot + tall / 2) - tall / 2))
        tile.paint(
            np.maximum(np.minimum.reduce(firs), glass), (0.20, 0.47, 0.40), bulge=4, edge=0.15
        )
