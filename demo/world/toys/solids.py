"""Simple solids as toys: ball, cube, cone, ring, star, cylinder; plain, striped or dotted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..paint import blur, box, circle, ellipse, polygon, rotate
from ..relief import Draw, Relief, jitter

COLORS = {
    "red": (0.86, 0.20, 0.18),
    "orange": (0.97, 0.48, 0.11),
    "yellow": (0.99, 0.82, 0.20),
    "green": (0.28, 0.64, 0.34),
    "blue": (0.17, 0.43, 0.82),
    "purple": (0.53, 0.31, 0.72),
    "pink": (0.97, 0.52, 0.68),
    "white": (0.97, 0.96, 0.93),
}
PATTERNS = ("striped", "dotted")
CREAM = np.array((0.99, 0.96, 0.90), np.float32)
PALE = np.array((0.68, 0.72, 0.78), np.float32)  # the pattern on a white toy
CAMERA = np.radians(27)  # how far the viewer looks down


@dataclass(frozen=True)
class Toy:
    """A drawing, and the size of its tile."""

    draw: Draw
    height: int
    width: int

    @staticmethod
    def of(tile: Relief) -> Toy:
        return Toy(tile.draw, *tile.x.shape)


@dataclass(frozen=True)
class Paintwork:
    """The colour of a solid: u, v are coordinates on its surface in pixels."""

    base: np.ndarray
    accent: np.ndarray
    pattern: str
    period: float

    @staticmethod
    def random(rng: np.random.Generator, color: str, pattern: str, size: float) -> Paintwork:
        base = jitter(rng, COLORS[color], 0.045)
        accent = CREAM if rng.random() < 0.65 else base * np.float32(0.6)
        if color == "white":
            accent = PALE
        return Paintwork(base, accent, pattern, size * rng.uniform(0.26, 0.34))

    def __call__(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """RGB [H, W, 3], or [3] when plain."""
        if self.pattern == "striped":
            away = np.abs((v / self.period) % 1 - 0.5) * self.period - self.period * 0.24
        elif self.pattern == "dotted":
            row = v / (0.87 * self.period)
            du = (u / self.period + 0.5 * (np.floor(row) % 2)) % 1 - 0.5
            away = np.hypot(du, (row % 1 - 0.5) * 0.87) * self.period - self.period * 0.27
        else:
            return self.base
        cover = np.clip(0.5 - away, 0, 1)[..., None]
        return self.base + (self.accent - self.base) * cover


def sphere(tile: Relief, radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The normals of a sphere in the middle of the tile."""
    x, y = tile.x / radius, tile.y / radius
    away = np.maximum(np.hypot(x, y), 1e-6)
    inward = np.minimum(1, 0.99 / away)
    x, y = x * inward, y * inward
    return x, y, np.sqrt(1 - x * x - y * y)


def ball(rng: np.random.Generator, size: float, paint: Paintwork) -> Toy:
    radius = 0.45 * size
    tile = _tile(2 * radius, 2 * radius)
    normal = sphere(tile, radius)
    # from its middle outwards, so that dots and stripes shrink and bend towards the rim
    out = np.minimum(np.hypot(tile.x, tile.y) / radius, 0.999)
    stretch = np.arcsin(out) / np.maximum(out, 1e-3)
    u, v = rotate(tile.x * stretch, tile.y * stretch, rng.uniform(-50, 50))
    color = paint(u + rng.uniform(0, paint.period), v + rng.uniform(0, paint.period))
    tile.paint(circle(tile.x, tile.y, radius), color, bulge=0, gloss=0.4, facing=normal)
    return Toy.of(tile)


