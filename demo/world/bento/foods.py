"""The foods of a bento box, seen from straight above, each filling a compartment.

A maker takes the size of its compartment and returns the food's words and how to draw it.
"""

from __future__ import annotations

import math

import numpy as np

from ..paint import box, circle, ellipse, noise, segment
from ..relief import Draw, Relief, jitter
from .filling import bumps, grid, heap, part, rounded, scatter, turned
from .sushi import GRAIN, RICE, sushi

SESAME = ((0.17, 0.14, 0.14),)
FURIKAKE = ((0.16, 0.34, 0.17), (0.2, 0.28, 0.2), (0.95, 0.55, 0.17), (0.37, 0.48, 0.2))
# ginger: (colour near the fold, colour of the rim), share
GINGERS = (
    ((0.95, 0.5, 0.53), (1.0, 0.83, 0.8)),
    ((0.98, 0.62, 0.57), (1.0, 0.9, 0.84)),
    ((0.95, 0.8, 0.48), (1.0, 0.95, 0.75)),
)
GINGER_SHARES = (0.45, 0.3, 0.25)
# rings of a rosette: petals, distance from the middle, size (both as shares of its radius)
RINGS = ((7, 0.63, 0.38), (4, 0.34, 0.36), (2, 0.12, 0.27))


def rice(rng: np.random.Generator, width: int, height: int) -> tuple[str, Draw]:
    """A white mound of grains: plain, or with sesame, furikake or a red plum."""
    relief = Relief(height, width)
    bright, facing = bumps(relief, rng, *GRAIN)
    bulge = 0.28 * min(width, height)
    relief.paint(heap(relief, rng), RICE * bright, bulge=bulge, edge=0.1, facing=facing)
    topping = rng.choice(("plain", "sesame", "plum", "furikake"))
    if topping == "plum":
        _plum(relief, 0.17 * min(width, height) + 3)
    elif topping != "plain":
        _sprinkle(relief, rng, SESAME if topping == "sesame" else FURIKAKE)
    return "rice", relief.draw


def _plum(relief: Relief, radius: float) -> None:
    piece = part(relief, 0, 0, radius + 6)
    ripple = 0.6 * np.sin(3 * np.arctan2(piece.y, piece.x))
    plum = circle(piece.x, piece.y, radius) + ripple
    piece.shadow(plum - 2, 0.25, 5)
    piece.paint(plum, (0.86, 0.13, 0.17), bulge=radius * 0.9, gloss=0.35)


def _sprinkle(relief: Relief, rng, colors) -> None:
    height, width = relief.x.shape
    for x, y in scatter(rng, width * 0.68, height * 0.68, 11):
        flake = part(relief, x, y, 6)
        u, v = turned(flake, rng.uniform(0, 180))
        flake.paint(ellipse(u, v, 3.6, 2.2), colors[rng.integers(len(colors))], bulge=2, edge=0)


def edamame(rng: np.random.Generator, width: int, height: int) -> tuple[str, Draw]:
    """A heap of bright green pods, all lying more or less one way."""
    relief = Relief(height, width)
    relief.paint(rounded(relief, 10), (0.24, 0.44, 0.1), bulge=8)
    scale = float(np.clip(min(width, height) / 72, 0.95, 1.3))
    lean = rng.uniform(20, 70) * rng.choice((-1, 1))
    for spot in rng.permutation(scatter(rng, width, height, 21 * scale)):
        angle, beans = lean + rng.normal(0, 24), int(rng.choice((2, 3)))
        reach = (6.5 * beans + 5) * scale
        reach_x = abs(math.cos(math.radians(angle))) * reach + 7 * scale
        reach_y = abs(math.sin(math.radians(angle))) * reach + 7 * scale
        room_x, room_y = max(width / 2 - reach_x, 0), max(height / 2 - reach_y, 0)
        x, y = np.clip(spot, (-room_x, -room_y), (room_x, room_y)).tolist()
        _pod(part(relief, x, y, reach_x + 4, reach_y + 4), rng, angle, beans, scale)
    return "edamame", relief.draw


