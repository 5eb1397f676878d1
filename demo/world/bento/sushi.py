"""Sushi from above: a row of nigiri, or rounds of maki."""

from __future__ import annotations

import numpy as np

from ..paint import box, circle
from ..relief import Draw, Relief
from .filling import bumps, cell, grid, part, turned

RICE = np.array((1.0, 0.98, 0.93), np.float32)
GRAIN = (5.0, 2.7, 0.45)  # length, radius and strength of the bumps of cooked rice
NORI = (0.16, 0.22, 0.17)
# topping -> (flesh, vein, pixels from vein to vein)
TOPPINGS = {
    "salmon": ((1.0, 0.5, 0.25), (1.0, 0.85, 0.7), 10.5),
    "tuna": ((0.8, 0.13, 0.2), (0.93, 0.4, 0.41), 16.0),
    "egg": ((1.0, 0.78, 0.26), (1.0, 0.89, 0.48), 26.0),
}
CUCUMBER = (0.52, 0.77, 0.33)
FILLINGS = (CUCUMBER, CUCUMBER, TOPPINGS["salmon"][0], TOPPINGS["egg"][0])
LOOKS = {"salmon": 0.3, "tuna": 0.2, "egg": 0.2, "maki": 0.18, "mixed": 0.12}
NAMED = 0.55  # share of the toppings that the caption names


def sushi(rng: np.random.Generator, width: int, height: int) -> tuple[str, Draw]:
    """Nigiri with one topping or several, or maki."""
    look = str(rng.choice(list(LOOKS), p=list(LOOKS.values())))
    named = look in TOPPINGS and rng.random() < NAMED
    relief = Relief(height, width)
    if look == "maki":
        _maki_rounds(relief, rng)
    else:
        _nigiri_row(relief, rng, look)
    return (f"{look} sushi" if named else "sushi"), relief.draw


def _nigiri_row(relief: Relief, rng, look: str) -> None:
    height, width = relief.x.shape
    lying, count, half_width, half_length = _row(width, height)
    slant = rng.uniform(3, 9) * rng.choice((-1, 1)) + (90 if lying else 0)
    for i in range(count):
        offset = (height if lying else width) * ((i + 0.5) / count - 0.5)
        x, y = (0, offset) if lying else (offset, 0)
        topping = look if look in TOPPINGS else list(TOPPINGS)[i % len(TOPPINGS)]
        piece = part(relief, x, y + rng.uniform(-1, 1), half_length + 6)
        _nigiri(piece, rng, slant + rng.normal(0, 2), half_width, half_length, topping)


def _row(width: int, height: int) -> tuple[bool, int, float, float]:
    """The two to four nigiri that fill the area best: lying across it?, number, half sizes."""
    rows = []
    for lying, along, across in ((False, width, height), (True, height, width)):
        for count in (2, 3, 4):
            half_length = across / 2 - 4
            half_width = min(along / count / 2 - 2, half_length / 1.5)
            rows.append((lying, count, half_width, min(half_length, half_width * 2.3)))
    # a few large pieces read better than many small ones
    return max(rows, key=lambda row: row[1] ** 0.6 * row[2] * row[3])


def _nigiri(piece: Relief, rng, angle, half_width, half_length, topping: str) -> None:
    u, v = turned(piece, angle)
    base = box(u, v, half_width * 0.92, half_length, half_width * 0.85)
    bright, facing = bumps(piece, rng, *GRAIN)
    piece.shadow(base - 1.5, 0.35, 5)
    piece.paint(base, RICE * bright, bulge=8, edge=0.14, facing=facing)
    bent = u + 0.003 * v * v - 1
    top = box(bent, v, half_width, half_length * 0.86, half_width * 0.6)
    flesh, vein, period = TOPPINGS[topping]
    along = v + 0.5 * bent + 0.014 * bent * bent + rng.uniform(0, period)
    veins = np.clip(np.cos(along * (2 * np.pi / period)) * 2.6 - 1.3, 0, 1)[..., None]
    color = np.asarray(flesh, np.float32) * (1 - veins) + np.asarray(vein, np.float32) * veins
    piece.shadow(top - 1.5, 0.28, 4)
    piece.paint(top, color, bulge=half_width * 0.75, gloss=0.2, edge=0.2)
    if topping == "egg":
        band = box(bent, v, half_width + 0.6, half_length * 0.2, 2)
        # the band follows the curve of the omelette below it
        piece.paint(np.maximum(top - 0.8, band), NORI, bulge=half_width * 0.7, gloss=0.1, edge=0.1)


def _maki_rounds(relief: Relief, rng) -> None:
    height, width = relief.x.shape
    size = 44 if max(width, height) > 66 else 34  # never a single round
    radius = cell(width, height, size) / 2 - 0.5
    filling = FILLINGS[rng.integers(len(FILLINGS))]
    for x, y in grid(width, height, size):
        piece = part(relief, x, y, radius + 4)
        roll = circle(piece.x, piece.y, radius)
        piece.shadow(roll - 1.5, 0.4, 5)
        piece.paint(roll, NORI, bulge=4, gloss=0.2, edge=0.1)
        bright, facing = bumps(piece, rng, *GRAIN)
        piece.paint(roll + 4.2, RICE * bright, bulge=4, edge=0.18, facing=facing)
        u, v = turned(piece, rng.uniform(0, 90))
        core = box(u, v, radius * 0.4, radius * 0.36, radius * 0.2)
        piece.paint(core, filling, bulge=4, gloss=0.12, edge=0.28)
