"""Every layer alone on the canvas: pixels, masks and boxes."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from collage_core.collage.collage import Collage
from collage_core.collage.cutouts import boxes, describe_layout, layer_cutouts, layer_on_canvas
from collage_core.collage.layer import Layer
from collage_core.imaging.pixels import seen_box

B, H, W = 2, 16, 24
GROUND = torch.tensor([0.1, 0.2, 0.3])


def layer(generator: torch.Generator, text: str, batch: int = 1, **settings: Any) -> Layer:
    """8 x 8 random pixels with a random alpha."""
    image = torch.rand(batch, 8, 8, 3, generator=generator)
    alpha = torch.rand(batch, 8, 8, generator=generator)
    return Layer(image=image, alpha=alpha, text=text, **settings)


def collage(*layers: Layer) -> Collage:
    prompt = ", ".join(one.text for one in layers)
    background = torch.zeros(1, H, W, 3)
    return Collage(width=W, height=H, prompt=prompt, background=background, layers=layers)


@pytest.fixture
def stack(generator: torch.Generator) -> Collage:
    """A layer in the middle, a hidden one, and one over its right half and beyond the canvas."""
    low = layer(generator, "low", opacity=0.5)
    over = layer(generator, "over", batch=B, x=2 / 3)
    return collage(low, layer(generator, "hidden", visible=False), over)


def test_own_pixels_are_straight_and_keep_their_opacity(generator: torch.Generator):
    one = layer(generator, "one", opacity=0.5)
    own = layer_on_canvas(one, H, W)
    assert own.window == (slice(4, 12), slice(8, 16))
    assert_close(own.colour, one.image.movedim(-1, 1))
    assert_close(own.alpha.squeeze(1), one.alpha / 2)


def test_colour_under_no_alpha_is_black():
    bare = Layer(image=torch.ones(1, 8, 8, 3), alpha=torch.zeros(1, 8, 8), text="bare")
    assert layer_on_canvas(bare, H, W).colour.abs().max() == 0


def test_layers_alone_show_what_others_hide(stack: Collage):
    cuts = layer_cutouts(stack, None, GROUND)
    low, _, over = stack.layers
    expected = GROUND.repeat(2, B, H, W, 1)
    full = torch.zeros(2, B, H, W)
    full[0, :, 4:12, 8:16], full[1, :, 4:12, 12:20] = 0.5 * low.alpha, over.alpha
    expected[0, :, 4:12, 8:16] = low.image
    expected[1, :, 4:12, 12:20] = over.image
    expected = torch.lerp(GROUND.expand_as(expected), expected, full.unsqueeze(-1))
    assert_close(cuts.full, full)
    assert_close(cuts.images, expected)
    assert_close(cuts.visible, stack.composite.visible_alpha.transpose(0, 1))


def test_a_result_is_cut_by_what_can_be_seen(stack: Collage, generator: torch.Generator):
    picture = torch.rand(B, H, W, 3, generator=generator)
    cuts = layer_cutouts(stack, picture, GROUND)
    visible = stack.composite.visible_alpha
    for index in range(2):
        share = visible[:, index].unsqueeze(-1)
        assert_close(cuts.images[index], share * picture + (1 - share) * GROUND)
    assert_close(cuts.full, layer_cutouts(stack, None, GROUND).full)


def test_every_picture_of_a_result_is_cut(generator: torch.Generator):
    one = collage(layer(generator, "one"))
    picture = torch.rand(3, H, W, 3, generator=generator)
    cuts = layer_cutouts(one, picture, GROUND)
    assert cuts.images.shape == (1, 3, H, W, 3)
    assert cuts.visible.shape == cuts.full.shape == (1, 3, H, W)
    assert_close(cuts.full[0, 2], cuts.full[0, 0])
    assert not torch.equal(cuts.images[0, 0], cuts.images[0, 2])


def test_layers_beyond_the_canvas_are_empty_or_cropped(generator: torch.Generator):
    beyond, half = layer(generator, "beyond", x=3.0), layer(generator, "half", x=0.0)
    cuts = layer_cutouts(collage(beyond, half), None, GROUND)
    assert cuts.full[0].max() == 0
    assert_close(cuts.images[0], GROUND.expand(1, H, W, 3))
    assert_close(cuts.full[1, :, 4:12, :4], half.alpha[..., 4:])


def test_without_layers_there_are_no_cuts():
    cuts = layer_cutouts(collage(), None, GROUND)
    assert cuts.images.shape == (0, 1, H, W, 3)
    assert boxes(cuts.visible) == [[]]


def test_boxes_stand_around_what_can_be_seen():
    masks = torch.zeros(2, B, H, W)
    masks[0, 0, 3:7, 5:16] = 1.0
    masks[0, 1, 0, 0] = 2 / 255
    masks[0, 1, 15, 23] = 1 / 255  # nothing, to the eye
    assert boxes(masks) == [
        [{"x": 5, "y": 3, "width": 11, "height": 4}, None],
        [{"x": 0, "y": 0, "width": 1, "height": 1}, None],
    ]
    assert seen_box(masks[1, 0]) == (slice(0, 0), slice(0, 0))


def test_the_layout_is_json_for_every_layer(stack: Collage):
    opaque = collage(
        *(Layer(image=torch.ones(1, 8, 8, 3), alpha=torch.ones(1, 8, 8), text=one.text, x=one.x,
                visible=one.visible, noise=0.25) for one in stack.layers)
    )  # fmt: skip
    layout = json.loads(describe_layout(opaque, layer_cutouts(opaque, None, GROUND)))
    assert (layout["width"], layout["height"]) == (W, H)
    assert layout["layers"] == [
        {
            "number": 1, "text": "low", "noise": 0.25, "visible": round(4 * 8 / (H * W), 6),
            "boxes": [{"x": 8, "y": 4, "width": 4, "height": 8}],
            "full_boxes": [{"x": 8, "y": 4, "width": 8, "height": 8}],
        },
        {
            "number": 3, "text": "over", "noise": 0.25, "visible": round(64 / (H * W), 6),
            "boxes": [{"x": 12, "y": 4, "width": 8, "height": 8}],
            "full_boxes": [{"x": 12, "y": 4, "width": 8, "height": 8}],
        },
    ]  # fmt: skip
