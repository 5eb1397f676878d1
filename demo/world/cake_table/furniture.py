"""The furniture around the cakes: bookshelves, chairs and table.

Each maker draws its random choices at once and gives back a drawing that depends on the light
alone.
"""

from __future__ import annotations

import numpy as np

from ..paint import Light, box, circle, ellipse, noise, polygon, segment
from ..relief import Draw, Relief, jitter, upward

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


def bookshelves(rng: np.random.Generator, width: int, height: int) -> Draw:
    """A tall case of maroon wood with rows of books."""
    wood = jitter(rng, MAROON, 0.05)
    rows = max(3, round(height / rng.uniform(38, 46)))
    inner_w, inner_h = width - 14, height - 22
    pitch = inner_h / rows
    books = np.full((height, width), 9.0, np.float32)
    color = np.zeros((height, width, 3), np.float32)
    bindings = [jitter(rng, binding, 0.08) for binding in BOOKS]
    for row in range(rows):
        _shelve(rng, bindings, books, color, 9 + (row + 1) * pitch - 4, pitch - 8)
    tile = Relief(height, width)
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
    return tile.draw


def _shelve(rng, bindings, books: np.ndarray, color: np.ndarray, floor: float, room: float):
    """Put one row of books into a field of distances and their colours, in place."""
    left, right = 8.0, books.shape[1] - 7 - float(rng.choice((0, 0, 14)))
    rows = slice(int(floor - room) - 2, int(floor) + 4)
    y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
    while left < right - 6:
        wide = min(rng.uniform(7, 12), right - left)
        tall = room * rng.uniform(0.72, 0.97)
        cols = slice(int(left) - 2, int(left + wide) + 4)
        x = np.arange(cols.start, cols.stop, dtype=np.float32)
        one = box(x - left - wide / 2, y - floor + tall / 2, wide / 2 - 0.4, tall / 2, 1.5)
        nearest = one < books[rows, cols]
        color[rows, cols][nearest] = bindings[rng.integers(len(bindings))]
        books[rows, cols][nearest] = one[nearest]
        left += wide


def chairs(rng: np.random.Generator, apart: int, height: int) -> Draw:
    """Two equal white chairs, `apart` pixels from middle to middle."""
    width = int(rng.integers(56, 64))
    white = jitter(rng, WHITE, 0.015)
    back = (_slats, _ladder, _oval, _solid)[rng.integers(4)]
    rest = height * 0.55  # the back is this high; the seat comes below it

    tile = Relief(height, width)
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
    tile.paint(back(x, y, half - 1, rest), white, bulge=5, edge=0.25)
    seat = box(x, y - rest - 4, half + 2, 7, 5)
    tile.shadow(seat - 2, 0.25, 4)
    tile.paint(seat, white, bulge=6, edge=0.25)

    def draw(light: Light) -> np.ndarray:
        pair = np.zeros((height, width + apart, 4), np.float32)
        pair[:, :width] = pair[:, apart:] = tile.draw(light)
        return pair

    return draw


def _frame(x, y, half, rest, round_by=14):
    return box(x, y - rest / 2 - 4, half, rest / 2 + 3, round_by)


def _slats(x, y, half, rest):
    frame = _frame(x, y, half, rest)
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
    return np.maximum(_frame(x, y, half, rest, 20), -ellipse(x, y - rest * 0.3, 8, 5))


def table(rng: np.random.Generator, width: int, height: int, depth: int) -> Draw:
    """A wooden table: a top `depth` pixels deep seen from above, edge, apron and four legs."""
    wood = np.float32(jitter(rng, WOODS[rng.integers(len(WOODS))], 0.04))
    grain = 0.94 + 0.12 * noise(rng, height, width, 3.5, 60)
    color = grain[..., None] * wood
    foot, drawer = rng.uniform(4, 7), rng.random() < 0.4
    inset = rng.uniform(12, 22)

    tile = Relief(height, width)
    x, y, half = np.abs(tile.x), tile.y + (height - 1) / 2, width / 2 - 1
    far = box(x - half + 36, y - height / 2, 5, height / 2 - 12, 2)
    tile.paint(far, color * 0.7, bulge=4)
    leg: list[tuple[float, float]] = [(half - 24, depth), (half - 6, depth), (half - 8, height - 1)]
    leg.append((half - 8 - 2 * foot, height - 1))
    tile.paint(polygon(x, y, leg), color, bulge=5, edge=0.25)
    apron = box(x, y - depth - 11, half - 8, 9, 2)
    tile.paint(apron, color * 0.92, bulge=4, edge=0.2)
    if drawer:
        tile.paint(np.abs(box(x, y - depth - 13, 26, 5, 2)) - 0.8, color * 0.6, bulge=0)
        tile.paint(circle(x, y - depth - 13, 3), (0.95, 0.8, 0.45), bulge=3, gloss=0.4)
    board = box(x, y - depth - 2, half, 6, 3)
    tile.shadow(board - 3, 0.3, 5)
    tile.paint(board, color, bulge=4, gloss=0.1, edge=0.25)
    top = polygon(x, y, [(-9, 0), (half - inset, 0), (half, depth - 1), (-9, depth - 1)])
    tile.paint(top, color * 1.06, bulge=0, edge=0.12, facing=upward(0.7))
    return tile.draw