def cube(rng: np.random.Generator, size: float, paint: Paintwork) -> Toy:
    side, yaw = 0.68 * size, np.radians(rng.uniform(28, 62))
    c, s = np.cos(yaw), np.sin(yaw)
    # the half edges towards the right face, the left face and the top: x, up, to the viewer
    axes = np.array(((c, 0, s), (-s, 0, c), (0, 1, 0))) * side / 2
    flat = np.stack([axes[:, 0], axes[:, 2] * np.sin(CAMERA) - axes[:, 1] * np.cos(CAMERA)], 1)
    tile = _tile(2 * np.abs(flat[:, 1]).sum(), 2 * np.abs(flat[:, 0]).sum())
    _paint_hull(tile, flat, paint.base)
    for index in range(3):
        along, across = flat[(index + 1) % 3], flat[(index + 2) % 3]
        dx, dy = tile.x - flat[index][0], tile.y - flat[index][1]
        area = along[0] * across[1] - along[1] * across[0]
        u = (dx * across[1] - dy * across[0]) / area
        v = (dy * along[0] - dx * along[1]) / area
        corners = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
        shape = _rounded([flat[index] + a * along + b * across for a, b in corners], 2.5)
        face = polygon(tile.x, tile.y, shape) - 1.7
        stripe = (u, v) if index == 1 else (v, u)  # upright on both sides
        color = paint(*(part * side / 2 for part in stripe))
        facing = _facing(axes[index] * 2 / side)
        tile.paint(face, color, bulge=3.5, edge=0.06, gloss=0.12, facing=facing)
    return Toy.of(tile)


def _facing(axis: np.ndarray) -> tuple[float, ...]:
    """The normal of a cube's face on the canvas, turned a little towards the viewer so that the
    dark side keeps its colour."""
    x, up, near = axis
    sine, cosine = np.sin(CAMERA), np.cos(CAMERA)
    normal = np.array((x, near * sine - up * cosine, up * sine + near * cosine + 0.3))
    return tuple(float(part) for part in normal / np.linalg.norm(normal))


def _paint_hull(tile: Relief, flat: np.ndarray, color: np.ndarray):
    """The cube's outline, a little darker: it shows in the joints between the faces."""
    right, left, top = flat
    hull = [right - left + top, top - right - left, left - right + top]
    hull += [left - right - top, right + left - top, right - left - top]
    shape = polygon(tile.x, tile.y, _rounded(hull, 3.0)) - 3.0
    tile.paint(shape, color * np.float32(0.88), bulge=4, edge=0.2)


def _rounded(points: list, radius: float) -> list[tuple[float, float]]:
    """The polygon moved inwards, to be grown by `radius` again with round corners."""
    corners = np.array(points)
    middle = corners.mean(0)
    reach = np.hypot(*(corners - middle).T).mean()
    return [tuple(p) for p in middle + (corners - middle) * (1 - 1.25 * radius / reach)]


def cone(rng: np.random.Generator, size: float, paint: Paintwork) -> Toy:
    half, apex = size * rng.uniform(0.38, 0.43), size * rng.uniform(0.98, 1.08)
    deep, tip = half * 0.34, 3.5
    lean = np.arctan2(half, apex)
    height = apex - tip / np.sin(lean) + tip  # the tip is round
    tile = _tile(height + deep, 2 * half)
    x, y = tile.x, tile.y - (height - deep) / 2
    share = np.clip((y + apex) / apex, 0.06, 1)
    turn = np.clip(x / (half * share), -0.98, 0.98)
    bowl = deep * share * np.sqrt(1 - turn**2)
    color = paint(half * share * np.arcsin(turn), y - bowl)
    out = np.cos(lean)
    normal = (turn * out, np.float32(-0.6 * np.sin(lean)), np.sqrt(1 - turn**2) * out)
    shape = _cone_outline(x, y, half, deep, apex, tip)
    tile.paint(shape, color, bulge=0, gloss=0.25, facing=normal)
    return Toy.of(tile)


def _cone_outline(x, y, half: float, deep: float, apex: float, tip: float) -> np.ndarray:
    """Straight sides that touch a round tip and the ellipse of the base."""
    lean = np.arctan2(half, apex)
    high = tip * np.cos(lean), tip * np.cos(lean) ** 2 / np.sin(lean) - apex
    low = half * np.sqrt(1 - (deep / apex) ** 2), -deep * deep / apex
    sides = polygon(x, y, [(-high[0], high[1]), high, low, (-low[0], low[1])])
    cap = circle(x, y + apex - tip / np.sin(lean), tip)
    return np.minimum.reduce([sides, cap, ellipse(x, y, half, deep)])


