"""The box of a crop: one, whole, and on the canvas."""

from __future__ import annotations

import pytest
import torch

from collage_core.collage.box import Box, read_box
from collage_core.collage.collage import Collage
from collage_core.errors import CollageError

COLLAGE = Collage(width=64, height=40, prompt="", background=torch.zeros(1, 40, 64, 3))


def of(*sides: object) -> dict[str, object]:
    return dict(zip(("x", "y", "width", "height"), sides, strict=True))


@pytest.mark.parametrize("value", [of(3, 5, 61, 35), [of(3, 5, 61, 35)], [[of(3.0, 5, 61, 35.0)]]])
def test_one_box_is_read(value: object) -> None:
    box = read_box(value, COLLAGE, "")
    assert box == Box(3, 5, 61, 35)
    assert str(box) == "the crop of 61 x 35 pixels at x 3, y 5"


def test_cut() -> None:
    canvas = torch.arange(40 * 64).view(1, 1, 40, 64)
    cut = Box(3, 5, 7, 2).cut(canvas)
    assert cut.flatten().tolist() == [row * 64 + 3 + i for row in (5, 6) for i in range(7)]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([], "0 boxes arrived"),
        (["a"], "0 boxes arrived"),
        ([of(0, 0, 8, 8), of(8, 8, 8, 8)], "2 boxes arrived"),
        (of(0.5, 0, 8, 8), "has no whole x, y, width and height"),
        (of(float("nan"), 0, 8, 8), "has no whole x"),
        (of("0", 0, 8, 8), "has no whole x"),
        ({"x": 0, "y": 0, "width": 8}, "has no whole x"),
        (of(-1, 0, 8, 8), "does not lie on the canvas of 64 x 40"),
        (of(60, 0, 5, 8), "the crop of 5 x 8 pixels at x 60, y 0 does not lie on"),
        (of(0, 33, 8, 8), "does not lie on"),
        (of(0, 0, 0, 8), "does not lie on"),
    ],
)
def test_what_is_no_box_of_the_canvas(value: object, told: str) -> None:
    with pytest.raises(CollageError, match=f"^HERE: .*{told}"):
        read_box(value, COLLAGE, "HERE")


def test_nothing_is_the_whole_canvas() -> None:
    assert read_box(None, COLLAGE, "") is None
