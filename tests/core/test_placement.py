"""Placing layers on the canvas, against the definitions."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from collage_core.collage.layer import Layer
from collage_core.collage.placement import place_layer
from collage_core.errors import CollageError
from collage_core.imaging.resample import area_shrink

from .placed_layer import layer, opaque, random_layer

B, H, W = 2, 7, 11
ANGLES = [0.0, 30.0, 90.0, -90.0, 135.0, 180.0, 270.0, 359.0, 725.0]


def on_canvas(layer: Layer, height: int, width: int) -> torch.Tensor:
    """Premultiplied [B, 4, height, width]."""
    placed = place_layer(layer, height, width)
    canvas = torch.zeros(layer.batch, 4, height, width)
    canvas[(..., *placed.window)] = placed.pixels
    return canvas


@pytest.mark.parametrize(("top", "left"), [(0, 0), (3, 2), (-2, 4), (5, 9), (-3, -4)])
def test_whole_pixels_are_copied_exactly_and_cropped(
    generator: torch.Generator, top: int, left: int
):
    h, w = 5, 3
    one = random_layer(generator, B, h, w, x=(left + w / 2) / W, y=(top + h / 2) / H)
    canvas = on_canvas(one, H, W)
    expected = torch.zeros(B, 4, H + 20, W + 20)
    straight = torch.cat((one.image * one.alpha[..., None], one.alpha[..., None]), dim=-1)
    expected[:, :, 10 + top : 10 + top + h, 10 + left : 10 + left + w] = straight.movedim(-1, 1)
    assert_close(canvas, expected[:, :, 10:-10, 10:-10], rtol=0, atol=0)


def test_rounding_errors_of_the_position_do_not_blur(generator: torch.Generator):
    alpha = torch.rand(1, 1, 250, generator=generator)
    for left in range(0, 937, 3):  # n / 1187 * 1187 is not n for some of these
        one = layer(torch.ones(1, 1, 250, 3), alpha, x=(left + 125) / 1187)
        moved = on_canvas(one, 1, 1187)[0, 3, 0, left : left + 250]
        assert_close(moved, alpha[0, 0], rtol=0, atol=0)


@pytest.mark.parametrize("quarters", [1, 2, 3, -1])
def test_quarter_turns_are_exact_and_counter_clockwise(quarters: int):
    image = torch.zeros(1, 3, 3, 3)
    image[0, 1, 2] = 1.0  # the middle of the right edge
    canvas = on_canvas(layer(image, torch.ones(1, 3, 3), rotation=90.0 * quarters), 3, 3)
    # counter-clockwise for the viewer: right, top, left, bottom
    y, x = {1: (0, 1), 2: (1, 0), 3: (2, 1)}[quarters % 4]
    assert canvas[0, 0].nonzero().tolist() == [[y, x]]
    assert canvas[0, 0, y, x] == 1


def test_any_angle_turns_counter_clockwise():
    image = torch.zeros(1, 9, 61, 3)
    image[0, :, 50:] = 1.0  # the right end of a bar is white
    canvas = on_canvas(layer(image, torch.ones(1, 9, 61), rotation=30.0), 61, 61)
    white = canvas[0, 0].nonzero().float().mean(0) - 30
    assert white[0] < -5  # above the centre
    assert white[1] > 5  # and to its right
    assert_close(math.degrees(math.atan2(-white[0], white[1])), 30.0, atol=1.0, rtol=0)


@pytest.mark.parametrize("turn", [0.0, 17.0, 123.0])
@pytest.mark.parametrize("scale", [0.25, 0.37, 0.9, 1.0, 1.7, 6.0])
def test_a_layer_covers_the_area_it_should(scale: float, turn: float):
    canvas = on_canvas(opaque(23, 31, scale=scale, rotation=turn, x=0.503, y=0.497), 229, 229)
    assert_close(canvas[0, 3].sum().item(), 23 * 31 * scale**2, rtol=0.01, atol=0)
    assert canvas[0, 3].max() <= 1


def test_half_a_pixel_off_is_bilinear():
    alpha = torch.tensor([[[1.0, 0.0, 0.0, 1.0]]])
    one = layer(torch.ones(1, 1, 4, 3), alpha, x=3.5 / 8, y=0.5)
    expected = torch.tensor([0, 0.5, 0.5, 0, 0.5, 0.5, 0, 0])
    assert_close(on_canvas(one, 1, 8)[0, 3, 0], expected)


@pytest.mark.parametrize(("old", "new"), [(12, 4), (12, 5), (7, 7), (13, 1), (11, 10)])
def test_area_shrink_is_the_mean_of_the_covered_area(
    generator: torch.Generator, old: int, new: int
):
    pixels = torch.rand(B, 4, old, 3, generator=generator)
    fine = pixels.repeat_interleave(new, dim=2)  # old * new rows, each 1 / new of a pixel
    expected = fine.unflatten(2, (new, old)).mean(3)
    assert_close(area_shrink(pixels, new, 3), expected)
    assert_close(area_shrink(pixels.transpose(2, 3), 3, new), expected.transpose(2, 3))


def test_a_third_of_the_size_is_the_mean_of_nine_pixels(generator: torch.Generator):
    one = random_layer(generator, 1, 63, 45, scale=1 / 3)
    assert_close(on_canvas(one, 21, 15)[:, 3:], F.avg_pool2d(one.alpha[:, None], 3))


def test_fine_stripes_shrink_to_grey_at_any_angle():
    stripes = torch.arange(90).remainder(2).float().expand(1, 90, 90)
    one = layer(torch.ones(1, 90, 90, 3), stripes, scale=0.3, rotation=13.0)
    middle = on_canvas(one, 27, 27)[0, 3, 8:-8, 8:-8]
    assert_close(middle, torch.full_like(middle, 0.5), rtol=0, atol=0.1)


def test_one_pixel_can_be_stretched_and_turned():
    assert_close(on_canvas(opaque(1, 1, scale=100.0), H, W)[0, 3], torch.ones(H, W))
    spot = on_canvas(opaque(1, 1, scale=0.1, rotation=45.0), H, W)[0, 3]
    assert_close(spot.sum().item(), 0.01, rtol=0.01, atol=0)


def test_a_large_canvas_keeps_whole_pixels_exact():
    one = opaque(8, 8, x=(4001 + 4) / 8191, y=4 / 8)
    canvas = on_canvas(one, 8, 8191)
    assert canvas[0, 3].sum() == 64
    assert canvas[0, 3, :, 4001:4009].eq(1).all()


@pytest.mark.parametrize(
    ("fit", "scale", "rows", "columns"),
    [
        ("contain", 1.0, 15, 30),  # a layer of 20 x 40 on a canvas of 24 x 30
        ("contain", 0.5, 7.5, 15),
        ("cover", 1.0, 24, 30),
        ("pixels", 0.5, 10, 20),
    ],
)
def test_a_size_can_be_measured_against_the_canvas(
    fit: str, scale: float, rows: float, columns: float
):
    placed = on_canvas(opaque(20, 40, fit=fit, scale=scale), 24, 30)
    alpha = placed[0, 3].double()
    assert alpha.sum(0).max().item() == pytest.approx(rows, abs=1e-4)
    assert alpha.sum(1).max().item() == pytest.approx(columns, abs=1e-4)


@pytest.mark.parametrize("rotation", ANGLES)
@pytest.mark.parametrize(("h", "w"), [(20, 40), (40, 20)])
def test_a_turned_layer_is_contained_as_it_lies(h: int, w: int, rotation: float):
    one = opaque(h, w, fit="contain", rotation=rotation)
    alpha = on_canvas(one, 48, 60)[0, 3].double()
    area = h * w * one.scale_on(48, 60) ** 2
    assert alpha.sum().item() == pytest.approx(area, rel=0.01)  # nothing is cut off
    rows, columns = (alpha.sum(axis).nonzero().flatten() for axis in (1, 0))
    assert (
        max((rows[-1] - rows[0] + 1).item() / 48, (columns[-1] - columns[0] + 1).item() / 60) > 0.95
    )


@pytest.mark.parametrize("rotation", ANGLES)
@pytest.mark.parametrize(("h", "w"), [(20, 40), (40, 20)])
def test_a_turned_layer_covers_the_canvas_as_it_lies(h: int, w: int, rotation: float):
    def least(scale: float) -> float:
        one = opaque(h, w, fit="cover", rotation=rotation, scale=scale)
        return on_canvas(one, 48, 60)[0, 3].min().item()

    assert least(1.0) == pytest.approx(1, abs=1e-4)
    assert least(0.9) < 0.5  # no larger than need be


def test_a_quarter_turn_fits_as_the_turned_picture(generator: torch.Generator):
    one = random_layer(generator, 1, 20, 40)
    turned = layer(one.image.rot90(1, (1, 2)), one.alpha.rot90(1, (1, 2)), fit="contain")
    both = (replace(one, fit="contain", rotation=90.0), turned)
    first, second = (on_canvas(each, 48, 24) for each in both)
    assert_close(first, second, rtol=0, atol=0)


def test_what_covers_the_canvas_is_cut_off_evenly():
    wide = torch.arange(40.0).div(39)[None, None, :, None].expand(1, 20, 40, 3)
    placed = on_canvas(layer(wide, torch.ones(1, 20, 40), fit="cover"), 20, 20)
    assert_close(placed[0, 0], wide[0, :, 10:30, 0])


def test_a_fit_that_does_not_exist():
    with pytest.raises(CollageError, match='input fit: "fill" is none of pixels, contain, cover'):
        opaque(2, 2, fit="fill")
