"""The furniture of a festive room: wall and floor, window, bookshelves, chairs, table.

Each maker draws its random choices at once and gives back a drawing that depends on the light
alone.
"""

from __future__ import annotations

import numpy as np

from .paint import Light, Tile, box, circle, ellipse, noise, polygon, segment
from .surfaces import Draw, facing, jitter, lit, stamp

WALLS = {
    "green": (0.56, 0.72, 0.55),
    "blue": (0.52, 0.68, 0.84),
    "yellow": (0.96, 0.82, 0.48),
    "pink": (0.95, 0.72, 0.73),
    "grey": (0.66, 0.67, 0.69),
    "white": (0.95, 0.93, 0.89),
}
FLOORS = ((0.80, 0.70, 0.58), (0.62, 0.50, 0.42), (0.74, 0.72, 0.70), (0.70, 0.58, 0.48))
WOODS = ((0.84, 0.60, 0.34), (0.72, 0.46, 0.26), (0.60, 0.37, 0.22), (0.91, 0.72, 0.46))
WHITE = (0.98, 0.97, 0.95)
MAROON = (0.52, 0.15, 0.17)
BOOKS = (
    (0.93, 0.78, 0.42),
    (0.36, 0.58, 0.62),
    (0.90, 0.48, 0.34),
    (0.94, 0.90, 0.80),
    (0.38, 0.45, 0.66),
    (0.62, 0.72, 0.48),
)


