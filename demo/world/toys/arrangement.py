"""The toys story: one to four toys on a wood table or a stone floor, before a wall."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..backdrop import WALLS
from ..scene import SIZE, Placed
from . import figures, room
from .solids import COLORS, PATTERNS, SOLIDS, Paintwork, Toy

FIGURES = {
    "teddy bear": figures.teddy_bear,
    "wood train": figures.wood_train,
    "football": figures.football,
}
GROUNDS = ("wall", "table", "floor")  # what is no toy
KINDS = (*GROUNDS, *FIGURES, *SOLIDS)

COUNTS = (0.3, 0.3, 0.25, 0.15)  # one toy, two, three, four
SIZES = ((98, 110), (82, 98), (69, 82), (57, 69))  # of a toy, by how many there are
FIGURE_SHARE = 0.11  # of each
PATTERN_SHARE = 0.25
NEAREST, MARGIN = 234, 5
MOST_OVERLAP = 0.1  # of the boxes of two toys
ATTEMPTS = 120


@dataclass(frozen=True)
class Wanted:
    """A toy by its words; `look`: how a solid is painted instead."""

    kind: str
    color: str = ""
    pattern: str = ""
    look: Callable[[np.random.Generator, float], Paintwork] | None = None

    @property
    def phrase(self) -> str:
        return " ".join(word for word in (self.color, self.pattern, self.kind) if word)

    def make(self, rng: np.random.Generator, size: float) -> Toy:
        if self.kind in FIGURES:
            return FIGURES[self.kind](rng, size)
        if self.look is not None:
            return SOLIDS[self.kind](rng, size, self.look(rng, size))
        paint = Paintwork.random(rng, self.color, self.pattern, size)
        return SOLIDS[self.kind](rng, size, paint)


@dataclass(frozen=True)
class _Spot:
    """The box of a toy: its middle, where it stands, and its size."""

    x: float
    base: float
    toy: Toy

    def overlap(self, other: _Spot) -> float:
        """The share of the smaller box that both cover."""
        a, b = self.toy, other.toy
        wide = min(self.x + a.width / 2, other.x + b.width / 2) - max(
            self.x - a.width / 2, other.x - b.width / 2
        )
        tall = min(self.base, other.base) - max(self.base - a.height, other.base - b.height)
        return max(wide, 0) * max(tall, 0) / min(a.width * a.height, b.width * b.height)


def arrange(rng: np.random.Generator) -> tuple[str, list[Placed]]:
    return arrange_chosen(rng, _choose)


def arrange_chosen(
    rng: np.random.Generator,
    choose: Callable[[np.random.Generator, str], list[Wanted]],
    crowd: int = 0,
) -> tuple[str, list[Placed]]:
    """The toys that are chosen for a wall's colour; as small as `crowd` toys would be, if given."""
    color = str(rng.choice(list(WALLS)))
    horizon = int(rng.integers(112, 136))
    ground = "table" if rng.random() < 0.5 else "floor"
    wanted = choose(rng, color)
    sizes = SIZES[(crowd or len(wanted)) - 1]
    placed = [*_backdrop(rng, color, ground, horizon), *_place(rng, wanted, horizon, sizes)]
    return _caption([toy.phrase for toy in wanted], placed[1].phrase, placed[0].phrase), placed


def _choose(rng: np.random.Generator, wall: str) -> list[Wanted]:
    """Toys of different words, none in the colour of the wall."""
    count = 1 + int(rng.choice(len(COUNTS), p=COUNTS))
    colors = [color for color in COLORS if color != wall]
    chosen: list[Wanted] = []
    while len(chosen) < count:
        which = int(rng.random() / FIGURE_SHARE)
        if which < len(FIGURES):
            toy = Wanted(list(FIGURES)[which])
        else:
            pattern = str(rng.choice(PATTERNS)) if rng.random() < PATTERN_SHARE else ""
            toy = Wanted(str(rng.choice(list(SOLIDS))), str(rng.choice(colors)), pattern)
        if toy not in chosen:
            chosen.append(toy)
    return chosen


def _backdrop(rng: np.random.Generator, color: str, ground: str, horizon: int) -> list[Placed]:
    middle, height = SIZE / 2, SIZE - horizon
    wall = room.wall(rng, color, horizon, skirting=ground == "floor")
    make = room.table if ground == "table" else room.floor
    phrase = "wood table" if ground == "table" else "stone floor"
    return [
        Placed("wall", color, f"{color} wall", wall, middle, middle, lift=0),
        Placed(ground, "", phrase, make(rng, height), middle, horizon + height / 2, lift=3),
    ]


def _place(
    rng: np.random.Generator, wanted: list[Wanted], horizon: int, sizes: tuple[float, float]
) -> list[Placed]:
    """The toys, far ones first and a little smaller."""
    size = rng.uniform(*sizes)
    farthest = max(horizon + 26, 150)
    toys: list[tuple[float, Toy]] = []
    for index, toy in enumerate(wanted):
        share = (index + rng.uniform(0.2, 0.8)) / len(wanted)
        base = farthest + (NEAREST - farthest) * (share if len(wanted) > 1 else 0.3 + 0.5 * share)
        near = 0.9 + 0.16 * (base - farthest) / (NEAREST - farthest)
        toys.append((base, toy.make(rng, size * near * rng.uniform(0.95, 1.05))))
    return [
        Placed(
            toy.kind,
            toy.color,
            toy.phrase,
            spot.toy.draw,
            spot.x,
            spot.base - spot.toy.height / 2,
            stands=True,
        )
        for toy, spot in zip(wanted, _spread(rng, toys), strict=True)
    ]


def _spread(rng: np.random.Generator, toys: list[tuple[float, Toy]]) -> list[_Spot]:
    """Places across the canvas for toys (where they stand, what) that hide little of each other."""
    best, least = [], np.inf
    for _ in range(ATTEMPTS):
        spots: list[_Spot] = []
        worst = 0.0
        for base, toy in toys:
            reach = (SIZE / 2 - MARGIN - toy.width / 2) * (0.75 if len(toys) == 1 else 1)
            spot = _Spot(SIZE / 2 + rng.uniform(-reach, reach), base, toy)
            worst = max([worst, *(spot.overlap(other) for other in spots)])
            if worst >= least:
                break
            spots.append(spot)
        else:
            best, least = spots, worst
        if least <= MOST_OVERLAP:
            break
    return best


def _caption(toys: list[str], ground: str, wall: str) -> str:
    named = [f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}" for phrase in toys]
    listed = " and ".join(part for part in (", ".join(named[:-1]), named[-1]) if part)
    return f"{listed} on a {ground} before a {wall}"
