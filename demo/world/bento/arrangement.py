"""Bento boxes seen from straight above, on a wood table or a cloth."""

from __future__ import annotations

import numpy as np

from ..paint import Light, box, noise
from ..relief import Draw, Relief, jitter, lit
from ..scene import SIZE, Placed
from .foods import FOODS

KINDS = ("cloth", "bento box", *FOODS)

WOODS = ((0.86, 0.64, 0.42), (0.74, 0.5, 0.31), (0.9, 0.74, 0.54), (0.64, 0.42, 0.27))
# cloth -> (colour, colour of its pattern)
CLOTHS = {
    "blue": ((0.36, 0.55, 0.78), (0.86, 0.92, 0.97)),
    "green": ((0.45, 0.66, 0.48), (0.9, 0.95, 0.86)),
    "red": ((0.82, 0.32, 0.3), (0.98, 0.88, 0.84)),
    "white": ((0.96, 0.95, 0.92), (0.83, 0.84, 0.86)),
}
# lacquer -> (body, inside)
BOXES = {
    "black": ((0.15, 0.13, 0.14), (0.64, 0.13, 0.11)),
    "wood": ((0.4, 0.23, 0.14), (0.56, 0.36, 0.22)),
    "cream": ((0.98, 0.91, 0.79), (0.9, 0.76, 0.6)),
    "navy": ((0.16, 0.22, 0.38), (0.3, 0.38, 0.56)),
}
# number of compartments -> how they can lie: (in columns instead of rows, number in each);
# three side by side run along the width only, or they would be too small to read
LAYOUTS = {
    3: ((False, (1, 2)), (True, (1, 2))),
    4: ((False, (2, 2)), (True, (2, 2)), (False, (1, 3))),
    5: ((False, (2, 3)), (True, (1, 2, 2))),
    6: ((False, (3, 3)), (True, (2, 2, 2))),
}
TEMPLATES = (
    "a bento box with {foods} on a {ground}",
    "a bento box with {foods} on a {ground}",
    "on a {ground}, a bento box with {foods}",
    "a {ground} with a bento box of {foods}",
)
# the paper's four foods come more often than the two that fill larger boxes
SHARES = np.array([0.6 if food in ("broccoli", "tomatoes") else 1.0 for food in FOODS])
SHARES /= SHARES.sum()
EMPTY = 0.08  # share of the boxes with more than three compartments that leave the smallest empty
RIM, DIVIDER = 9.5, 6.0
WALL, DEPTH = 5.0, 8.0  # of a compartment: width of its slanting wall, and its depth

Compartment = tuple[float, float, float, float]  # centre x, y and half sizes, from the box's middle


def arrange(rng: np.random.Generator) -> tuple[str, list[Placed]]:
    """Caption and things, bottom to top."""
    ground = _ground(rng)
    count = int(rng.choice((3, 4, 5, 6), p=(0.25, 0.35, 0.22, 0.18)))
    # cream would be lost on white
    lacquer = str(rng.choice([n for n in BOXES if (n, ground.color) != ("cream", "white")]))
    width = int(rng.integers(212, 237))
    height = int(rng.integers(170, 216))
    rooms = _compartments(rng, count, width, height)
    x, y = (SIZE / 2 + rng.uniform(-1, 1) * (SIZE - size) * 0.28 for size in (width, height))
    box_draw = _draw_box(rng, lacquer, width, height, rooms)
    placed = [ground, Placed("bento box", "", "bento box", box_draw, x, y, lift=10.0)]
    if count > 3 and rng.random() < EMPTY:
        rooms = sorted(rooms, key=lambda room: room[2] * room[3])[1:]
    kinds = rng.choice(list(FOODS), len(rooms), replace=False, p=SHARES)
    for kind, (cx, cy, hx, hy) in zip(kinds, rooms, strict=True):
        phrase, draw = FOODS[kind](rng, round(2 * hx) - 3, round(2 * hy) - 3)
        placed.append(Placed(str(kind), "", phrase, draw, x + cx, y + cy, lift=4.0))
    named = rng.permutation([thing.phrase for thing in placed[2:]])
    foods = ", ".join(named[:-1]) + " and " + named[-1]
    template = TEMPLATES[rng.integers(len(TEMPLATES))]
    return template.format(foods=foods, ground=ground.phrase), placed


def _compartments(rng, count: int, width: int, height: int) -> list[Compartment]:
    """Rows or columns of compartments with uneven shares, in random order."""
    choices = LAYOUTS[count]
    upright, numbers = choices[rng.integers(len(choices))]
    along, across = (width, height) if upright else (height, width)
    rooms = []
    numbers = rng.permutation(numbers)
    for (far, thick), number in zip(_split(rng, len(numbers), along), numbers, strict=True):
        for side, wide in _split(rng, int(number), across):
            rooms.append((far, side, thick, wide) if upright else (side, far, wide, thick))
    return [rooms[i] for i in rng.permutation(len(rooms))]


def _split(rng, number: int, length: float) -> list[tuple[float, float]]:
    """Cut a side of the box into parts with dividers between: (centre, half size) of each."""
    room = length - 2 * RIM - (number - 1) * DIVIDER
    shares = 1 + rng.uniform(-1, 1, number) * (0.14 if number == 2 else 0.06)
    sizes = room * shares / shares.sum()
    starts = np.cumsum(sizes + DIVIDER) - sizes - DIVIDER + RIM - length / 2
    return [(float(a + size / 2), float(size / 2)) for a, size in zip(starts, sizes, strict=True)]


