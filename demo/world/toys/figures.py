"""The toys that are more than a solid: teddy bear, wood train, football."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..paint import box, circle, ellipse, noise, polygon, segment, smooth_union
from ..relief import Relief, jitter
from .solids import Toy, sphere

FURS = ((0.56, 0.36, 0.22), (0.84, 0.60, 0.32), (0.60, 0.58, 0.58), (0.93, 0.84, 0.68))
PALE_FUR = np.array((0.55, 0.52, 0.46), np.float32)  # mixed into the belly and the muzzle
ACCENTS = (
    (0.84, 0.22, 0.22),
    (0.20, 0.47, 0.76),
    (0.98, 0.76, 0.24),
    (0.30, 0.62, 0.44),
    (0.56, 0.36, 0.68),
)
DARK = (0.13, 0.11, 0.12)
WOODS = ((0.88, 0.68, 0.42), (0.93, 0.76, 0.52), (0.80, 0.57, 0.34))
LEATHER = np.array((0.97, 0.97, 0.95), np.float32)
BLACK = np.array((0.12, 0.12, 0.14), np.float32)
GOLDEN = (1 + np.sqrt(5)) / 2


def teddy_bear(rng: np.random.Generator, size: float) -> Toy:
    """A sitting bear, seen from the front."""
    fur = jitter(rng, FURS[rng.integers(len(FURS))], 0.05)
    return _Bear(rng, 1.18 * size / 100, fur).toy()


class _Bear:
    """Painted in units of a hundredth of its height, from the middle of the tile."""

    def __init__(self, rng: np.random.Generator, unit: float, fur: np.ndarray):
        self.unit = unit
        self.tile = Relief(round(104 * unit), round(88 * unit))
        self.x, self.y = self.tile.x / unit, self.tile.y / unit
        fuzz = noise(rng, len(self.x), self.x.shape[1], 3, 3)[..., None]
        self.fur = fur * (0.95 + 0.1 * fuzz)
        self.pale = fur * np.float32(0.45) + PALE_FUR
        self.accent = jitter(rng, ACCENTS[rng.integers(len(ACCENTS))], 0.04)
        self.scarf, self.raised = rng.random() < 0.45, rng.integers(3)
        self.nod = rng.uniform(-2.5, 2.5)

    def toy(self) -> Toy:
        self._body()
        self._head()
        return Toy.of(self.tile)

    def _paint(self, distance, color, bulge, **style):
        self.tile.paint(distance * self.unit, color, bulge=bulge * self.unit, **style)

    def _pair(self, x: float, y: float, rx: float, ry: float) -> np.ndarray:
        return ellipse(np.abs(self.x) - x, self.y - y, rx, ry)

    def _body(self):
        x, y = self.x, self.y
        self._paint(ellipse(x, y - 18, 25, 28), self.fur, 20)
        self._paint(ellipse(x, y - 20, 15, 17), self.pale, 10, edge=0.08)
        for side in (-1, 1):
            up = self.raised == (side + 1) // 2
            hand = (side * 33, -6) if up else (side * 29, 24)
            arm = segment(x, y, side * 18, 6, *hand, 8.5)
            self.tile.shadow((arm - 1) * self.unit, 0.2, 4)
            self._paint(arm, self.fur, 8)
        legs = self._pair(23, 36, 15, 14)
        self.tile.shadow((legs - 1) * self.unit, 0.25, 4)
        self._paint(legs, self.fur, 12)
        self._paint(self._pair(23.5, 37, 8.5, 8), self.pale, 5, edge=0.1)

    def _head(self):
        x, y = self.x - self.nod, self.y
        ears = ellipse(np.abs(x) - 21, y + 39, 10.5, 10.5)
        self._paint(ears, self.fur, 8)
        self._paint(ears + 4.5, self.pale, 4, edge=0.1)
        head = ellipse(x, y + 23, 28, 24.5)
        self.tile.shadow((head - 1.5) * self.unit, 0.3, 5)
        self._paint(head, self.fur, 22)
        self._paint(ellipse(x, y + 15.5, 13, 10), self.pale, 9, edge=0.08)
        smile = np.maximum(np.abs(circle(x, y + 16, 5)) - 0.9, 13 - y - 25)
        self._paint(smile, DARK, 0, edge=0)
        self._paint(ellipse(x, y + 20.5, 5, 3.8), DARK, 4, gloss=0.5, edge=0)
        eyes = ellipse(np.abs(x) - 11, y + 27, 3.2, 3.6)
        self._paint(eyes, DARK, 3, gloss=0.7, edge=0)
        if self.scarf:
            self._tie_scarf()
        else:
            self._tie_bow()

    def _tie_scarf(self):
        x, y = self.x, self.y
        tail = box(x - 12, y - 13, 5.5, 12, 2)
        band = np.maximum(np.abs(ellipse(x, y + 6, 25, 10)) - 4, -3 - y)
        both = np.minimum(tail, smooth_union(band, circle(x - 11, y - 3, 5.5), 3))
        self.tile.shadow((both - 1) * self.unit, 0.25, 4)
        self._paint(both, self.accent, 5)

    def _tie_bow(self):
        x, y = np.abs(self.x), self.y - 3
        wing = polygon(x, y, [(2, -1.5), (13, -6), (13, 6), (2, 1.5)]) - 2
        self.tile.shadow((wing - 1) * self.unit, 0.25, 4)
        self._paint(wing, self.accent, 5)
        self._paint(ellipse(x, y, 4.5, 5), self.accent, 4)


@dataclass(frozen=True)
class _Livery:
    wood: np.ndarray
    first: np.ndarray
    second: np.ndarray


def wood_train(rng: np.random.Generator, size: float) -> Toy:
    """A toy locomotive from the side, now and then with a wagon."""
    wagon = rng.random() < 0.4
    length = 132 if wagon else 88
    unit = size * (1.42 if wagon else 1.2) / length
    tile = Relief(round(72 * unit) + 2, round(length * unit) + 2)
    ways = rng.choice((-1, 1))
    wood = jitter(rng, WOODS[rng.integers(len(WOODS))], 0.04)
    grain = noise(rng, len(tile.x), tile.x.shape[1], 4, 30)[..., None]
    first, second = rng.choice(len(ACCENTS), 2, replace=False)
    livery = _Livery(
        wood * (0.93 + 0.12 * grain),
        jitter(rng, ACCENTS[first], 0.04),
        jitter(rng, ACCENTS[second], 0.04),
    )
    middle = -21 if wagon else 1
    engine = _Engine(tile, tile.x * ways / unit + middle, tile.y / unit - 36, unit, livery)
    if wagon:
        engine.wagon(loaded=rng.random() < 0.6)
    engine.body(domed=rng.random() < 0.6, banded=rng.random() < 0.6)
    return Toy.of(tile)


@dataclass(frozen=True)
class _Engine:
    """Painted in its own units: x to its front, y = 0 where the wheels stand."""

    tile: Relief
    x: np.ndarray
    y: np.ndarray
    unit: float
    livery: _Livery

    def paint(self, distance, color, bulge, **style):
        self.tile.paint(distance * self.unit, color, bulge=bulge * self.unit, **style)

    def box(self, x: float, y: float, hx: float, hy: float, soft: float = 2) -> np.ndarray:
        return box(self.x - x, self.y - y, hx, hy, soft)

    def body(self, *, domed: bool, banded: bool):
        x, y, look = self.x, self.y, self.livery
        self.paint(polygon(x, y, [(33, -14), (43, -3), (33, -3)]) - 1, look.second, 3)
        flare = [(15.0, -40.0), (25.0, -40.0), (28.0, -60.0), (12.0, -60.0)]
        self.paint(polygon(x, y, flare) - 1, look.first, 7)
        self.paint(self.box(20, -62, 11, 4), look.second, 4)
        if domed:
            self.paint(ellipse(x - 0.5, y + 43, 6.5, 8), look.second, 6, gloss=0.3)
        self.paint(self.box(9, -31, 25, 14, 5), look.wood, 14)
        if banded:
            self.paint(self.box(8, -31, 3, 14, 1), look.second, 12, edge=0.1)
        self.paint(self.box(33, -31, 4, 15, 3), look.first, 5)
        self.paint(self.box(-23, -37, 15, 24), look.first, 4)
        self.paint(self.box(-23, -46, 8.5, 8), (0.98, 0.90, 0.70), 0, edge=0.45)
        self.paint(self.box(-23, -64, 19, 4.5, 4), look.second, 5)
        self.paint(self.box(-2, -14, 37, 5), look.wood * np.float32(0.86), 4)
        self.wheels(((-23, 12.5), (5, 9.5), (25, 9.5)))

    def wagon(self, *, loaded: bool):
        look = self.livery
        self.paint(segment(self.x, self.y, -48, -13, -34, -13, 2.2), DARK, 2)
        if loaded:
            for place, color in ((-76, look.second), (-56, look.second), (-66, look.first)):
                high = 37 if place == -66 else 33
                self.paint(circle(self.x - place, self.y + high, 8.5), color, 9, gloss=0.3)
        else:
            self.paint(self.box(-66, -39, 15, 9), look.first, 6)
        self.paint(self.box(-66, -23, 20, 12), look.wood, 4)
        self.paint(self.box(-66, -26, 20, 3, 1), look.second, 2, edge=0.1)
        self.wheels(((-77, 9), (-55, 9)))

    def wheels(self, places: tuple[tuple[float, float], ...]):
        x, y, look = self.x, self.y, self.livery
        discs = np.minimum.reduce([circle(x - at, y + r, r) for at, r in places])
        self.tile.shadow((discs - 1) * self.unit, 0.3, 4)
        self.paint(discs, look.second, 3.5)
        hubs = np.minimum.reduce([circle(x - at, y + r, r * 0.5) for at, r in places])
        self.paint(hubs, look.wood * np.float32(1.04), 3, edge=0.3)


def football(rng: np.random.Generator, size: float) -> Toy:
    """The classic ball of black pentagons and white hexagons."""
    radius = 0.46 * size
    tile = Relief(round(2 * radius) + 2, round(2 * radius) + 2)
    normal = sphere(tile, radius)
    color = _leather(np.stack(normal, -1) @ _turned(rng), radius)
    tile.paint(circle(tile.x, tile.y, radius), color, bulge=0, gloss=0.3, facing=normal)
    return Toy.of(tile)


def _turned(rng: np.random.Generator) -> np.ndarray:
    """A random rotation [3, 3]."""
    matrix, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return matrix.astype(np.float32)


def _panels() -> tuple[np.ndarray, np.ndarray]:
    """Middles of the 12 pentagons and 20 hexagons, as unit vectors over their distance."""
    signs = [(a, b) for a in (-1, 1) for b in (-1, 1)]
    roll = [(0, 1, 2), (1, 2, 0), (2, 0, 1)]
    five = [np.array((0, a, b * GOLDEN))[list(r)] for a, b in signs for r in roll]
    six = [np.array((0, a * GOLDEN, b / GOLDEN))[list(r)] for a, b in signs for r in roll]
    six += [np.array((c, a, b)) for a, b in signs for c in (-1, 1)]
    pentagons = np.array(five, np.float32) / np.float32(np.sqrt(1 + GOLDEN**2) * 0.9393)
    return pentagons, np.array(six, np.float32) / np.float32(np.sqrt(3) * 0.9149)


PENTAGONS, HEXAGONS = _panels()


def _leather(point: np.ndarray, radius: float) -> np.ndarray:
    """Colour of the ball's surface where the unit vectors [H, W, 3] point."""
    five = (point @ PENTAGONS.T).max(-1)
    six = np.partition(point @ HEXAGONS.T, -2, axis=-1)
    best, next_best = six[..., -1], six[..., -2]
    black = np.clip(0.5 + (five - best) * radius * 1.3, 0, 1)
    seam = np.clip(1.5 - (best - next_best) * radius * 1.3, 0, 1) * 0.55
    dark = np.maximum(black, seam)[..., None]
    return LEATHER + (BLACK - LEATHER) * dark
