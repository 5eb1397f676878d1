"""Where the toys stand: a wall, and a wood table or a stone floor before it.

Each maker draws its random choices at once and gives back a drawing that depends on the light
alone.
"""

from __future__ import annotations

import numpy as np

from ..backdrop import SKIRTING, WALLS
from ..paint import Light, noise
from ..relief import Draw, jitter, lit
from ..scene import SIZE

WOODS = ((0.86, 0.64, 0.40), (0.74, 0.49, 0.29), (0.62, 0.40, 0.26), (0.93, 0.77, 0.54))
STONES = ((0.72, 0.71, 0.69), (0.60, 0.61, 0.64), (0.80, 0.76, 0.68), (0.66, 0.68, 0.66))
TABLE_EDGE = 13  # height of the table's front face, at the lower rim of the canvas
FALLOFF = 0.18  # how much the light changes from one edge of the picture to the other
SOFTEN = 0.6  # share of the light's changes a plane shows: a white wall must not look grey
SATURATE = 1.25  # nor a blue one
GROUND_UP = 0.6  # how much a ground seen from slightly above faces the ceiling


def wall(rng: np.random.Generator, color: str, horizon: int, *, skirting: bool) -> Draw:
    """A wall over the whole canvas: plain, striped, dotted or panelled above `horizon`."""
    line = np.arange(SIZE, dtype=np.float32)
    pattern = _wallpaper(rng, line, horizon)
    pure = np.mean(WALLS[color]) + SATURATE * (np.array(WALLS[color]) - np.mean(WALLS[color]))
    color_of_row = np.tile(jitter(rng, pure, 0.03), (SIZE, 1))
    if skirting:
        board = np.clip(5.5 - np.abs(line - horizon + 5), 0, 1)[:, None]
        pattern = pattern + (1 - pattern) * board
        color_of_row += (np.array(SKIRTING, np.float32) - color_of_row) * board
        color_of_row *= 1 - 0.16 * np.clip(1.5 - np.abs(line - horizon + 10.5), 0, 1)[:, None]
    return _plane(pattern, color_of_row, np.zeros(SIZE, np.float32))


def _wallpaper(rng: np.random.Generator, line: np.ndarray, horizon: int) -> np.ndarray:
    """Brightness of the wall [SIZE, SIZE]."""
    kind, period = rng.integers(4), rng.uniform(26, 40)
    shape = (SIZE, SIZE)
    if kind == 0:
        return np.ones(shape, np.float32)
    if kind == 1:
        stripes = np.tanh(3 * np.sin(line * (2 * np.pi / period)))
        return np.broadcast_to(1 + 0.035 * stripes, shape).astype(np.float32)
    if kind == 2:
        down = line[:, None] / period
        across = line[None] / period + 0.5 * (np.floor(down) % 2)
        away = np.hypot(across % 1 - 0.5, down % 1 - 0.5) * period
        return (1 + 0.09 * np.clip(4.5 - away, 0, 1)).astype(np.float32)
    top = horizon - rng.uniform(38, 52)
    groove = np.clip(1.5 - np.abs(line % period - period / 2), 0, 1)
    below = np.clip(line - top - 6, 0, 1)[:, None]
    rail = np.clip(3.5 - np.abs(line - top - 3), 0, 1)
    under = np.clip(1 - np.abs(line - top - 8.5) / 2.5, 0, 1)
    panels = 1.04 - below * (0.09 * groove + 0.04) + (0.06 * rail - 0.13 * under)[:, None]
    panels[: int(top)] = 1
    return panels.astype(np.float32)


def table(rng: np.random.Generator, height: int) -> Draw:
    """The top of a wood table, `height` by SIZE, and its front face below."""
    down = np.arange(height - TABLE_EDGE, dtype=np.float32)[:, None]
    across = np.arange(SIZE, dtype=np.float32)[None] - SIZE / 2
    top = _boards_along(rng, down) if rng.random() < 0.5 else _boards_away(rng, down, across)
    wood = jitter(rng, WOODS[rng.integers(len(WOODS))], 0.04)
    edge = 0.9 + 0.1 * noise(rng, TABLE_EDGE, SIZE, 4, 60)
    edge[0], edge[-1] = 0.72, 0.8
    top[:2] *= 1.08
    top[-2:] *= 1.12
    up = np.full(height, GROUND_UP, np.float32)
    up[-TABLE_EDGE:] = -0.1
    return _plane(np.vstack([top, edge * 0.86]), np.tile(wood, (height, 1)), up)


