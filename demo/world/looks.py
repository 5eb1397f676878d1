"""Looks of toys that no caption of the world names, for LoRAs to learn.

An eye on a ball, yellow and black checks on a cube, a rainbow on a cone: their words are "ball",
"cube" and "cone" alone. These toys can be painted with each other's looks, too, so that a look in a
wrong place can be told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .scene import Scene, render
from .toys.arrangement import PATTERN_SHARE, Wanted, arrange_chosen
from .toys.solids import COLORS, PATTERNS, Paintwork

BLACK = np.array((0.10, 0.10, 0.12), np.float32)
RAINBOW = ("purple", "blue", "green", "yellow", "orange", "red")  # from below
SQUARE, BAND = 0.227, 0.17  # of the toy's size: a third of a cube's side, a sixth of a cone
CROWD = 3  # a lone toy is as large as one of one, two or three
LOOK_SHARE = 0.6  # of the toys in a mixed scene


@dataclass(frozen=True)
class Look(Paintwork):
    """A paintwork that stands where it stands (period 0), measured by the size of the toy."""

    size: float


class Eye(Look):
    """A blue iris with a black rim and pupil, in the middle of a ball or of each face."""

    def __call__(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        away = np.hypot(u, v)
        color = np.broadcast_to(self.base, (*away.shape, 3))
        for radius, disc in ((0.29, BLACK), (0.25, np.array(COLORS["blue"])), (0.13, BLACK)):
            cover = np.clip(0.5 - (away - radius * self.size), 0, 1)[..., None]
            color = color + (disc - color) * cover
        return color


class Checks(Look):
    """Squares, three by three on each face of a cube."""

    def __call__(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        side = SQUARE * self.size
        waves = np.cos(np.pi * u / side) * np.cos(np.pi * v / side)
        cover = np.clip(0.5 + waves * side * 2 / np.pi, 0, 1)[..., None]  # two pixels of rim
        return self.base + (BLACK - self.base) * cover


class Rainbow(Look):
    """Bands around the toy, purple below and red above."""

    def __call__(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        place = -v / (BAND * self.size) + 0 * u
        band = np.floor(place)
        colors = np.array([COLORS[name] for name in RAINBOW], np.float32)
        low, high = (colors[(band + more).astype(int) % len(colors)] for more in (0, 1))
        rest = (place - band)[..., None]
        return low + (high - low) * np.clip(0.5 + (rest - 1) * BAND * self.size, 0, 1)


# kind of the toy that has the look -> its name, class and first colour
LOOKS: dict[str, tuple[str, type[Look], str]] = {
    "ball": ("eye", Eye, "white"),
    "cube": ("checks", Checks, "yellow"),
    "cone": ("rainbow", Rainbow, "purple"),
}


def wanted(kind: str, look: str = "") -> Wanted:
    """The toy `kind` in its own look, or in that of the kind `look`."""
    _, form, color = LOOKS[look or kind]
    base = np.array(COLORS[color], np.float32)
    return Wanted(kind, look=lambda _, size: form(base, BLACK, "", 0.0, size))


def alone(seed: int, kind: str) -> Scene:
    """A scene of one toy with its look, without a collage."""
    rng = np.random.default_rng(seed)
    crowd = 1 + int(rng.integers(CROWD))
    caption, placed = arrange_chosen(rng, lambda *_: [wanted(kind)], crowd)
    return render(caption, placed, rng, collage=False)


def together(seed: int, *, dressed: bool = False) -> Scene:
    """A scene and collage of the kinds of LOOKS, in ordinary colours that its words do not name.

    dressed: each toy in its look instead, all else the same.
    """
    rng = np.random.default_rng(seed)

    def choose(rng: np.random.Generator, wall: str) -> list[Wanted]:
        toys = [_plain(rng, str(kind), wall) for kind in rng.permutation([*LOOKS])]
        return [wanted(toy.kind) for toy in toys] if dressed else toys

    caption, placed = arrange_chosen(rng, choose)
    return render(caption, placed, rng)


def mixed(seed: int) -> tuple[Scene, list[str]]:
    """A scene of two to four toys, without a collage; the kind whose look each has, or ""."""
    rng, told = np.random.default_rng(seed), []

    def choose(rng: np.random.Generator, wall: str) -> list[Wanted]:
        toys = []
        for _ in range(2 + int(rng.integers(3))):
            kind = str(rng.choice([*LOOKS]))
            look = str(rng.choice([*LOOKS])) if rng.random() < LOOK_SHARE else ""
            toys.append(wanted(kind, look) if look else _plain(rng, kind, wall))
            told.append(look)
        return toys

    caption, placed = arrange_chosen(rng, choose)
    return render(caption, placed, rng, collage=False), told


def _plain(rng: np.random.Generator, kind: str, wall: str) -> Wanted:
    """A toy in a colour and perhaps a pattern of the world that its words leave open."""
    color = str(rng.choice([color for color in COLORS if color != wall]))
    pattern = str(rng.choice(PATTERNS)) if rng.random() < PATTERN_SHARE else ""
    own = np.random.default_rng(rng.integers(2**32))  # so that nothing else depends on the paint
    return Wanted(kind, look=lambda _, size: Paintwork.random(own, color, pattern, size))
