"""The cake table story: cakes on a wood table in a festive room, seen from the front."""

from __future__ import annotations

import numpy as np

from .. import backdrop
from ..scene import SIZE, Placed
from . import cakes, furniture

KINDS = ("window", "bookshelves", "chairs", "cakes")  # wall and table belong to the toys

TABLE_DEPTH = 30


def arrange(rng: np.random.Generator) -> tuple[str, list[Placed]]:
    present = _present(rng)
    color = str(rng.choice(list(backdrop.WALLS)))
    floor_y = rng.uniform(198, 208)
    behind = _place_behind(rng, present, floor_y)
    front = _place_front(rng, present)
    draw = backdrop.wall(rng, color, floor_y, SIZE)
    middle = SIZE / 2
    wall = Placed("wall", color, f"{color} wall", draw, middle, middle, lift=0)
    placed = [wall, *behind, *front]
    return _caption(placed), placed


def _present(rng: np.random.Generator) -> set[str]:
    """Which things stand in the room: at least two, and cakes only on a table."""
    while True:
        kinds = {kind for kind in KINDS if rng.random() < 0.78}
        if rng.random() < 0.95:
            kinds.add("table")
        else:
            kinds.discard("cakes")
        if len(kinds) >= 2:
            return kinds


def _place_behind(rng: np.random.Generator, present: set[str], floor_y: float) -> list[Placed]:
    """Window and bookshelves, on different sides of the wall when both are there."""
    side = rng.choice((-1, 1))
    placed = []
    if "window" in present:
        width, height = int(rng.integers(86, 112)), int(rng.integers(94, 116))
        aside = rng.uniform(32, 58) if "bookshelves" in present else rng.uniform(0, 60)
        draw = backdrop.window(rng, width, height)
        x, y = SIZE / 2 + side * aside, rng.uniform(62, 76)
        placed.append(Placed("window", "", "winter window", draw, x, y, lift=3))
    if "bookshelves" in present:
        width, height = int(rng.integers(84, 104)), int(rng.integers(142, 172))
        draw = furniture.bookshelves(rng, width, height)
        x, y = SIZE / 2 - side * rng.uniform(72, 78), floor_y + 4 - height / 2
        placed.append(Placed("bookshelves", "", "maroon bookshelves", draw, x, y, lift=4))
    return placed


def _place_front(rng: np.random.Generator, present: set[str]) -> list[Placed]:
    """Chairs behind the table, the table, and the cakes upon it."""
    middle, top = SIZE / 2 + rng.uniform(-12, 12), rng.uniform(166, 176)
    placed = []
    if "chairs" in present:
        height = int(rng.integers(124, 140))
        draw = furniture.chairs(rng, int(rng.integers(132, 152)), height)
        y = rng.uniform(226, 234) - height / 2
        placed.append(Placed("chairs", "", "white chairs", draw, middle, y, stands=True))
    if "table" in present:
        height = round(rng.uniform(244, 250) - top)
        draw = furniture.table(rng, int(rng.integers(196, 230)), height, TABLE_DEPTH)
        y = top + height / 2
        placed.append(Placed("table", "", "wood table", draw, middle, y, stands=True))
    if "cakes" in present:
        flavour = str(rng.choice(list(cakes.PALETTES)))
        draw, height = cakes.cake_pair(rng, flavour, rng.uniform(72, 86))
        x, y = middle + rng.uniform(-14, 14), top + TABLE_DEPTH - 8 - height / 2
        color = "pink" if flavour == "pink" else ""
        placed.append(Placed("cakes", color, f"{flavour} cakes", draw, x, y, stands=True))
    return placed


def _caption(placed: list[Placed]) -> str:
    """From front to back: "a room with a wood table, white chairs and ... before a green wall"."""
    order = ("table", "chairs", "cakes", "bookshelves", "window")
    phrases = {thing.kind: thing.phrase for thing in placed}
    named = [
        f"a {phrases[kind]}" if kind in ("table", "window") else phrases[kind]
        for kind in order
        if kind in phrases
    ]
    listed = f"{', '.join(named[:-1])} and {named[-1]}"
    return f"a room with {listed} before a {phrases['wall']}"