def _pod(piece: Relief, rng, angle: float, beans: int, scale: float) -> None:
    """A pod along u: thick where a bean lies, tapering beyond the outer ones."""
    u, v = turned(piece, angle)
    v = v + rng.uniform(-0.012, 0.012) / scale * u * u
    half = 6.5 * (beans - 1) * scale
    along = np.clip(u, -half, half)
    beyond = u - along
    swell = np.cos((along + half) * (2 * math.pi / 13 / scale))
    body = np.sqrt(0.2 * beyond * beyond + v * v) - scale * (6.6 + 1.1 * swell)
    pod = body + 0.22 * np.abs(beyond)
    piece.shadow(pod - 2.0, 0.5, 5)
    bean = np.clip(-pod / (7 * scale), 0, 1) * (0.6 + 0.4 * swell)
    color = jitter(rng, (0.56, 0.8, 0.22), 0.06) * (0.9 + 0.26 * bean)[..., None]
    piece.paint(pod, color, bulge=7.5 * scale, gloss=0.1, edge=0.2)


def ginger(rng: np.random.Generator, width: int, height: int) -> tuple[str, Draw]:
    """Thin folded slices laid into rosettes, pink or pale yellow."""
    relief = Relief(height, width)
    shades = GINGERS[rng.choice(len(GINGERS), p=GINGER_SHARES)]
    deep, pale = np.asarray(shades, np.float32)
    count = max(1, round(max(width, height) / min(width, height) * 0.9))
    step = np.array((width, 0) if width > height else (0, height)) / count
    half = np.where(step > 0, step, (width, height)) / 2
    middles = [step * (i - (count - 1) / 2) for i in range(count)]
    for x, y in middles:
        relief.paint(ellipse(relief.x - x, relief.y - y, *(0.7 * half)), deep * 0.8, bulge=0)
    for petals, far, share in RINGS:
        for middle in middles:
            for turn in rng.uniform(0, 2 * np.pi) + rng.permutation(petals) * 2 * np.pi / petals:
                spot = middle + half * far * (np.cos(turn), np.sin(turn)) + rng.normal(0, 1, 2)
                size = float(half.min()) * share * rng.uniform(0.92, 1.08)
                piece = part(relief, float(spot[0]), float(spot[1]), size * 1.35 + 3)
                _petal(piece, rng, np.degrees(turn) + rng.normal(0, 6), size, deep, pale)
    return "ginger", relief.draw


def _petal(piece: Relief, rng, turn: float, size: float, deep, pale) -> None:
    """One slice: broad across, ruffled outside, deeper in colour towards its fold."""
    u, v = turned(piece, -turn)
    wave = np.cos(v * (8 / size) + rng.uniform(0, 6))
    thin = np.sqrt(u * u + v * v * 0.61) - size * (1 + 0.05 * wave)
    fade = np.clip(0.5 + 0.62 / size * u + 0.1 * wave, 0, 1)[..., None]
    piece.shadow(thin - 1.5, 0.28, 5)
    piece.paint(thin, deep + (pale - deep) * fade, bulge=5, gloss=0.05, edge=0.12)


def broccoli(rng: np.random.Generator, width: int, height: int) -> tuple[str, Draw]:
    """Dark green florets on pale stalks."""
    relief = Relief(height, width)
    size = float(np.clip(min(width, height) * 0.34, 19, 29))
    turn = rng.uniform(20, 160)
    room = np.maximum(np.array((width, height)) / 2 - 1.2 * size, 0)
    spots = np.array(grid(width, height, size * 1.75)) + rng.uniform(-3, 3, 2)
    # from the far end to the near one, so that each stalk shows before the next crown
    towards = np.array((np.cos(np.radians(turn)), np.sin(np.radians(turn))))
    for spot in sorted(spots, key=lambda spot: -float(spot @ towards)):
        x, y = np.clip(spot - 0.3 * size * towards, -room, room)
        radius = size * rng.uniform(0.92, 1.06)
        _floret(part(relief, x, y, radius * 1.6 + 4), rng, radius, turn + rng.normal(0, 20))
    return "broccoli", relief.draw