def wall(rng: np.random.Generator, color: str, floor_y: float, size: int) -> Draw:
    """Wall, skirting board and plank floor, [size, size]."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    pattern = (
        np.zeros_like(x),
        0.03 * np.tanh(3 * np.sin(x * 2 * np.pi / rng.uniform(28, 40))),
        0.035 * np.sin(x * 2 * np.pi / 26) * np.sin(y * 2 * np.pi / 26),
        -0.06 * np.clip(1 - np.abs(x % 64 - 32) / 1.5, 0, 1),
    )[rng.integers(4)]
    paper = (1 + pattern)[..., None] * np.float32(jitter(rng, WALLS[color], 0.03))
    plank = (x - size * rng.uniform(0.3, 0.7)) / np.maximum(y - floor_y + 90, 60) * 5 + 40
    seam = np.clip(1 - np.abs(plank % 1 - 0.5) * 36, 0, 1)
    tones = rng.uniform(0.95, 1.03, 80).astype(np.float32)[np.clip(plank + 0.5, 0, 79).astype(int)]
    wood = np.float32(jitter(rng, FLOORS[rng.integers(len(FLOORS))], 0.04))
    boards = (tones * (1 - 0.16 * seam))[..., None] * wood
    below = np.clip(y - floor_y + 0.5, 0, 1)[..., None]
    skirting = np.clip(5.5 - np.abs(y - floor_y + 5), 0, 1)[..., None]
    line = 1 - 0.3 * np.clip(1.5 - np.abs(y - floor_y), 0, 1) - 0.1 * np.clip(
        1.5 - np.abs(y - floor_y + 10.5), 0, 1
    )
    upright = (paper + (np.float32(WHITE) - paper) * skirting) * (1 - below) * line[..., None]
    floor = boards * below * line[..., None]

    def draw(light: Light) -> np.ndarray:
        slope = (light.x * (x - size / 2) + light.y * (y - size / 2)) / size
        glow = lit(light, light.z) * (1.04 + 0.26 * slope)
        out = np.ones((size, size, 4), np.float32)
        tinted = (upright + floor * facing(light)) * np.float32(light.tint)
        out[..., :3] = np.clip(tinted * glow[..., None], 0, 1)
        return out

    return draw


def window(rng: np.random.Generator, width: int, height: int) -> Draw:
    """A window of four panes with a snowy view."""
    frame = jitter(rng, (WHITE, WHITE, WOODS[1], WOODS[2])[rng.integers(4)], 0.03)
    arched = rng.random() < 0.35
    view = _WinterView(rng, width / 2 - 8, height / 2 - 12)

    def draw(light: Light) -> np.ndarray:
        tile = Tile(height, width, light)
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
        sill = box(x, tile.y - height / 2 + 6, width / 2 - 0.5, 5, 2.5)
        tile.shadow(sill - 1, 0.25, 3)
        tile.paint(sill, frame, bulge=4, edge=0.25)
        return tile.rgba()

    return draw


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

    def paint(self, tile: Tile, glass: np.ndarray):
        hx, hy = self.half
        x, y = tile.x, tile.y
        fade = np.clip((y + hy) / (2 * hy), 0, 1)[..., None]
        sky = np.float32(self.sky) * 1.06 + fade * 0.14
        tile.paint(glass, np.minimum(sky, 1.1), bulge=0, edge=0.15)
        for index, (middle, low) in enumerate(self.hills):
            hill = np.maximum(ellipse(x - middle, y - low - hy, hx * 1.7, hy), glass)
            tile.paint(hill, ((0.86, 0.92, 1.0), (1.08, 1.08, 1.08))[index], bulge=8, edge=0.04)
            if index == 0:
                self._paint_firs(tile, glass)
        flakes = np.minimum.reduce([circle(x - fx, y - fy, 1.9) for fx, fy in self.flakes])
        tile.paint(np.maximum(flakes, glass), (1.15, 1.15, 1.15), bulge=0, edge=0)

    def _paint_firs(self, tile: Tile, glass: np.ndarray):
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


def bookshelves(rng: np.random.Generator, width: int, height: int) -> Draw:
    """A tall case of maroon wood with rows of books; one box field holds all the books."""
    wood = jitter(rng, MAROON, 0.08)
    rows = max(3, round(height / rng.uniform(38, 46)))
    inner_w, inner_h = width - 14, height - 22
    pitch = inner_h / rows
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    books, color = np.full((height, width), 9.0, np.float32), np.zeros((height, width, 3), np.float32)
    for row in range(rows):
        floor = 9 + (row + 1) * pitch - 4
        left, right = 8.0, 7 + inner_w - rng.choice((0, 0, 14))
        while left < right - 6:
            wide = min(rng.uniform(7, 12), right - left)
            tall = (pitch - 8) * rng.uniform(0.72, 0.97)
            one = box(x - left - wide / 2, y - floor + tall / 2, wide / 2 - 0.4, tall / 2, 1.5)
            color[one < books] = jitter(rng, BOOKS[rng.integers(len(BOOKS))], 0.06)
            books = np.minimum(books, one)
            left += wide

    def draw(light: Light) -> np.ndarray:
        tile = Tile(height, width, light)
        top = tile.y + (height - 1) / 2
        case = box(tile.x, tile.y, width / 2 - 2.5, height / 2 - 0.5, 3)
        tile.paint(case, wood, bulge=5, edge=0.25)
        hollow = box(tile.x, top - 9 - inner_h / 2, inner_w / 2, inner_h / 2, 1.5)
        tile.paint(hollow, np.multiply(wood, 0.5), bulge=0, edge=0)
        tile.shadow(books - 1, 0.35, 3)
        tile.paint(books, color, bulge=3, edge=0.22)
        nearest = np.clip(np.round((top - 9) / pitch), 1, rows - 1) * pitch + 9
        boards = box(tile.x, top - nearest + 1, inner_w / 2 + 1, 3, 1)
        tile.paint(boards, wood, bulge=3, edge=0.2)
        crown = box(tile.x, top - 5, width / 2 - 0.5, 4.5, 2.5)
        tile.paint(crown, wood, bulge=4, gloss=0.1, edge=0.25)
        return tile.rgba()

    return draw


def chairs(rng: np.random.Generator, apart: int, height: int) -> Draw:
    """Two equal white chairs, `apart` pixels from middle to middle."""
    width = int(rng.integers(56, 64))
    white = jitter(rng, WHITE, 0.015)
    back = (_slats, _ladder, _oval, _solid)[rng.integers(4)]
    rest = height * 0.55  # the back is this high; the seat comes below it

    def draw(light: Light) -> np.ndarray:
        tile = Tile(height, width, light)
        x, y = tile.x, tile.y + (height - 1) / 2
        half = width / 2 - 4
        near = np.minimum.reduce(
            [segment(x, y, s * (half - 3), rest, s * (half - 1), height - 5, 4) for s in (-1, 1)]
        )
        far = np.minimum.reduce(
            [segment(x, y, s * (half - 11), rest, s * (half - 11), height - 14, 3) for s in (-1, 1)]
        )
        tile.paint(far, np.multiply(white, 0.82), bulge=4)
        tile.paint(near, white, bulge=5)
        tile.paint(back(x, y, half - 1, rest), white, bulge=5, edge=0.3)
        seat = box(x, y - rest - 4, half + 2, 7, 5)
        tile.shadow(seat - 2, 0.25, 4)
        tile.paint(seat, white, bulge=6, edge=0.25)
        canvas = np.zeros((height, width + apart, 4), np.float32)
        one = tile.rgba()
        canvas[:, :width] = one
        canvas[:, apart:] = one
        return canvas

    return draw


def _frame(x, y, half, rest, round_by=14):
    return box(x, y - rest / 2 - 4, half, rest / 2 + 3, round_by)


def _slats(x, y, half, rest):
    frame = _frame(x, y, half, rest)
    bars = np.abs((x + 50) % 14 - 7 - 50 % 7) - 2.6
    bars = np.abs(np.abs(x) - 8) - 2.8
    return np.minimum(np.abs(frame + 4) - 4, np.maximum(bars, frame + 3))


def _ladder(x, y, half, rest):
    frame = _frame(x, y, half, rest, 10)
    rungs = np.abs((y - 12) % 20 - 10) - 4
    posts = np.abs(np.abs(x) - half + 4) - 4
    return np.maximum(np.minimum(rungs, posts), frame)


def _oval(x, y, half, rest):
    oval = ellipse(x, y - rest * 0.42, half, rest * 0.42)
    pad = oval + 11
    posts = np.abs(np.abs(x) - half * 0.5) - 3.5
    posts = np.maximum(posts, np.abs(y - rest * 0.88) - rest * 0.12)
    return np.minimum(np.minimum(np.abs(oval + 4) - 4, pad), np.maximum(posts, -oval))


def _solid(x, y, half, rest):
    frame = _frame(x, y, half, rest, 20)
    heart = np.minimum(ellipse(x, y - rest * 0.3, 8, 5), 99)
    return np.maximum(frame, -heart)


def table(rng: np.random.Generator, width: int, height: int, depth: int) -> Draw:
    """A wooden table: a top `depth` pixels deep seen from above, edge, apron and four legs."""
    wood = np.float32(jitter(rng, WOODS[rng.integers(len(WOODS))], 0.04))
    grain = 0.94 + 0.12 * noise(rng, height, width, 3.5, 60)
    color = grain[..., None] * wood
    foot, drawer = rng.uniform(4, 7), rng.random() < 0.4
    inset = rng.uniform(12, 22)

    def draw(light: Light) -> np.ndarray:
        tile = Tile(height, width, light)
        x, y, half = np.abs(tile.x), tile.y + (height - 1) / 2, width / 2 - 1
        far = box(x - half + 34, y - height / 2, 5, height / 2 - 12, 2)
        tile.paint(far, color * 0.7, bulge=4)
        leg = [(half - 24, depth), (half - 6, depth), (half - 8, height - 1), (half - 8 - 2 * foot, height - 1)]
        tile.paint(polygon(x, y, leg), color, bulge=5, edge=0.25)
        apron = box(x, y - depth - 13, half - 8, 11, 2)
        tile.paint(apron, color * 0.92, bulge=4, edge=0.2)
        if drawer:
            tile.paint(np.abs(box(x, y - depth - 15, 26, 6, 2)) - 0.8, color * 0.6, bulge=0)
            tile.paint(circle(x, y - depth - 15, 3.2), (0.95, 0.8, 0.45), bulge=3, gloss=0.4)
        board = box(x, y - depth - 2, half, 6, 3)
        tile.shadow(board - 3, 0.3, 5)
        tile.paint(board, color, bulge=4, gloss=0.1, edge=0.25)
        top = polygon(x, y, [(-9, 0), (half - inset, 0), (half, depth - 1), (-9, depth - 1)])
        tile.paint(top, color * 1.06 * facing(light, 0.7), bulge=0, edge=0.12)
        return tile.rgba()

    return draw
