"""Placing and flattening layers, against slow references written from the definitions."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.profiler import ProfilerActivity, profile
from torch.testing import assert_close

from collage_core.collage.compositing import compose
from collage_core.collage.layer import Layer
from collage_core.collage.placement import place_layer
from collage_core.errors import CollageError
from collage_core.imaging.resample import area_shrink

B, L, H, W = 2, 3, 7, 11


def layer(image: torch.Tensor, alpha: torch.Tensor, **place: Any) -> Layer:
    return Layer(image=image, alpha=alpha, text="thing", **place)


def random_layer(generator: torch.Generator, batch: int, h: int, w: int, **place: Any) -> Layer:
    image = torch.rand(batch, h, w, 3, generator=generator)
    return layer(image, torch.rand(batch, h, w, generator=generator), **place)


def opaque(
    h: int, w: int, colour: tuple[float, float, float] = (1.0, 1.0, 1.0), **place: Any
) -> Layer:
    return layer(torch.tensor(colour).expand(1, h, w, 3), torch.ones(1, h, w), **place)


def on_canvas(layer: Layer, height: int, width: int) -> torch.Tensor:
    """Premultiplied [B, 4, height, width]."""
    placed = place_layer(layer, height, width)
    canvas = torch.zeros(layer.batch, 4, height, width)
    canvas[(..., *placed.window)] = placed.pixels
    return canvas


def over(background: torch.Tensor, layers: list[Layer]) -> tuple[torch.Tensor, torch.Tensor]:
    """The definition, pixel by pixel: layers as large as the canvas, lying exactly on it."""
    image = torch.zeros(B, H, W, 3)
    visible = torch.zeros(B, len(layers), H, W)
    for b in range(B):
        for y in range(H):
            for x in range(W):
                colour = background[b % len(background), y, x]
                alphas = [one.alpha[b % one.batch, y, x] * one.opacity for one in layers]
                for i, one in enumerate(layers):
                    colour = alphas[i] * one.image[b % one.batch, y, x] + (1 - alphas[i]) * colour
                    above = math.prod(1 - alpha for alpha in alphas[i + 1 :])
                    visible[b, i, y, x] = alphas[i] * above
                image[b, y, x] = colour
    return image, visible


@pytest.mark.parametrize("batches", [(2, 2, 2, 2), (1, 2, 1, 2), (2, 1, 1, 1)])
def test_compose_is_straight_alpha_over(generator: torch.Generator, batches: tuple[int, ...]):
    layers = [random_layer(generator, n, H, W, opacity=0.5 + n / 4) for n in batches[:L]]
    background = torch.rand(batches[L], H, W, 3, generator=generator)
    image, visible = over(background, layers)
    composite = compose(background, layers)
    assert_close(composite.image, image)
    assert_close(composite.visible_alpha, visible)


def test_compose_keeps_one_set_of_masks() -> None:
    """Two figures of the report are no reason for a second tensor [B, L, H, W]."""
    many = [opaque(256, 256, opacity=0.5) for _ in range(32)]
    background = torch.zeros(1, 256, 256, 3)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        visible = compose(background, many).visible_alpha
    masks = visible.numel() * visible.element_size()
    taken = [event.self_cpu_memory_usage for event in seen.events() or []]
    assert [size for size in taken if size > masks / 4] == [masks]


def test_compose_counts_what_covers_what(generator: torch.Generator):
    layers = [random_layer(generator, n, H, W) for n in (1, 2, 2)]
    composite = compose(torch.zeros(1, H, W, 3), layers)
    own = torch.stack([one.alpha.expand(B, H, W) for one in layers], dim=1)
    assert_close(composite.covered, own.mean((0, 2, 3)))
    for low in range(L):
        for high in range(L):
            hidden = (own[:, low] * composite.visible_alpha[:, high]).mean()
            assert_close(composite.hidden_by[low, high], hidden if high > low else 0 * hidden)


def test_compose_without_layers_is_the_background(generator: torch.Generator):
    background = torch.rand(B, H, W, 3, generator=generator)
    composite = compose(background, [])
    assert_close(composite.image, background, rtol=0, atol=0)
    assert composite.visible_alpha.shape == (B, 0, H, W)


def test_compose_leaves_its_inputs_alone(generator: torch.Generator):
    layers = [random_layer(generator, 1, 5, 5, rotation=turn, scale=0.8) for turn in (0, 33)]
    background = torch.rand(1, H, W, 3, generator=generator)
    inputs = [background, *(t for one in layers for t in (one.image, one.alpha))]
    copies = [tensor.clone() for tensor in inputs]
    compose(background, layers)
    for tensor, copy in zip(inputs, copies, strict=True):
        assert_close(tensor, copy, rtol=0, atol=0)


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


@pytest.mark.parametrize("turn", [0.0, 30.0])
@pytest.mark.parametrize("scale", [0.3, 0.8, 1.0, 2.5])
def test_colour_under_alpha_zero_never_bleeds(scale: float, turn: float):
    image = torch.zeros(1, 40, 40, 3)
    image[..., 1] = 1.0  # the transparent part is green,
    image[:, 10:30, 10:30] = torch.tensor([1.0, 0, 0])  # the object is red
    alpha = torch.zeros(1, 40, 40)
    alpha[:, 10:30, 10:30] = 1
    red = torch.tensor([1.0, 0, 0]).expand(1, 64, 64, 3)  # on red, nothing else may show
    moved = layer(image, alpha, scale=scale, rotation=turn, x=0.47, y=0.52)
    assert_close(compose(red, [moved]).image, red)


@given(
    places=st.lists(
        st.fixed_dictionaries(
            {
                "x": st.floats(-0.5, 1.5),
                "y": st.floats(-0.5, 1.5),
                "scale": st.floats(0.01, 4),
                "rotation": st.floats(-400, 400),
                "opacity": st.floats(0, 1),
            }
        ),
        max_size=4,
    ),
    seed=st.integers(0, 10),
)
@settings(deadline=None, derandomize=True, max_examples=40)
def test_visible_parts_and_background_make_one(places: list[dict[str, float]], seed: int):
    generator = torch.Generator().manual_seed(seed)
    layers = [random_layer(generator, 1, 5, 3, **place) for place in places]
    black, white = (compose(torch.full((1, H, W, 3), tone), layers) for tone in (0.0, 1.0))
    visible = black.visible_alpha
    assert bool((visible >= 0).all())
    background = (white.image - black.image)[..., 0]  # how much of it shows
    assert_close(visible.sum(1) + background, torch.ones(1, H, W))


@given(st.permutations(range(3)))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_layers_apart_may_be_stacked_in_any_order(order: list[int]):
    generator = torch.Generator().manual_seed(1)
    layers = [random_layer(generator, 1, 3, 3, x=x) for x in (1.5 / W, 5.5 / W, 9.5 / W)]
    background = torch.rand(1, H, W, 3, generator=generator)
    composite = compose(background, layers)
    shuffled = compose(background, [layers[i] for i in order])
    assert_close(shuffled.image, composite.image, rtol=0, atol=0)
    assert_close(shuffled.visible_alpha, composite.visible_alpha[:, list(order)], rtol=0, atol=0)


@pytest.mark.parametrize("place", [{"x": 3.0}, {"y": -2.0}, {"x": 1.6, "rotation": 45.0}])
def test_a_layer_beyond_the_canvas_leaves_no_trace(place: dict[str, Any]):
    composite = compose(torch.zeros(1, H, W, 3), [opaque(5, 5, **place)])
    assert composite.image.max() == 0
    assert composite.visible_alpha.max() == 0
    assert composite.covered.item() == 0


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


ANGLES = [0.0, 30.0, 90.0, -90.0, 135.0, 180.0, 270.0, 359.0, 725.0]


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
