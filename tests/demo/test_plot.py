"""The drawn curve: every value has a place, and stands where the axes say."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from demo import plot
from demo.plot import Axis, Point, Series, draw

RED = (255, 0, 0)


@pytest.mark.parametrize("values", [[0.31, 0.98], [0.5, 0.5], [-0.1, 0.02, 0.07]])
def test_an_axis_has_a_place_for_every_value(values: list[float]) -> None:
    axis = Axis.over(values, 100, 500)
    assert axis.ticks[0] <= min(values)
    assert max(values) <= axis.ticks[-1]
    assert 2 <= len(axis.ticks) <= 11
    assert (axis.pixel(axis.ticks[0]), axis.pixel(axis.ticks[-1])) == (100, 500)


def test_points_stand_where_the_axes_say_and_their_errors_are_drawn(tmp_path) -> None:
    points = (Point(0.2, 0.2, "0"), Point(1.0, 1.0, "1", y_error=0.1))
    draw([Series("line", RED, points)], {"level": 0.5}, ("across", "up"), tmp_path / "a.png")
    picture = np.asarray(Image.open(tmp_path / "a.png"))
    across = Axis.over([0.2, 1.0], plot.LEFT, plot.RIGHT)
    up = Axis.over([0.2, 1.1], plot.BOTTOM, plot.TOP)
    for x, y in ((0.2, 0.2), (1.0, 1.0), (0.6, 0.6), (1.0, 1.09)):
        assert tuple(picture[round(up.pixel(y)), round(across.pixel(x))]) == RED, (x, y)
    level = picture[round(up.pixel(0.5)), plot.LEFT : plot.RIGHT]
    assert 0.4 < (level == 120).all(-1).mean() < 0.7  # dashed


def test_the_legend_of_three_lines_stays_on_the_picture(tmp_path) -> None:
    colours = [RED, (0, 160, 0), (0, 0, 255)]
    names = ["PerLayerNoiseKSampler", "grow_kept_by 0", "DifferentialDiffusion"]
    points = (Point(0.2, 0.2, "0"), Point(1.0, 1.0, "1"))
    lines = [Series(name, colour, points) for name, colour in zip(names, colours, strict=True)]
    draw(lines, {}, ("across", "up"), tmp_path / "a.png")
    legend = np.asarray(Image.open(tmp_path / "a.png"))[: plot.TOP - 8]
    assert all((legend == colour).all(-1).any() for colour in colours)
    assert (legend[:, -8:] == 255).all(), "the last name is cut off"
