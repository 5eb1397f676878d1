"""A curve drawn with Pillow: series of labelled points, and levels to compare them with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from collage_core.storage.atomic_write import writing

SIZE = (900, 620)
LEFT, TOP, RIGHT, BOTTOM = 80, 50, 870, 540
INK, FAINT = (30, 30, 30), (215, 215, 215)


@dataclass(frozen=True)
class Point:
    """x and y with their standard errors, and the label beside it.

    Point(0.62, 0.91, "noise 0.4", x_error=0.02, y_error=0.01)
    """

    x: float
    y: float
    label: str
    x_error: float = 0.0
    y_error: float = 0.0


@dataclass(frozen=True)
class Series:
    name: str
    colour: tuple[int, int, int]
    points: tuple[Point, ...]
    label_below: bool = False


@dataclass(frozen=True)
class Axis:
    """From data to pixels: ticks at round values, the first and the last at the ends."""

    ticks: tuple[float, ...]
    start: int
    end: int

    @classmethod
    def over(cls, values: list[float], start: int, end: int) -> Axis:
        """The axis on which all values have a place."""
        low, high = min(values), max(values)
        step = next(s for s in (0.02, 0.05, 0.1, 0.2, 0.5, 1e9) if high - low <= 8 * s)
        first, last = math.floor(low / step), math.ceil(high / step)
        last = max(last, first + 1)
        return cls(tuple(round(n * step, 10) for n in range(first, last + 1)), start, end)

    def pixel(self, value: float) -> float:
        share = (value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])
        return self.start + share * (self.end - self.start)


def draw(
    series: list[Series], levels: dict[str, float], names: tuple[str, str], path: Path
) -> None:
    """names: of the x and of the y axis; levels: dashed lines across, by name."""
    points = [point for line in series for point in line.points]
    x = [p.x + side * p.x_error for p in points for side in (-1, 1)]
    y = [p.y + side * p.y_error for p in points for side in (-1, 1)]
    across, up = Axis.over(x, LEFT, RIGHT), Axis.over([*y, *levels.values()], BOTTOM, TOP)
    picture = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(15)
    _axes(pen, font, across, up, names)
    for name, level in levels.items():
        height = up.pixel(level)
        for start in range(LEFT, RIGHT, 12):
            pen.line((start, height, start + 6, height), (120, 120, 120), 2)
        pen.text((RIGHT - 6, height - 4), name, (90, 90, 90), font, anchor="rb")
    left = LEFT
    for line in series:
        _line(pen, font, line, across, up)
        pen.line((left, 24, left + 28, 24), line.colour, 3)
        pen.text((left + 36, 24), line.name, INK, font, anchor="lm")
        left += 76 + font.getlength(line.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path, replace=True) as file:
        picture.save(file, "PNG", optimize=True)


def _axes(pen: ImageDraw.ImageDraw, font, across: Axis, up: Axis, names: tuple[str, str]) -> None:
    for tick in across.ticks:
        at = across.pixel(tick)
        pen.line((at, TOP, at, BOTTOM + 5), FAINT)
        pen.text((at, BOTTOM + 9), f"{tick:g}", INK, font, anchor="ma")
    for tick in up.ticks:
        at = up.pixel(tick)
        pen.line((LEFT - 5, at, RIGHT, at), FAINT)
        pen.text((LEFT - 10, at), f"{tick:g}", INK, font, anchor="rm")
    pen.line((LEFT, TOP, LEFT, BOTTOM, RIGHT, BOTTOM), INK, 2)
    pen.text(((LEFT + RIGHT) / 2, BOTTOM + 40), names[0], INK, font, anchor="ma")
    beside = Image.new("L", (BOTTOM - TOP, 24))
    ImageDraw.Draw(beside).text((beside.width / 2, 12), names[1], 255, font, anchor="mm")
    pen.bitmap((12, TOP), beside.rotate(90, expand=True), INK)


def _line(pen: ImageDraw.ImageDraw, font, line: Series, across: Axis, up: Axis) -> None:
    places = [(across.pixel(p.x), up.pixel(p.y)) for p in line.points]
    pen.line(places, line.colour, 3)
    for (x, y), point in zip(places, line.points, strict=True):
        for bar in _bars(point, across, up):
            pen.line(bar, line.colour, 1)
        pen.ellipse((x - 5, y - 5, x + 5, y + 5), line.colour)
        aside = (x + 8, y + 6) if line.label_below else (x + 8, y - 6)
        anchor = "la" if line.label_below else "lb"
        pen.text(aside, point.label, line.colour, font, anchor=anchor)


def _bars(point: Point, across: Axis, up: Axis) -> Iterator[tuple[float, float, float, float]]:
    x, y = across.pixel(point.x), up.pixel(point.y)
    ends = [across.pixel(point.x + side * point.x_error) for side in (-1, 1)]
    yield ends[0], y, ends[1], y
    ends = [up.pixel(point.y + side * point.y_error) for side in (-1, 1)]
    yield x, ends[0], x, ends[1]