def _draw_box(rng, lacquer: str, width: int, height: int, rooms: list[Compartment]) -> Draw:
    body, inside = (jitter(rng, color, 0.05) for color in BOXES[lacquer])
    if lacquer == "wood":
        grain = _grain(rng, height, width)[..., None]
        body, inside = body * grain, inside * grain
    relief = Relief(height, width)
    outer = box(relief.x, relief.y, width / 2 - 0.5, height / 2 - 0.5, rng.uniform(16, 26))
    relief.paint(outer, body, bulge=6, gloss=0.3, edge=0.15)
    hollow = _nearest(relief, rooms, 0.0, 0.0)
    # the wall of a hollow turns towards its middle, where the rim of a bulge turns away
    gy, gx = np.gradient(hollow)
    wall = 0.9 * np.clip(1 + hollow / WALL, 0, 1)
    facing = (-gx * wall, -gy * wall, np.sqrt(1 - wall**2))
    relief.paint(hollow, inside, bulge=0, gloss=0.08, edge=0.25, facing=facing)

    def draw(light: Light) -> np.ndarray:
        rgba = relief.draw(light)
        throw = DEPTH / light.z
        lighted = _nearest(relief, rooms, -light.x * throw, -light.y * throw * 0.7)
        floor = np.clip(0.5 - hollow, 0, 1)
        rgba[..., :3] *= (1 - 0.45 * np.clip(0.5 + lighted / 5, 0, 1) * floor)[..., None]
        return rgba

    return draw


def _nearest(relief: Relief, rooms: list[Compartment], dx: float, dy: float) -> np.ndarray:
    """Distance to the compartments, each moved by (dx, dy) within the ground it stands on."""
    distance = np.full(relief.x.shape, 1e3, np.float32)
    middle_y, middle_x = (np.array(distance.shape) - 1) / 2
    for cx, cy, hx, hy in rooms:
        reach_x, reach_y = hx + DIVIDER / 2, hy + DIVIDER / 2
        rows = slice(int(middle_y + cy - reach_y), int(middle_y + cy + reach_y) + 2)
        cols = slice(int(middle_x + cx - reach_x), int(middle_x + cx + reach_x) + 2)
        x, y = relief.x[rows, cols] - (cx + dx), relief.y[rows, cols] - (cy + dy)
        np.minimum(distance[rows, cols], box(x, y, hx, hy, 9), out=distance[rows, cols])
    return distance


# ---- what the box stands on --------------------------------------------------------------------


def _ground(rng) -> Placed:
    """A wood table or a cloth over the whole canvas."""
    if rng.random() < 0.4:
        kind, color, phrase = "table", "", "wood table"
        albedo, relief = _planks(rng), None
    else:
        color = str(rng.choice(list(CLOTHS)))
        kind, phrase = "cloth", f"{color} cloth"
        albedo = _woven(rng, *CLOTHS[color])
        relief = np.gradient(noise(rng, SIZE, SIZE, *rng.permutation((70, 110))) * 40)
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE - 0.5

    def draw(light: Light) -> np.ndarray:
        # brighter towards the light
        level = lit(light, light.z) * (1 + 0.16 * (x * light.x + y * light.y))
        if relief is not None:
            level = level - 0.16 * (relief[1] * light.x + relief[0] * light.y)
        rgba = np.ones((SIZE, SIZE, 4), np.float32)
        tint = np.asarray(light.tint, np.float32)
        np.multiply(albedo, level[..., None] * tint, out=rgba[..., :3])
        return np.minimum(rgba, 1, out=rgba)

    return Placed(kind, color, phrase, draw, SIZE / 2, SIZE / 2, lift=0.0)


def _grain(rng, height: int, width: int) -> np.ndarray:
    """Brightness of wood with its grain along x."""
    broad = noise(rng, height, width, 9, 130)
    return 0.86 + 0.18 * broad + 0.1 * noise(rng, height, width, 3, 60)


def _planks(rng) -> np.ndarray:
    """Boards with grain and seams, [256, 256, 3]."""
    color = np.array(WOODS[rng.integers(len(WOODS))], np.float32)
    board = int(rng.integers(44, 76))
    across = np.arange(SIZE) + int(rng.integers(board))
    tones = rng.uniform(0.93, 1.06, SIZE // board + 3)[across // board]
    seam = np.clip(np.abs(across % board - board / 2) - board / 2 + 2.2, 0, 1)
    shade = _grain(rng, SIZE, SIZE) * (tones * (1 - 0.3 * seam))[:, None]
    if rng.random() < 0.4:
        shade = shade.T
    # darker grain is also redder, as in real wood
    return color * shade.astype(np.float32)[..., None] ** np.asarray((0.85, 1.0, 1.15), np.float32)


def _woven(rng, color, pattern) -> np.ndarray:
    """A plain, striped or checked cloth, [256, 256, 3]."""
    style = rng.choice(("plain", "stripes", "check"))
    width = rng.uniform(26, 40)
    at = (np.arange(SIZE, dtype=np.float32) + rng.uniform(0, width)) % width
    bands = np.clip(0.5 + np.abs(at - width / 2) - width / 4, 0, 1)
    amount = np.zeros((SIZE, SIZE), np.float32)
    if style == "check":
        amount += 0.32 * (bands[:, None] + bands)
    elif style == "stripes":
        amount += 0.62 * (bands if rng.random() < 0.5 else bands[:, None])
    weave = 0.98 + 0.04 * noise(rng, SIZE, SIZE, 3, 3)[..., None]
    base = np.asarray(color, np.float32) + np.asarray(rng.uniform(-0.03, 0.03, 3), np.float32)
    return (base + (np.asarray(pattern, np.float32) - base) * amount[..., None]) * weave
