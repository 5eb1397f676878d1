"""A stack is built from its inputs: canvas, colour, background picture, layers."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch.testing import assert_close

from collage_core.collage.layer import Layer
from collage_core.collage.stack import new_canvas, on_top_of, with_layers, with_picture
from collage_core.imaging.colour import GREY, parse_colour

from .small_collage import layer, message


def test_a_new_canvas_has_one_colour():
    canvas = new_canvas(24, 16, "#ff8000")
    assert_close(canvas.background[0, 15, 23], torch.tensor([1, 128 / 255, 0]))
    assert canvas.background.shape == (1, 16, 24, 3)


@pytest.mark.parametrize("text", ["#ff0080", "FF0080", " #f08 "])
def test_colours_are_hexadecimal(text: str):
    expected = [255, 0, 128] if len(text.strip()) > 4 else [255, 0, 136]
    assert_close(parse_colour(text, "CollageStack") * 255, torch.tensor(expected).float())


@pytest.mark.parametrize(
    "text", ["", "red", "#ff00", "#gg0000", "#ff0000ff", "#\u0661\u0661\u0661"]
)
def test_other_colours_are_refused(text: str):
    said = message(parse_colour, text, "CollageStack")
    assert f'input background: "{text}" is not a colour' in said
    assert "#969696" in said


def test_layers_are_stacked_in_order():
    low, high = layer(tone=0.25), layer("hat", tone=0.75)
    stack = with_layers(new_canvas(24, 16, GREY), "bear hat", [low, high])
    assert stack.layers == (low, high)
    assert stack.composite.image[0, 8, 12, 0] == 0.75


def test_a_stack_needs_a_layer():
    assert "input layers: no layer is connected" in message(
        with_layers, new_canvas(24, 16, GREY), "bear", []
    )


def test_a_stack_below_brings_canvas_background_prompt_and_layers():
    below = with_layers(new_canvas(24, 16, "#ff0000"), "bear and hat", [layer()])
    stack = with_layers(on_top_of(below, 24, 16, GREY), " ", [layer("hat")])
    assert (stack.width, stack.height, stack.prompt) == (24, 16, "bear and hat")
    assert [one.text for one in stack.layers] == ["bear", "hat"]
    assert_close(stack.background, below.background)
    assert stack.notes == ()
    assert with_layers(on_top_of(below, 24, 16, GREY), "", []).layers == below.layers
    assert with_layers(on_top_of(below, 24, 16, GREY), "my bear", []).prompt == "my bear"


def test_a_stack_below_overrules_size_and_colour_with_notes():
    below = with_layers(new_canvas(24, 16, GREY), "bear", [layer()])
    size, colour = on_top_of(below, 512, 512, "#123456").notes
    assert size == "the canvas is the 24 x 16 of the stack below; 512 x 512 here is not used"
    assert "#123456 here is not used" in colour


def test_a_background_picture_covers_the_canvas_around_its_centre():
    picture = torch.zeros(1, 8, 36, 3)  # twice as large on a canvas of 16 x 24: 12 columns show
    picture[:, :, 12:24] = 1
    canvas = with_picture(new_canvas(24, 16, "#ff0000"), picture, "#ff0000")
    assert canvas.background.shape == (1, 16, 24, 3)
    assert_close(canvas.background, torch.ones(1, 16, 24, 3))


@pytest.mark.parametrize("size", [(1, 1), (16, 24), (33, 47), (5, 500), (500, 5)])
def test_a_background_picture_may_have_any_size(size: tuple[int, int]):
    grey = torch.full((1, *size, 3), 0.5)
    assert_close(
        with_picture(new_canvas(24, 16, GREY), grey, GREY).background,
        torch.full((1, 16, 24, 3), 0.5),
    )


def test_a_background_picture_of_the_canvas_size_is_kept_exactly(generator: torch.Generator):
    picture = torch.rand(2, 16, 24, 3, generator=generator)
    canvas = with_picture(new_canvas(24, 16, GREY), picture, GREY)
    assert_close(canvas.background, picture, rtol=0, atol=0)


def test_a_transparent_background_picture_lies_on_the_colour():
    picture = torch.zeros(1, 16, 24, 4)
    canvas = with_picture(new_canvas(24, 16, GREY), picture, "#00ff00")
    assert_close(canvas.background[0, 0, 0], torch.tensor([0.0, 1.0, 0.0]))


def test_a_bad_background_picture_is_named():
    said = message(with_picture, new_canvas(24, 16, GREY), torch.full((1, 2, 2, 3), math.nan), GREY)
    assert said.startswith("CollageStack, input background_image: has 12 NaN values")


# torch refuses to mix the device "meta" with any other, as it does a GPU's: no GPU is needed here.
@pytest.mark.parametrize(("below", "above"), [("meta", "cpu"), ("meta", "meta"), ("cpu", "cpu")])
def test_layers_of_several_devices_come_to_that_of_the_lowest(below: str, above: str):
    def on(device: str) -> Layer:
        one = layer(rotation=20.0)
        return dataclasses.replace(one, image=one.image.to(device), alpha=one.alpha.to(device))

    low, high = on(below), on(above)
    stacked = with_layers(new_canvas(24, 16, GREY), "a bear", [low, high, high])
    further = with_layers(stacked, "", [high])
    for made in (stacked, further):
        assert made.composite.image.device.type == below
        assert made.composite.visible_alpha.device.type == below
        assert {one.alpha.device.type for one in made.layers} == {below}
    assert stacked.layers[1] is stacked.layers[2]
    assert stacked.layers[0] is low
