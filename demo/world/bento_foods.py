"""The foods of a bento box, seen from straight above, each filling a compartment.

A maker takes the size of its compartment and returns the food's words and how to draw it. It
makes every random choice at once, or keeps a seed, so that each drawing shows the same food.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

import numpy as np

from .paint import Light, Tile, box, circle, ellipse, noise, rotate, segment, smooth_union

Draw = Callable[[Light], np.ndarray]

WHITE_RICE = (1.0, 0.985, 0.94)
NORI = (0.15, 0.2, 0.16)
# topping -> (flesh, stripe, stripe period in pixels)
TOPPINGS = {
    "salmon": ((1.0, 0.52, 0.27), (1.0, 0.82, 0.66), 10.0),
    "tuna": ((0.82, 0.14, 0.2), (0.93, 0.42, 0.42), 15.0),
    "egg": ((1.0, 0.82, 0.3), (1.0, 0.9, 0.5), 24.0),
}
FILLINGS = ((0.5, 0.76, 0.33), (0.5, 0.76, 0.33), (1.0, 0.52, 0.3), (1.0, 0.8, 0.28))


def rice(rng: np.random.Generator, width: int, height: int) -> tuple[str, Draw]:
    """A white mound of grains: plain, or with sesame, furikake or a red plum."""
    seed = int(rng.integers(2**31))
    topping = str(rng.choice(("plain", "sesame", "plum", "furikake")))

    def draw(light: Light) -> np.ndarray:
        own = np.random.default_rng(seed)
        tile = Tile(height, width, light)
        mound = _filling(tile, own)
        color = _bumpy(tile, own, 5.0, 2.6, 0.34) * WHITE_RICE
        tile.paint(mound, color, bulge=0.3 * min(width, height), edge=0.16)
        if topping == "plum":
            _plum(tile, 0.17 * min(width, height) + 3)
        elif topping != "plain":
            _sprinkle(tile, own, topping)
        return tile.rgba()

    return "rice", draw


def edamame(rng: np.random.Generator, width: int, height: int) -> tuple[str, Draw]:
    """A heap of bright green pods, all lying more or less one way."""
    scale = float(np.clip(min(width, height) / 78, 0.85, 1.2))
    lean = rng.uniform(20, 70) * rng.choice((-1, 1))
    pods = []
    for x, y in _scatter(rng, width, height, 19 * scale):
        angle = lean + rng.normal(0, 24)
        beans = int(rng.choice((2, 3)))
        reach = (6.5 * beans + 5) * scale
        room_x = max(width / 2 - 7 * scale - abs(np.cos(np.radians(angle))) * reach, 0)
        room_y = max(height / 2 - 7 * scale - abs(np.sin(np.radians(angle))) * reach, 0)
        spot = float(np.clip(x, -room_x, room_x)), float(np.clip(y, -room_y, room_y))
        pods.append((*spot, angle, beans, rng.uniform(-0.006, 0.006), rng.uniform(-1, 1)))
    rng.shuffle(pods)

    def draw(light: Light) -> np.ndarray:
        tile = Tile(height, width, light)
        tile.paint(_rounded(tile, 9), (0.22, 0.42, 0.1), bulge=8)
        for x, y, angle, beans, bend, tone in pods:
            with _part(tile, x, y, 30 * scale) as part:
                _pod(part, angle, beans, bend, tone, scale)
        return tile.rgba()

    return "edamame", draw


def ginger(rng: np.random.Generator, width: int, height: int) -> tuple[str, Draw]:
    """Thin folded slices laid into rosettes, pink or pale yellow."""
    deep, pale = [
        ((0.95, 0.52, 0.56), (1.0, 0.84, 0.82)),
        ((0.97, 0.62, 0.58), (1.0, 0.9, 0.84)),
        ((0.94, 0.8, 0.5), (1.0, 0.95, 0.76)),
    ][rng.choice(3, p=(0.45, 0.3, 0.25))]
    count = max(1, round(max(width, height) / min(width, height) * 0.9))
    step = np.array([width, 0]) if width > height else np.array([0, height])
    middles = [step * ((i + 0.5) / count - 0.5) for i in range(count)]
    half = np.where(step > 0, step / count, (width, height)) / 2
    petals = []
    for ring, (number, far) in enumerate(((7, 0.64), (5, 0.38), (3, 0.13))):
        for middle in middles:
            start = rng.uniform(0, 360)
            for i in rng.permutation(number):
                turn = np.radians(start + 360 * i / number + rng.normal(0, 6))
                spot = middle + half * far * (np.cos(turn), np.sin(turn)) + rng.normal(0, 1, 2)
                size = float(half.min()) * (0.37, 0.33, 0.25)[ring] * rng.uniform(0.92, 1.08)
                petals.append((*spot, float(np.degrees(turn)), size, rng.uniform(0, 6)))

    def draw(light: Light) -> np.ndarray:
        tile = Tile(height, width, light)
        for middle in middles:
            core = ellipse(tile.x - middle[0], tile.y - middle[1], *(0.7 * half))
            tile.paint(core, np.multiply(deep, 0.8), bulge=0)
        for x, y, turn, size, phase in petals:
            with _part(tile, x, y, size * 1.7 + 3) as part:
                _petal(part, turn, size, phase, np.array(deep), np.array(pale))
        return tile.rgba()

    return "ginger", draw


def sushi(rng: np.random.Generator, width: int, height: int) -> tuple[str, Draw]:
    """A row of nigiri with one topping or several, or rounds of maki."""
    look = str(rng.choice(("salmon", "tuna", "egg", "maki", "mixed"), p=(0.3, 0.2, 0.2, 0.18, 0.12)))
    named = look in TOPPINGS and rng.random() < 0.55
    seed = int(rng.integers(2**31))
    paint_all = _maki_rows if look == "maki" else _nigiri_row

    def draw(light: Light) -> np.ndarray:
        tile = Tile(height, width, light)
        paint_all(tile, np.random.default_rng(seed), look)
        return tile.rgba()

    return (f"{look} sushi" if named else "sushi"), draw


def broccoli(rng: np.random.Generator, width: int, height: int) -> tuple[str, Draw]:
    """Dark green florets on pale stalks."""
    spots = _grid(width, height, 44)
    radius = _cell(width, height, 44) / 2
    florets = [
        (x + rng.uniform(-2, 2), y + rng.uniform(-2, 2), radius * rng.uniform(0.8, 0.9))
        for x, y in rng.permutation(spots)
    ]
    turn, seed = rng.uniform(20, 160), int(rng.integers(2**31))

    def draw(light: Light) -> np.ndarray:
        own = np.random.default_rng(seed)
        tile = Tile(height, width, light)
        for x, y, size in florets:
            with _part(tile, x, y, size * 1.5 + 4) as part:
                _floret(part, own, size, turn + own.normal(0, 25))
        return tile.rgba()

    return "broccoli", draw


def tomatoes(rng: np.random.Generator, width: int, height: int) -> tuple[str, Draw]:
    """Three cherry tomatoes, with or without stalks, sometimes on a leaf of lettuce."""
    long, short = max(width, height), min(width, height)
    if long > 1.7 * short:
        radius = min(long / 6.4, short / 2.1)
        spots = np.array([(i * 2.05 * radius, rng.uniform(-0.1, 0.1) * radius) for i in (-1, 0, 1)])
    else:
        radius = min(short / 3.9, long / 3.9)
        spots = radius * np.array([(-1.0, 0.8), (1.0, 0.75), (rng.uniform(-0.15, 0.15), -0.93)])
        spots *= rng.choice((-1, 1))
    if height > width:
        spots = spots[:, ::-1]
    stalks, leaf, seed = rng.random() < 0.65, rng.random() < 0.5, int(rng.integers(2**31))
    red = np.array((0.9, 0.13, 0.09)) + rng.uniform(-0.03, 0.05, 3)

    def draw(light: Light) -> np.ndarray:
        own = np.random.default_rng(seed)
        tile = Tile(height, width, light)
        if leaf:
            _lettuce(tile, own)
        for x, y in spots:
            with _part(tile, x, y, radius + 4) as part:
                _tomato(part, own, radius, red, stalks)
        return tile.rgba()

    return "tomatoes", draw


# ---- parts of a food, painted on a piece of its tile -----------------------------------------


def _plum(tile: Tile, radius: float) -> None:
    ripple = 0.6 * np.sin(3 * np.arctan2(tile.y, tile.x))
    plum = circle(tile.x, tile.y, radius) + ripple
    tile.shadow(plum - 2, 0.3, 5)
    tile.paint(plum, (0.84, 0.12, 0.16), bulge=radius * 0.9, gloss=0.35)


def _sprinkle(tile: Tile, rng, topping: str) -> None:
    colors = ((0.16, 0.13, 0.13),)
    if topping == "furikake":
        colors = ((0.18, 0.34, 0.18), (0.2, 0.28, 0.2), (0.93, 0.55, 0.18), (0.35, 0.45, 0.2))
    height, width = tile.alpha.shape
    for x, y in _scatter(rng, width * 0.66, height * 0.66, 10.5):
        with _part(tile, x + rng.normal(0, 1.5), y + rng.normal(0, 1.5), 7) as part:
            u, v = rotate(part.x, part.y, rng.uniform(0, 180))
            part.paint(ellipse(u, v, 3.4, 2.1), colors[rng.integers(len(colors))], bulge=2, edge=0)


def _pod(part: Tile, angle, beans: int, bend, tone, scale) -> None:
    u, v = rotate(part.x / scale, part.y / scale, angle)
    v = v + bend * u * u * 2
    half = 6.5 * (beans - 1)
    pod = segment(u, v, -half - 9, 0, half + 9, 0, 2.2)
    swell = np.zeros_like(u)
    for i in range(beans):
        along = u - (i * 13 - half)
        pod = smooth_union(pod, ellipse(along, v, 8.0, 7.4), 4.5)
        swell = np.maximum(swell, np.exp(-(along**2 + v * v) / 22))
    pod *= scale
    part.shadow(pod - 2.0, 0.5, 5)
    base = np.array((0.52, 0.76, 0.2)) + tone * np.array((0.06, 0.04, 0.02))
    color = base * (0.9 + 0.24 * swell)[..., None]
    part.paint(pod, color, bulge=7.5 * scale, gloss=0.1, edge=0.22)


def _petal(part: Tile, turn, size, phase, deep, pale) -> None:
    """One slice: broad across, ruffled outside, deeper in colour towards its fold."""
    u, v = rotate(part.x, part.y, -turn)
    ruffle = 1 + 0.05 * np.sin(5 * np.arctan2(v, u) + phase)
    slice_ = ellipse(u / ruffle, v / ruffle, size, size * 1.28)
    part.shadow(slice_ - 1.5, 0.3, 5)
    fade = np.clip(0.5 + 0.62 * u / size + 0.12 * np.cos(v / size * 9 + phase), 0, 1)[..., None]
    part.paint(slice_, deep + (pale - deep) * fade, bulge=5, gloss=0.06, edge=0.13)


def _nigiri_row(tile: Tile, rng, look: str) -> None:
    height, width = tile.alpha.shape
    along, count, half_width, half_length = _row(width, height)
    slant = rng.uniform(4, 11) * rng.choice((-1, 1)) + (90 if along == "y" else 0)
    room = width if along == "x" else height
    for i in range(count):
        offset = room * ((i + 0.5) / count - 0.5)
        x, y = (offset, 0) if along == "x" else (0, offset)
        topping = look if look in TOPPINGS else list(TOPPINGS)[(i + count) % len(TOPPINGS)]
        with _part(tile, x, y + rng.uniform(-1, 1), half_length + 6) as part:
            _nigiri(part, rng, slant + rng.normal(0, 2), half_width, half_length, topping)


def _nigiri(part: Tile, rng, angle, half_width, half_length, topping: str) -> None:
    u, v = rotate(part.x, part.y, angle)
    base = box(u, v, half_width * 0.9, half_length, half_width * 0.85)
    part.shadow(base - 1.5, 0.35, 5)
    part.paint(base, _bumpy(part, rng, 5.0, 2.6, 0.3) * WHITE_RICE, bulge=8, edge=0.15)
    bent = u + 0.003 * v * v - 1
    top = box(bent, v, half_width, half_length * 0.88, half_width * 0.6)
    flesh, stripe, period = TOPPINGS[topping]
    phase = rng.uniform(0, period)
    wave = np.cos((v - 0.55 * np.abs(bent + 2) + phase) * (2 * np.pi / period))
    vein = np.clip((wave - 0.45) * 2.5, 0, 1)[..., None]
    part.shadow(top - 1, 0.2, 3)
    part.paint(top, np.array(flesh) + (np.subtract(stripe, flesh)) * vein,
               bulge=half_width * 0.7, gloss=0.22, edge=0.22)
    if topping == "egg":
        band = box(bent, v, half_width + 0.6, half_length * 0.2, 2)
        part.paint(band, NORI, bulge=half_width * 0.6, gloss=0.12, edge=0.1)


def _maki_rows(tile: Tile, rng, _look: str) -> None:
    height, width = tile.alpha.shape
    radius = _cell(width, height, 44) / 2 - 0.5
    filling = FILLINGS[rng.integers(len(FILLINGS))]
    for x, y in _grid(width, height, 44):
        with _part(tile, x, y, radius + 4) as part:
            round_ = circle(part.x, part.y, radius)
            part.shadow(round_ - 1.5, 0.4, 5)
            part.paint(round_, NORI, bulge=4, gloss=0.2, edge=0.1)
            grain = _bumpy(part, rng, 5.0, 2.6, 0.34) * WHITE_RICE
            part.paint(round_ + 4.2, grain, bulge=5, edge=0.2)
            u, v = rotate(part.x, part.y, rng.uniform(0, 90))
            core = box(u, v, radius * 0.38, radius * 0.34, radius * 0.2)
            part.paint(core, filling, bulge=4, gloss=0.12, edge=0.3)


def _floret(part: Tile, rng, radius, turn) -> None:
    far = radius * 1.05
    sx, sy = far * np.cos(np.radians(turn)), far * np.sin(np.radians(turn))
    stalk = segment(part.x, part.y, 0, 0, sx, sy, radius * 0.34)
    part.shadow(stalk - 1.5, 0.35, 5)
    part.paint(stalk, (0.72, 0.83, 0.5), bulge=6, edge=0.2)
    angle = np.arctan2(part.y, part.x)
    knobs = int(rng.integers(6, 9))
    lobes = np.abs(np.sin(angle * knobs / 2 + rng.uniform(0, 3)))
    crown = np.hypot(part.x, part.y) - radius * (0.82 + 0.18 * lobes)
    color = _bumpy(part, rng, 0.0, 4.6, 0.85) * np.array((0.2, 0.46, 0.2))
    part.shadow(crown - 2, 0.45, 5)
    part.paint(crown, color, bulge=radius * 0.75, edge=0.25)


def _tomato(part: Tile, rng, radius, red, stalk: bool) -> None:
    ball = circle(part.x, part.y, radius)
    part.shadow(ball - 2, 0.4, 6)
    part.paint(ball, red, bulge=radius, gloss=0.6, edge=0.2)
    if not stalk:
        return
    x, y = part.x + rng.uniform(-2, 2), part.y + rng.uniform(-2, 2)
    points = np.abs(np.cos(np.arctan2(y, x) * 2.5 + rng.uniform(0, 3)))
    star = (np.hypot(x, y) - radius * (0.17 + 0.42 * points**1.5)) * 0.8
    part.shadow(star - 1, 0.3, 3)
    part.paint(star, (0.36, 0.6, 0.2), bulge=3, edge=0.15)


def _lettuce(tile: Tile, rng) -> None:
    """A frilled leaf across the compartment."""
    height, width = tile.alpha.shape
    angle = np.arctan2(tile.y / height, tile.x / width)
    frill = 2.2 * np.sin(angle * int(rng.integers(13, 17))) + 1.2 * np.sin(angle * 7 + rng.uniform(0, 6))
    leaf = box(tile.x, tile.y, width / 2 - 4, height / 2 - 4, 0.42 * min(width, height)) + frill
    fold = 0.88 + 0.24 * noise(rng, height, width, 12, 12)[..., None]
    rim = np.clip(1 + leaf / 9, 0, 1)[..., None]
    base = np.array((0.86, 0.93, 0.56)) * (1 - rim) + np.array((0.58, 0.8, 0.3)) * rim
    tile.paint(leaf, base * fold, bulge=5, edge=0.15)


# ---- geometry and texture ----------------------------------------------------------------------


@contextmanager
def _part(tile: Tile, x: float, y: float, reach: float) -> Iterator[Tile]:
    """The tile around a point, with its origin there: painting a small part costs little."""
    height, width = tile.alpha.shape
    row, col = y + (height - 1) / 2, x + (width - 1) / 2
    rows = slice(max(int(row - reach), 0), min(int(row + reach) + 2, height))
    cols = slice(max(int(col - reach), 0), min(int(col + reach) + 2, width))
    part = copy.copy(tile)
    part.x, part.y = tile.x[rows, cols] - np.float32(x), tile.y[rows, cols] - np.float32(y)
    part.color, part.alpha = tile.color[rows, cols], tile.alpha[rows, cols]
    yield part
    tile.color[rows, cols], tile.alpha[rows, cols] = part.color, part.alpha


def _rounded(tile: Tile, inset: float) -> np.ndarray:
    height, width = tile.alpha.shape
    hx, hy = width / 2 - inset, height / 2 - inset
    return box(tile.x, tile.y, hx, hy, 0.5 * min(hx, hy))


def _filling(tile: Tile, rng) -> np.ndarray:
    """A heap that fills the compartment with an uneven rim."""
    height, width = tile.alpha.shape
    return _rounded(tile, 3.5) + 6 * (noise(rng, height, width, 13, 13) - 0.5)


def _scatter(rng, width: float, height: float, step: float) -> list[tuple[float, float]]:
    """Spots over the whole area, about `step` apart, not in line."""
    cols, rows = max(1, round(width / step)), max(1, round(height / step))
    xs = ((np.arange(cols) + 0.5) / cols - 0.5) * width
    ys = ((np.arange(rows) + 0.5) / rows - 0.5) * height
    spots = np.array([(x, y) for y in ys for x in xs])
    return list(spots + rng.uniform(-0.3, 0.3, spots.shape) * step)


def _grid(width: int, height: int, size: float) -> list[tuple[float, float]]:
    cols, rows = max(1, round(width / size)), max(1, round(height / size))
    return [
        (((i + 0.5) / cols - 0.5) * width, ((j + 0.5) / rows - 0.5) * height)
        for j in range(rows)
        for i in range(cols)
    ]


def _cell(width: int, height: int, size: float) -> float:
    """The side of the squares that fit the cells of `_grid`."""
    return min(width / max(1, round(width / size)), height / max(1, round(height / size)))


def _row(width: int, height: int) -> tuple[str, int, float, float]:
    """The row of two to four nigiri that fills the area best: axis, number, half sizes."""
    rows = []
    for axis, along, across in (("x", width, height), ("y", height, width)):
        for count in (2, 3, 4):
            half_length = across / 2 - 4.5
            half_width = min(along / count / 2 - 2.5, half_length / 1.55)
            half_length = min(half_length, half_width * 2.3)
            rows.append((axis, count, half_width, half_length))
    return max(rows, key=lambda row: row[1] ** 0.6 * row[2] * row[3])


@lru_cache(maxsize=4)
def _relief(length: float, radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A field of small domes, `length` long: its slopes (y, x) and its height. Made once."""
    rng = np.random.default_rng(7)
    size, reach = 256, int(length / 2 + radius + 2)
    height = np.zeros((size, size), np.float32)
    for x, y in _scatter(rng, size - 2 * reach, size - 2 * reach, radius * 1.75 + length * 0.2):
        row, col = int(y + size / 2), int(x + size / 2)
        window = height[row - reach : row + reach, col - reach : col + reach]
        v, u = np.mgrid[0 : window.shape[0], 0 : window.shape[1]] - float(reach)
        u, v = rotate(u, v, rng.uniform(0, 180))
        inside = np.clip(1 + segment(u, v, -length / 2, 0, length / 2, 0, radius) / radius, 0, 1)
        dome = (1 - inside**2) * rng.uniform(0.75, 1.0)
        np.maximum(window, dome, out=window)
    slope_y, slope_x = np.gradient(height)
    return slope_y, slope_x, height


def _bumpy(tile: Tile, rng, length: float, radius: float, strength: float) -> np.ndarray:
    """Brightness [h, w, 1] of a surface of small domes in this light."""
    rows, cols = tile.alpha.shape
    slope_y, slope_x, height = _relief(length, radius)
    top = int(rng.integers(8, 249 - rows)) if rows < 240 else 0
    left = int(rng.integers(8, 249 - cols)) if cols < 240 else 0
    cut = slice(top, top + rows), slice(left, left + cols)
    facing = -(slope_x[cut] * tile.light.x + slope_y[cut] * tile.light.y)
    return (1 + strength * (facing + 0.55 * (height[cut] - 0.7)))[..., None]


FOODS = {
    "sushi": sushi,
    "edamame": edamame,
    "rice": rice,
    "ginger": ginger,
    "broccoli": broccoli,
    "tomatoes": tomatoes,
}