def _boards_along(rng: np.random.Generator, down: np.ndarray) -> np.ndarray:
    """Brightness of boards from left to right, wider towards the viewer."""
    rows = len(down)
    plank = rng.uniform(3.4, 5.2) * (down[:, 0] / rows) ** 0.75
    wide = np.gradient(plank)[:, None]
    seam = np.clip(1.6 - np.abs((plank[:, None] + 0.5) % 1 - 0.5) / wide, 0, 1)
    tone = rng.uniform(0.94, 1.04, 8)[plank.astype(int)][:, None]
    grain = noise(rng, rows, SIZE, 5, 70)
    return (tone * (0.93 + 0.14 * grain) * (1 - 0.24 * seam)).astype(np.float32)


def _boards_away(rng: np.random.Generator, down: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Brightness of boards that run away from the viewer."""
    rows = len(down)
    flat = (across + rng.uniform(-40, 40)) * (rows + 110) / (down + 110)  # as at the near edge
    wide = rng.uniform(44, 60)
    plank = flat / wide + 20
    seam = np.clip(1.3 - np.abs((plank + 0.5) % 1 - 0.5) * wide * (down + 110) / (rows + 110), 0, 1)
    tone = rng.uniform(0.94, 1.04, 40)[plank.astype(int)]
    grain = noise(rng, 1, 1100, 1, 7)[0, (flat + 550).astype(int)]
    return (tone * (0.93 + 0.14 * grain) * (1 - 0.24 * seam)).astype(np.float32)


def floor(rng: np.random.Generator, height: int) -> Draw:
    """Stone tiles in perspective, `height` by SIZE: in line, shifted, or as a chequerboard."""
    down = np.arange(height, dtype=np.float32)[:, None] + 150  # below the vanishing point
    across = np.arange(SIZE, dtype=np.float32)[None] - SIZE / 2 + rng.uniform(-30, 30)
    kind, near, wide = rng.integers(3), height + 150, rng.uniform(68, 84)
    row = near**2 / rng.uniform(38, 46) / down + rng.uniform(0, 1)
    column = across / down * near / wide + 0.5 * (np.floor(row) % 2) * (kind == 1) + 20
    gap_down = np.abs((row + 0.5) % 1 - 0.5) / np.abs(np.gradient(row[:, 0]))[:, None]
    gap_across = np.abs((column + 0.5) % 1 - 0.5) * wide * down / near
    gap = np.minimum(gap_down, gap_across)
    first, second = np.broadcast_arrays(row.astype(int), column.astype(int))
    tone = rng.uniform(0.94, 1.05, (64, 64))[first % 64, second % 64]
    if kind == 2:
        tone = 0.97 + (tone - 0.97) * 0.4 + np.where((first + second) % 2, 0.06, -0.07)
    mottle = 0.95 + 0.1 * noise(rng, height, SIZE, 14, 26)
    rim = 1 - 0.24 * np.clip(1.6 - gap, 0, 1) * (down - 90) / (near - 90)
    stone = jitter(rng, STONES[rng.integers(len(STONES))], 0.03)
    up = np.full(height, GROUND_UP, np.float32)
    return _plane(tone * mottle * rim, np.tile(stone, (height, 1)), up)


def _plane(pattern: np.ndarray, color: np.ndarray, up: np.ndarray) -> Draw:
    """An opaque surface that ends at the lower rim of the canvas.

    pattern: brightness [H, SIZE]; color: of each row [H, 3]; up: by which share a row faces the
    ceiling [H].
    """
    height = len(pattern)
    pattern = pattern.astype(np.float32)
    line = (np.arange(SIZE, dtype=np.float32) / SIZE - 0.5) * FALLOFF
    down = line[SIZE - height :]

    def draw(light: Light) -> np.ndarray:
        level = 1 + SOFTEN * (lit(light, light.z * np.sqrt(1 - up * up) - light.y * up) - 1)
        glow = np.float32(1.04) + light.x * line + light.y * down[:, None]
        glow *= pattern
        rows = color * level[:, None] * (1 + SOFTEN * (np.array(light.tint, np.float32) - 1))
        out = np.ones((height, SIZE, 4), np.float32)
        for channel in range(3):
            np.minimum(glow * rows[:, channel, None], 1, out=out[..., channel])
        return out

    return draw