def _floret(piece: Relief, rng, radius: float, turn: float) -> None:
    far = radius * 0.98
    sx, sy = far * np.cos(np.radians(turn)), far * np.sin(np.radians(turn))
    stalk = segment(piece.x, piece.y, 0, 0, sx, sy, radius * 0.34)
    piece.shadow(stalk - 1.5, 0.35, 5)
    piece.paint(stalk, (0.74, 0.86, 0.52), bulge=6, edge=0.2)
    angle = np.arctan2(piece.y, piece.x)
    lobes = np.abs(np.sin(angle * int(rng.integers(6, 9)) / 2 + rng.uniform(0, 3)))
    crown = np.hypot(piece.x, piece.y) - radius * (0.82 + 0.18 * lobes)
    bright, facing = bumps(piece, rng, 0.0, 4.6, 1.6)
    color = jitter(rng, (0.2, 0.5, 0.22), 0.08) * bright
    piece.shadow(crown - 2, 0.45, 5)
    piece.paint(crown, color, bulge=radius * 0.75, edge=0.2, facing=facing)


def tomatoes(rng: np.random.Generator, width: int, height: int) -> tuple[str, Draw]:
    """Three cherry tomatoes, with or without stalks, sometimes on a leaf of lettuce."""
    relief = Relief(height, width)
    long, short = max(width, height), min(width, height)
    if long > 1.7 * short:
        radius = min(long / 6.3, short / 2.1)
        spots = radius * np.array([(2.05 * i, rng.uniform(-0.1, 0.1)) for i in (-1, 0, 1)])
    else:
        radius = min(short / 3.7, long / 3.8)
        wide = min((long / 2 - radius) / radius, 1.1)
        spots = radius * np.array([(-wide, 0.8), (wide, 0.75), (rng.uniform(-0.15, 0.15), -0.87)])
        spots *= rng.choice((-1, 1))
    if height > width:
        spots = spots[:, ::-1]
    stalks, red = rng.random() < 0.65, jitter(rng, (0.93, 0.15, 0.1), 0.06)
    if rng.random() < 0.5:
        _lettuce(relief, rng)
    for x, y in spots:
        _tomato(part(relief, x, y, radius + 4), rng, radius, red, stalks)
    return "tomatoes", relief.draw


def _tomato(piece: Relief, rng, radius: float, red, stalk: bool) -> None:
    ball = circle(piece.x, piece.y, radius)
    piece.shadow(ball - 2, 0.4, 6)
    piece.paint(ball, red, bulge=radius, gloss=0.6, edge=0.15)
    if not stalk:
        return
    x, y = piece.x + rng.uniform(-2, 2), piece.y + rng.uniform(-2, 2)
    points = np.abs(np.cos(np.arctan2(y, x) * 2.5 + rng.uniform(0, 3)))
    star = (np.hypot(x, y) - radius * (0.17 + 0.42 * points**1.5)) * 0.8
    piece.shadow(star - 1, 0.3, 3)
    piece.paint(star, (0.4, 0.65, 0.22), bulge=3, edge=0.15)


def _lettuce(relief: Relief, rng) -> None:
    """A frilled leaf across the compartment."""
    height, width = relief.x.shape
    angle = np.arctan2(relief.y / height, relief.x / width)
    frill = 2.2 * np.sin(angle * rng.integers(13, 17)) + 1.2 * np.sin(angle * 7)
    half = width / 2 - 4, height / 2 - 4
    leaf = box(relief.x, relief.y, *half, 0.42 * min(width, height)) + frill
    fold = 0.88 + 0.24 * noise(rng, height, width, 12, 12)[..., None]
    rim = np.clip(1 + leaf / 9, 0, 1)[..., None]
    color = np.array((0.88, 0.95, 0.58)) * (1 - rim) + np.array((0.6, 0.82, 0.3)) * rim
    relief.paint(leaf, color * fold, bulge=5, edge=0.12)


FOODS = {
    "sushi": sushi,
    "edamame": edamame,
    "rice": rice,
    "ginger": ginger,
    "broccoli": broccoli,
    "tomatoes": tomatoes,
}
