"""Cakes on stands: tiers of sponge, glossy icing that drips, and something festive on top."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .paint import Light, Tile, box, circle, ellipse, segment
from .surfaces import Draw, around, facing, jitter, stamp

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
TOPPINGS = ("cherries", "candles", "swirls", "crown")
STAND_HEIGHT, HEADROOM = 20, 18


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
    """Two cakes of one flavour, their centres about `apart` pixels from each other; and how tall."""
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

    def draw(light: Light) -> np.ndarray:
        canvas = np.zeros((height, width, 4), np.float32)
        for cake, left in zip(pair, (0, width - pair[1].size[1]), strict=True):
            stamp(canvas, _paint(cake, light), height - cake.size[0], left)
        return canvas

    return draw, height


def _bake(rng: np.random.Generator, palette: tuple, storeys: int) -> Cake:
    half = rng.uniform(23, 28)
    tilt = rng.uniform(0.2, 0.27)
    if storeys == 1:
        tiers = (Tier(half + 1, rng.uniform(28, 34), tilt),)
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
        drips=rng.uniform(0.42, 0.58),
        drip_phase=rng.uniform(0, 6.3),
    )


def _paint(cake: Cake, light: Light) -> np.ndarray:
    height, width = cake.size
    tile = Tile(height, width, light)
    tile.y += (height - 1) / 2 - (height - STAND_HEIGHT)  # zero where the cake meets its plate
    _paint_stand(tile, cake)
    base = 0.0
    for tier in cake.tiers:
        _paint_tier(tile, cake, tier, base)
        base -= tier.height
    _paint_topping(tile, cake, cake.tiers[-1], base)
    return tile.rgba()


def _paint_stand(tile: Tile, cake: Cake):
    x, y, half = tile.x, tile.y, cake.tiers[0].half + 8
    foot = STAND_HEIGHT - 5
    stem = np.minimum(ellipse(x, y - foot, half * 0.5, 4.5), box(x, y - foot / 2, 4.5, foot / 2))
    tile.paint(stem, around(tile, half * 0.5, cake.stand), bulge=0, edge=0.3)
    plate = ellipse(x, y - 1, half, 8)
    tile.shadow(plate - 2, 0.35, 5)
    tile.paint(np.minimum(plate, ellipse(x, y - 4, half - 1, 8)), cake.stand, bulge=5, gloss=0.2)
    tile.paint(plate + 1.5, np.multiply(cake.stand, facing(tile.light)), bulge=0, edge=0.05)


def _paint_tier(tile: Tile, cake: Cake, tier: Tier, base: float):
    """Side, icing with drips, and a row of trimmings where the tier stands."""
    sponge, icing, trim = cake.palette
    x, half, ry = tile.x, tier.half, tier.half * tier.tilt
    y = tile.y - base
    top = -tier.height
    bowl = ry * np.sqrt(np.clip(1 - (x / half) ** 2, 0, 1))  # the near rim of an ellipse
    side = np.maximum(np.abs(x) - half, np.maximum(y - bowl, top - y))
    color = np.broadcast_to(np.float32(sponge), (*x.shape, 3))
    if cake.striped:
        band = np.clip(3.2 - np.abs(y - bowl - top * 0.42), 0, 1)[..., None]
        color = color + (np.float32(CREAM) - color) * band
    tile.shadow(ellipse(x, y - 2, half + 3, ry + 2), 0.3, 4)
    tile.paint(side, around(tile, half, color), bulge=0, edge=0.2)
    if cake.trimmed:
        _paint_beads(tile, tier, y, trim)
    hang = 5 + 3.5 * np.sin(x * cake.drips + cake.drip_phase)
    hang += 1.5 * np.sin(x * cake.drips * 0.47 + 2 * cake.drip_phase)
    skirt = np.maximum((y - top - bowl - hang) * 0.6, np.maximum(np.abs(x) - half - 1, top - y))
    lid = ellipse(x, y - top, half + 1, ry)
    cover = np.minimum(skirt, lid)
    tile.shadow(cover - 1.5, 0.18, 3)
    tile.paint(cover, around(tile, half, icing), bulge=3.5, gloss=0.25, edge=0.12)
    tile.paint(lid + 1.5, np.multiply(icing, facing(tile.light)), bulge=0, edge=0)


def _paint_beads(tile: Tile, tier: Tier, y: np.ndarray, color):
    """Piped beads along the lower rim, evenly spaced around the cylinder."""
    beads = np.full(y.shape, 99.0, np.float32)
    for angle in np.linspace(-1.35, 1.35, 7 if tier.half > 20 else 5):
        along, near = np.sin(angle) * tier.half, np.cos(angle) * tier.half * tier.tilt
        beads = np.minimum(beads, circle(tile.x - along, y - near + 1.5, 3.6))
    tile.paint(beads, color, bulge=4, gloss=0.15, edge=0.2)


def _paint_topping(tile: Tile, cake: Cake, tier: Tier, top: float):
    x, y, reach = tile.x, tile.y - top, tier.half * 0.62
    trim = cake.palette[2]
    if cake.topping == "candles":
        spots = (-0.8 * reach, 0.0, 0.8 * reach)
        sticks = np.minimum.reduce([segment(x, y, s, 0, s, -9, 2.2) for s in spots])
        tile.paint(sticks, trim, bulge=2.5, edge=0.2)
        flames = np.minimum.reduce([ellipse(x - s, y + 13.5, 2.4, 4) for s in spots])
        tile.paint(flames, (1.25, 0.95, 0.35), bulge=0, edge=0.05)
    elif cake.topping == "swirls":
        spots = ((-reach, 0), (reach, 0), (0, 2))
        puffs = np.minimum.reduce([circle(x - sx, y + 3 - sy, 5.5) for sx, sy in spots])
        peaks = np.minimum.reduce([circle(x - sx, y + 9 - sy, 3) for sx, sy in spots])
        tile.paint(puffs, trim, bulge=6, gloss=0.1)
        tile.paint(peaks, trim, bulge=4, gloss=0.1)
    elif cake.topping == "cherries":
        spots = (-reach, 0.0, reach)
        tile.paint(
            np.minimum.reduce([ellipse(x - s, y - 0.5, 6, 3.5) for s in spots]), CREAM, bulge=4
        )
        berries = np.minimum.reduce([circle(x - s, y + 4.5, 4.8) for s in spots])
        tile.paint(berries, CHERRY, bulge=5, gloss=0.6)
    else:
        tile.paint(ellipse(x, y, 11, 4.5), CREAM, bulge=4)
        tile.paint(circle(x, y + 8, 8), CHERRY, bulge=8, gloss=0.6)
