"""ComfyUI's own LAYERS as layers of a collage: every key, its default, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from collage_core.collage.collage import Collage
from collage_core.collage.layered import read_layers
from collage_core.collage.report import describe_collage
from collage_core.collage.stack import new_canvas, with_layers
from collage_core.errors import CollageError
from collage_core.imaging.colour import GREY

GREY_VALUE = 150 / 255
CANVAS = (48, 40)


def picture(height: int = 8, width: int = 16, batch: int = 1, channels: int = 3) -> torch.Tensor:
    return torch.rand(batch, height, width, channels, generator=torch.Generator().manual_seed(1))


def item(**keys: Any) -> dict[str, Any]:
    return {"type": "raster", "image": picture(), "name": "mug", "x": 0, "y": 0} | keys


def layers(*items: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {"version": 1, "canvas": CANVAS, "layers": [*items]} | keys


def stack(value: dict[str, Any], prompt: str = "a mug, a lemon") -> Collage:
    read = read_layers(value, 0.4)
    canvas = new_canvas(read.width, read.height, GREY, "CollageFromLayers")
    return with_layers(canvas, prompt, read.layers)


def placed(value: dict[str, Any]) -> torch.Tensor:
    return stack(value).composite.image[0]


def expected(top: int, left: int, pixels: torch.Tensor) -> torch.Tensor:
    whole = torch.full((CANVAS[1], CANVAS[0], 3), GREY_VALUE)
    whole[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return whole


def refused(value: dict[str, Any]) -> str:
    with pytest.raises(CollageError) as error:
        read_layers(value, 0.4)
    assert str(error.value).startswith("CollageFromLayers, input layers")
    return str(error.value)


def test_a_layer_lies_at_its_upper_left_corner():
    assert torch.equal(placed(layers(item(x=5, y=7))), expected(7, 5, picture()[0]))


@pytest.mark.parametrize(
    ("keys", "axes"),
    [({"flip_h": True}, [1]), ({"flip_v": True}, [0]), ({"flip_h": True, "flip_v": True}, [0, 1])],
)
def test_flips(keys: dict[str, bool], axes: list[int]):
    assert torch.equal(placed(layers(item(**keys))), expected(0, 0, picture()[0].flip(axes)))


def test_rotation_is_in_radians_clockwise_about_the_middle_after_the_flip():
    found = placed(layers(item(x=8, y=8, rotation=math.pi / 2, flip_h=True)))
    turned = picture()[0].flip([1]).rot90(-1, (0, 1))  # 16 high, 8 wide about (16, 12)
    assert torch.equal(found, expected(4, 12, turned))


def test_the_same_proportions_keep_every_pixel_of_the_picture():
    big = picture(32, 64)
    (layer,) = read_layers(layers(item(image=big, w=16, h=8)), 0.4).layers
    assert layer.scale == 0.25
    assert torch.equal(layer.image, big)


def test_other_proportions_are_stretched_by_area():
    (layer,) = read_layers(layers(item(w=4, h=8)), 0.4).layers
    wanted = picture().unflatten(2, (4, 4)).mean(3)
    assert layer.scale == 1
    assert_close(layer.image, wanted)
    wide = placed(layers(item(image=torch.ones(1, 4, 4, 3), w=12, h=6)))
    assert_close(wide, expected(0, 0, torch.ones(6, 12, 3)))


def test_colour_under_alpha_0_does_not_bleed_when_stretched():
    image = torch.zeros(1, 2, 4, 3)
    image[:, :, 2:] = 1
    mask = torch.zeros(1, 2, 4)
    mask[:, :, 2:] = 1
    (layer,) = read_layers(layers(item(image=image, mask=mask, w=8, h=2)), 0.4).layers
    assert layer.image[layer.alpha > 0.01].max() < 0.01


def test_one_in_a_mask_is_transparent_and_a_fourth_channel_counts_too():
    image, mask = picture(channels=4), torch.zeros(1, 8, 16)
    image[..., 3], image[:, 0, :, 3], mask[:, :, 0] = 1, 0, 1
    (layer,) = read_layers(layers(item(image=image, mask=mask)), 0.4).layers
    wanted = torch.ones(1, 8, 16)
    wanted[:, 0], wanted[:, :, 0] = 0, 0
    assert torch.equal(layer.alpha, wanted)


def test_a_batch_is_one_layer_after_the_other_with_its_masks():
    masks = torch.zeros(2, 8, 16)
    masks[1, :4] = 1
    found = read_layers(layers(item(image=picture(batch=3), mask=masks)), 0.4).layers
    assert [layer.alpha.mean().item() for layer in found] == [1, 0.5, 1]
    assert torch.equal(torch.cat([layer.image for layer in found]), picture(batch=3))
    assert {layer.noise for layer in found} == {0.4}


def test_layers_are_sorted_by_z_index_and_equal_ones_keep_their_order():
    names = [("a", 2), ("b", -1), ("c", None), ("d", 2), ("e", 0)]
    items = [item(name=name, z_index=z) for name, z in names]
    assert [one.text for one in read_layers(layers(*items), 0).layers] == ["b", "c", "e", "a", "d"]


def test_a_hidden_layer_and_its_opacity():
    found = read_layers(layers(item(visible=False), item(opacity=0.3)), 0).layers
    assert [(one.visible, one.opacity) for one in found] == [(False, 1), (True, 0.3)]


@pytest.mark.parametrize(
    ("given", "blend"),
    [("soft-light", "soft light"), ("linear-dodge", "add"), ("multiply", "multiply"),
     ("normal", "normal"), ("hue", "normal"), (None, "normal")],
)  # fmt: skip
def test_blend_modes(given: str, blend: str):
    (layer,) = read_layers(layers(item(blend_mode=given)), 0).layers
    assert layer.blend == blend
    assert bool(layer.notes) == (given == "hue")


def test_a_missing_canvas_is_what_the_layers_reach_in_whole_cells():
    value = layers(item(x=5), item(y=9, w=20, h=20, rotation=math.pi / 4), canvas=None)
    read = read_layers(value, 0)
    assert (read.width, read.height) == (32, 40)  # 10 + 14.14 and 19 + 14.14, up
    (alone,) = [read_layers(layers(item(x=-9), canvas=None), 0)]
    assert (alone.width, alone.height) == (8, 8)


def test_a_canvas_that_is_no_multiple_grows_to_the_right_and_down():
    read = read_layers(layers(item(x=5, y=7), canvas=(41, 33)), 0)
    assert (read.width, read.height) == CANVAS
    assert torch.equal(
        placed(layers(item(x=5, y=7), canvas=(41, 33))), expected(7, 5, picture()[0])
    )


@pytest.mark.parametrize(
    ("keys", "noted"),
    [({}, False), ({"opacity": 0.5}, True), ({"rotation": 0.3}, True), ({"flip_h": True}, False),
     ({"blend_mode": "screen"}, True), ({"mask": torch.full((1, 8, 16), 0.5)}, True)],
)  # fmt: skip
def test_what_linear_light_would_change_is_noted(keys: dict[str, Any], noted: bool):
    assert bool(read_layers(layers(item(**keys)), 0).notes) == noted


def test_the_report_tells_of_the_layer_that_lost_its_blend_mode():
    assert 'the blend mode "hue" is not known' in describe_collage(
        stack(layers(item(blend_mode="hue")))
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (layers(item(), version=2), "their version is 2, and this pack reads 1. Update the pack."),
        ({"layers": [item()]}, "their version is None"),
        (layers(item(), item(name=" "), item(name=None)), "layer 2, 3 has no name. Write into"),
        (layers(item(), item(type="text")), 'number 2 is of the type "text"'),
        (layers({"type": "raster", "name": "mug"}), "number 1 has no image"),
        (layers(item(image=torch.ones(8, 16, 3))), "number 1: has the shape [8, 16, 3]"),
        (layers(item(image=torch.full((1, 8, 16, 3), math.nan))), "layer 1: has 384 NaN values"),
        (layers(item(mask=torch.ones(3))), "layer 1, mask: has the shape [3]"),
        (layers(item(x="left")), "layer 1: its x is no number"),
        (layers(item(x=math.nan)), "layer 1: its x is no number"),
        (layers(item(z_index=[])), "its z_index is no number"),
        (layers(item(w=-4)), "layer 1: its size of -4 x 8 pixels cannot be drawn"),
        (layers(item(w=20000, h=20000)), "cannot be drawn. Enter a width and a height of at least"),
        (layers(item(opacity=1.5)), 'layer 1: CollageLayer "mug", input opacity: 1.5 is outside'),
        (layers(item(x=4000)), "input x: "),
        (layers(item(image=picture(batch=65))), "65 layers are more than the 64"),
        (layers(item(), canvas=(9000, 8)), "their canvas of 9000 x 8 pixels cannot be used"),
        (layers(item(), canvas="big"), "their canvas of no size pixels cannot be used"),
        (layers(item(), canvas=(64,)), "their canvas of 64 pixels cannot be used"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(value: dict[str, Any], said: str):
    assert said in refused(value)


def test_nothing_that_came_in_is_written_to():
    value = layers(item(w=5, h=20, mask=torch.zeros(1, 8, 16)))
    before = [value["layers"][0][name].clone() for name in ("image", "mask")]
    stack(value)
    after = [value["layers"][0][name] for name in ("image", "mask")]
    assert all(map(torch.equal, before, after))
