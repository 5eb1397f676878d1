"""Cakes on stands: tiers of sponge, glossy icing that drips, and something festive on top."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..paint import box, circle, ellipse, segment
from ..relief import Draw, Relief, jitter, upward

# flavour: possible (sponge or fondant, icing, trimming) palettes
PALETTES = {
    "decorated": (
        ((0.98, 0.91, 0.74), (0.45, 0.78, 0.72), (0.95, 0.36, 0.34)),
        ((0.55, 0.76, 0.93), (0.99, 0.97, 0.92), (0.98, 0.79, 0.28)),
        ((0.99, 0.96, 0.90), (0.98, 0.80, 0.32), (0.36, 0.66, 0.62)),
        ((0.78, 0.71, 0.93), (0.99, 0.96, 0.93), (0.50, 0.36, 0.74)),
    ),
    "pink": (
        ((0.98, 0.70, 0.77), (0.93, 0.36, 0.54), (0.99, 0.95, 0.92)),
        ((0.96, 0.58, 0.69), (0.99, 0.94, 0.93), (0.85, 0.20, 0.36)),
        ((0.99, 0.80, 0.84), (0.96, 0.52, 0.66), (0.80, 0.16, 0.28)),
    ),
    "chocolate": (
        ((0.55, 0.34, 0.22), (0.30, 0.17, 0.12), (0.97, 0.90, 0.78)),
        ((0.44, 0.26, 0.18), (0.97, 0.88, 0.74), (0.86, 0.20, 0.22)),
        ((0.64, 0.41, 0.26), (0.36, 0.20, 0.13), (0.95, 0.66, 0.28)),
    ),
}
STANDS = ((0.97, 0.96, 0.95), (0.70, 0.86, 0.86), (0.88, 0.72, 0.42))
CREAM = (0.99, 0.96, 0.91)
CHERRY = (0.84, 0.10, 0.16)
FLAME = (1.25, 0.95, 0.35)
TOPPINGS = ("cherries", "candles", "swirls", "crown")
LEVEL = upward(0.55)
STAND_HEIGHT, HEADROOM = 20, 19


@dataclass(frozen=True)
class Tier:
    """One cylinder of cake: half width, height, how far its top is seen from above."""

    half: float
    height: float
    tilt: float


@dataclass(frozen=True)
class Cake:
    tiers: tuple[Tier, ...]
    palette: tuple
    stand: tuple
    topping: str
    striped: bool
    trimmed: bool
    drips: float
    drip_phase: float

    @property
    def size(self) -> tuple[int, int]:
        tall = STAND_HEIGHT + HEADROOM + sum(tier.height for tier in self.tiers)
        return round(tall), round(2 * self.tiers[0].half + 18)


def cake_pair(rng: np.random.Generator, flavour: str, apart: float) -> tuple[Draw, int]:
    """Two cakes of one flavour, their centres about `apart` pixels apart, and their height."""
    palettes = PALETTES[flavour]
    first = int(rng.integers(len(palettes)))
    second = (first + int(rng.integers(2))) % len(palettes)
    tall_one = int(rng.integers(2))
    pair = [
        _bake(rng, palettes[index], 2 if side == tall_one or rng.random() < 0.3 else 1)
        for side, index in enumerate((first, second))
    ]
    height = max(cake.size[0] for cake in pair)
    width = round(apart + pair[0].size[1] / 2 + pair[1].size[1] / 2)
    both = Relief(height, width)
    for cake, left in zip(pair, (0, width - pair[1].size[1]), strict=True):
        both.add(_paint(cake), height - cake.size[0], left)
    return both.draw, height


def _bake(rng: np.random.Generator, palette: tuple, storeys: int) -> Cake:
    half = rng.uniform(25, 30)
    tilt = rng.uniform(0.2, 0.27)
    if storeys == 1:
        tiers = (Tier(half + 1, rng.uniform(30, 36), tilt),)
    else:
        upper = Tier(half * rng.uniform(0.58, 0.66), rng.uniform(17, 21), tilt)
        tiers = (Tier(half, rng.uniform(22, 27), tilt), upper)
    return Cake(
        tiers=tiers,
        palette=tuple(jitter(rng, color, 0.03) for color in palette),
        stand=STANDS[rng.integers(len(STANDS))],
        topping=str(rng.choice(TOPPINGS)),
        striped=bool(rng.random() < 0.4),
        trimmed=bool(rng.random() < 0.6),
        drips=rng.uniform(0.29, 0.38),
        drip_phase=rng.uniform(0, 6.3),
    )


def _paint(cake: Cake) -> Relief:
    height, width = cake.size
    tile = Relief(height, width)
    tile.y += (height - 1) / 2 - (height - STAND_HEIGHT)  # zero where the cake meets its plate
    _paint_stand(tile.between(-9, STAND_HEIGHT), cake)
    base = 0.0
    for tier in cake.tiers:
        near = tier.half * tier.tilt  # how far the rims reach below and above their middles
        reach = tile.between(base - tier.height - near - 3, base + near + 7)
        _paint_tier(reach, cake, tier, base)
        base -= tier.height
    _paint_topping(tile.between(base - HEADROOM, base + 9), cake, cake.tiers[-1], base)
    return tile


def _around(x: np.ndarray, half: float) -> tuple[np.ndarray, float, np.ndarray]:
    """Normals of an upright cylinder of half width `half`."""
    across = np.clip(x / half, -1, 1) * 0.94
    return across, 0.0, np.sqrt(1 - across**2)


def _paint_stand(tile: Relief, cake: Cake):
    x, y, half = tile.x, tile.y, cake.tiers[0].half + 8
    foot = STAND_HEIGHT - 5
    stem = np.minimum(ellipse(x, y - foot, half * 0.5, 4.5), box(x, y - foot / 2, 4.5, foot / 2))
    tile.paint(stem, cake.stand, bulge=0, edge=0.3, facing=_around(x, half * 0.5))
    plate = ellipse(x, y - 1, half, 8)
    tile.shadow(plate - 2, 0.35, 5)
    tile.paint(np.minimum(plate, ellipse(x, y - 4, half - 1, 8)), cake.stand, bulge=5, gloss=0.2)
    tile.paint(plate + 1.5, cake.stand, bulge=0, edge=0.05, facing=LEVEL)


def _paint_tier(tile: Relief, cake: Cake, tier: Tier, base: float):
    """Side, icing with drips, and a row of trimmings where the tier stands."""
    sponge, icing, trim = cake.palette
    x, half, ry = tile.x, tier.half, tier.half * tier.tilt
    y, top, curve = tile.y - base, -tier.height, _around(x, half)
    bowl = ry * np.sqrt(np.clip(1 - (x / half) ** 2, 0, 1))  # the near rim of an ellipse
    side = np.maximum(np.abs(x) - half, np.maximum(y - bowl, top - y))
    color = sponge
    if cake.striped:
        band = np.clip(3.2 - np.abs(y - bowl - top * 0.38), 0, 1)[..., None]
        color = color + (np.asarray(CREAM, np.float32) - color) * band
    tile.shadow(ellipse(x, y - 2, half + 3, ry + 2), 0.3, 4)
    tile.paint(side, color, bulge=0, edge=0.2, facing=curve)
    if cake.trimmed:
        _paint_beads(tile, tier, y, trim)
    wave = x * cake.drips + cake.drip_phase
    hang = 2.5 + (5 + 2 * np.sin(wave * 0.7)) * np.abs(np.cos(wave))
    skirt = np.maximum((y - top - bowl - hang) * 0.75, np.maximum(np.abs(x) - half - 1, top - y))
    lid = ellipse(x, y - top, half + 1, ry)
    cover = np.minimum(skirt, lid)
    tile.shadow(cover - 1.5, 0.18, 3)
    tile.paint(cover, icing, bulge=3.5, gloss=0.25, edge=0.12, facing=curve)
    tile.paint(lid + 1.5, icing, bulge=0, edge=0, facing=LEVEL)


def _paint_beads(tile: Relief, tier: Tier, y: np.ndarray, color):
    """Piped beads along the lower rim, evenly spaced around the cylinder."""
    spots = [
        (tier.half * np.sin(angle), tier.half * tier.tilt * np.cos(angle) - 1.5)
        for angle in np.linspace(-1.35, 1.35, 7 if tier.half > 22 else 5)
    ]
    tile.paint(_dots(tile.x, y, spots, 3.6), color, bulge=4, gloss=0.15, edge=0.2)


def _dots(x, y, spots, rx: float, ry: float | None = None) -> np.ndarray:
    """Equal circles, or ellipses, around the spots."""

    def one(dx, dy):
        return circle(dx, dy, rx) if ry is None else ellipse(dx, dy, rx, ry)

    return np.minimum.reduce([one(x - float(sx), y - float(sy)) for sx, sy in spots])


def _paint_topping(tile: Relief, cake: Cake, tier: Tier, top: float):
    x, reach = tile.x, tier.half * 0.62
    y, trim = tile.y - top, cake.palette[2]
    row = [(-reach, 0.0), (0.0, 2.0), (reach, 0.0)]
    if cake.topping == "candles":
        sticks = np.minimum.reduce([segment(x, y, s, t, s, t - 10, 2.3) for s, t in row])
        tile.paint(sticks, trim, bulge=2.5, edge=0.2)
        tile.paint(_dots(x, y + 14, row, 2.5, 4), FLAME, bulge=0, edge=0.05)
    elif cake.topping == "swirls":
        tile.paint(_dots(x, y + 3, row, 5.5), trim, bulge=6, gloss=0.1)
        tile.paint(_dots(x, y + 9, row, 3), trim, bulge=4, gloss=0.1)
    elif cake.topping == "cherries":
        tile.paint(_dots(x, y - 0.5, row, 6, 3.5), CREAM, bulge=4)
        tile.paint(_dots(x, y + 4.5, row, 4.8), CHERRY, bulge=5, gloss=0.6)
    else:
        tile.paint(ellipse(x, y, 11, 4.5), CREAM, bulge=4)
        tile.paint(circle(x, y + 8, 8), CHERRY, bulge=8, gloss=0.6)