def cylinder(rng: np.random.Generator, size: float, paint: Paintwork) -> Toy:
    half, height = size * rng.uniform(0.33, 0.38), size * rng.uniform(0.66, 0.78)
    deep = half * 0.36
    tile = _tile(height + 2 * deep, 2 * half)
    x, y = tile.x, tile.y
    turn = np.clip(x / half, -0.98, 0.98)
    bowl = deep * np.sqrt(1 - turn**2)
    low = ellipse(x, y - height / 2, half, deep)
    lid = ellipse(x, y + height / 2, half, deep)
    side = np.minimum(np.minimum(low, lid), box(x, y, half, height / 2))
    color = paint(half * np.arcsin(turn), y - bowl)
    tile.paint(side, color, bulge=0, gloss=0.2, facing=(turn, 0.0, np.sqrt(1 - turn**2)))
    tile.paint(lid, paint.base * np.float32(0.8), bulge=0, edge=0.2)
    up = (0.0, -float(np.cos(CAMERA)), float(np.sin(CAMERA)))
    tile.paint(lid + 1.5, paint.base * np.float32(1.06), bulge=3, edge=0.05, facing=up)
    return Toy.of(tile)


def ring(rng: np.random.Generator, size: float, paint: Paintwork) -> Toy:
    thick = size * rng.uniform(0.115, 0.145)
    reach = 0.48 * size - thick
    tile = _tile(0.96 * size, 0.96 * size)
    away = np.maximum(np.hypot(tile.x, tile.y), 1e-3)
    across = np.clip((away - reach) / thick, -0.98, 0.98)
    around = (np.arctan2(tile.y, tile.x) + rng.uniform(0, 6)) * reach
    whole = 2 * np.pi * reach / paint.period  # a whole number of periods closes the ring
    around *= max(round(whole), 6) / whole
    color = paint(thick * np.arcsin(across), around)
    normal = (across * tile.x / away, across * tile.y / away, np.sqrt(1 - across**2))
    tile.paint(np.abs(away - reach) - thick, color, bulge=0, gloss=0.35, facing=normal)
    return Toy.of(tile)


def star(rng: np.random.Generator, size: float, paint: Paintwork) -> Toy:
    reach, soft = 0.53 * size, 0.07 * size
    angles = np.arange(10) * np.pi / 5 + np.radians(rng.uniform(-5, 5))
    radii = np.where(np.arange(10) % 2, rng.uniform(0.5, 0.56) * reach, reach) - soft
    points = [(r * np.sin(a), -r * np.cos(a)) for a, r in zip(angles, radii, strict=True)]
    low, high = np.min(points, axis=0) - soft, np.max(points, axis=0) + soft
    tile = _tile(high[1] - low[1], high[0] - low[0])
    x, y = tile.x + (low[0] + high[0]) / 2, tile.y + (low[1] + high[1]) / 2
    shape = polygon(x, y, points) - soft
    puffy = blur(np.minimum(shape, 3), max(1, round(size / 40))).astype(np.float32)
    u, v = rotate(x, y, rng.uniform(-60, 60))
    tile.paint(puffy, paint(u, v), bulge=0.3 * size, gloss=0.35, edge=0.2)
    return Toy.of(tile)


SOLIDS: dict[str, Callable[[np.random.Generator, float, Paintwork], Toy]] = {
    "ball": ball,
    "cube": cube,
    "cone": cone,
    "ring": ring,
    "star": star,
    "cylinder": cylinder,
}


def _tile(height: float, width: float) -> Relief:
    """A tile a little larger than the shape."""
    return Relief(int(np.ceil(height)) + 2, int(np.ceil(width)) + 2)
