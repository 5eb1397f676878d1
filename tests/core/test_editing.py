"""Going on from a finished picture: what may change, from what, and what is refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from collage_core.collage.collage import Collage
from collage_core.collage.layer import Embedding, LayerLora
from collage_core.collage.stack import on_top_of, with_layers
from collage_core.editing.edit import edit
from collage_core.imaging.colour import GREY
from collage_core.noise.noise_map import collage_noise

from .edited_table import H, W, collage, edited, laid_table, layer, picture, refused, request, state


@pytest.fixture
def table() -> Collage:
    return laid_table()


def test_only_the_chosen_layer_has_noise_and_the_base_is_the_picture(table: Collage):
    result = picture()
    one = edited(table, result, request("cake", noise=0.4, feather=3.0))
    assert torch.equal(one.composite.image, result)
    assert torch.equal(one.composite.visible_alpha, table.composite.visible_alpha)
    assert [layer.noise for layer in one.layers] == [0.0, 0.0, 0.4]
    assert (state(one).base_noise, state(one).feather) == (0.0, 3.0)
    assert (one.prompt, one.phrases) == (table.prompt, table.phrases)


def test_the_noise_map_is_nothing_outside_of_the_chosen_layer(table: Collage):
    noise = collage_noise(edited(table, picture(), request("3")), 0.8, 10.0)
    expected = torch.zeros(1, 1, H, W)
    expected[..., 16:32, 40:56] = 0.6
    assert_close(noise, expected)


def test_the_background_can_be_chosen(table: Collage):
    one = edited(table, picture(), request("0, 1"))
    assert state(one).base_noise == 0.6
    assert [layer.noise for layer in one.layers] == [0.6, 0.0, 0.0]


def test_edits_chain(table: Collage):
    first = edited(table, picture(), request("1"))
    second = edited(first, picture(seed=1), request("3", noise=0.2, feather=5.0))
    assert [layer.noise for layer in second.layers] == [0.0, 0.0, 0.2]
    assert torch.equal(second.composite.image, picture(seed=1))
    assert state(second).feather == 5.0


def test_pasting_puts_the_chosen_layers_own_pixels_over_the_picture(table: Collage):
    result = picture()
    shown = edited(table, result, request("cake", paste=True)).composite.image
    expected = result.clone()
    expected[:, 16:32, 40:56] = 0.9
    assert_close(shown, expected, rtol=0, atol=1e-6)
    outside = torch.ones(H, W, dtype=torch.bool)
    outside[16:32, 40:56] = False
    assert torch.equal(shown[0][outside], result[0][outside])


def test_pasting_shows_of_a_layer_what_can_be_seen_of_it():
    """Under a half transparent layer, half of it; the picture has the rest."""
    above = dataclasses.replace(layer("veil", tone=0.0, scale=9.0), opacity=0.5)
    result = torch.full((1, H, W, 3), 0.5)
    shown = edited(collage(layer("cup"), above), result, request("1", paste=True)).composite.image
    expected = result.clone()
    expected[:, 16:32, 24:40] = 0.7
    assert_close(shown, expected)


def test_pasting_the_background_brings_the_collages_own(table: Collage):
    shown = edited(table, picture(), request("0", paste=True)).composite.image
    assert_close(shown[0, :16], torch.full((16, W, 3), 0.1))
    assert torch.equal(shown[:, 16:32, 8:24], picture()[:, 16:32, 8:24])


def test_a_layer_added_on_top_of_a_result_is_pasted_and_redrawn(table: Collage):
    more = with_layers(on_top_of(table, W, H, GREY), "cup and cake and egg", [layer("egg")])
    one = edited(more, picture(), request("egg", paste=True))
    assert [layer.noise for layer in one.layers] == [0.0, 0.0, 0.0, 0.6]
    assert_close(one.composite.image[0, 16:32, 24:40], torch.full((16, 16, 3), 0.9))


def test_a_new_phrase_changes_text_and_prompt(table: Collage):
    one = edited(table, picture(), request("cake", phrase=" pie "))
    assert one.layers[2].text == "pie"
    assert one.prompt == "cup and jug and pie"
    assert [layer.noise for layer in one.layers] == [0.0, 0.0, 0.6]
    assert edited(table, picture(), request("cake", phrase=" ")).prompt == table.prompt


def test_the_report_says_what_may_change(table: Collage):
    made = {
        "embedding": Embedding(name="look", vectors={}),
        "loras": (LayerLora(name="cream.safetensors", strength_model=1.0, strength_clip=1.0),),
        "negative": "chocolate",
    }
    layers = (*table.layers[:2], dataclasses.replace(table.layers[2], **made))
    said = edit(table.with_layers(layers), picture(), request("3", phrase="pie", paste=True))[2]
    pasted = "pasted over the picture from its own pixels"
    assert said.split("\n") == [
        "Goes on from the finished picture: 8.3 % of the canvas may change, the rest is kept.",
        f'Layer 3 "pie": noise 0.6, visible on 8.3 % of the canvas, {pasted}',
        '! the embedding "look" was dropped with the words it stood for',
        '! layer 3 "pie" keeps its LoRA "cream.safetensors"',
        '! layer 3 "pie" must still not show "chocolate"',
    ]
    signed = edit(table, picture(), request("3", phrase="{pie|tart}"))[2]
    assert '! "{pie|tart}" has no meaning in ComfyUI' in signed
    both = edit(table, picture() * 2, request("0, cup", noise=0.25))[2].split("\n")
    assert both[1] == "The background: noise 0.25, visible on 83.3 % of the canvas"
    assert both[2] == 'Layer 1 "cup": noise 0.25, visible on 8.3 % of the canvas'
    assert both[3].startswith("! image values from ")


def test_several_pictures_of_one_collage(table: Collage):
    result = picture(3)
    layers = (*table.layers[:2], dataclasses.replace(table.layers[2], x=0.5))
    one = edited(table.with_layers(layers), result, request("cake", paste=True, previous=table))
    assert one.composite.image.shape == (3, H, W, 3)
    assert torch.equal(one.composite.image[:, :16], result[:, :16])
    assert_close(one.composite.image[2, 16:32, 24:40], torch.full((16, 16, 3), 0.9))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"layers": "pie"}, 'CollageEdit, input layers: "pie" is no layer'),
        ({"layers": "jug"}, "is hidden"),
        ({"layers": "1, 3", "phrase": "pie"}, "of one layer, and input layers names 2: "),
        ({"layers": "0", "phrase": "pie"}, "cannot be the words of the background"),
        ({"noise": 0.0}, "CollageEdit, input noise: at 0 every layer is kept and nothing"),
        ({"noise": 0.001, "feather": 60.0}, "input feather: noise 0.001 over "),
    ],
)  # fmt: skip
def test_requests_that_cannot_be_met_are_refused(table: Collage, values: dict[str, Any], said: str):
    assert said in refused(table, picture(), request(**{"layers": "cake", **values}))


def test_pictures_that_do_not_fit_are_refused(table: Collage):
    assert "CollageEdit, input image: its 128 x 96" in refused(
        table, torch.zeros(1, 2 * H, 2 * W, 3), request("cake")
    )


def test_inputs_are_as_before(table: Collage):
    result = picture()
    own = [tensor for one in table.layers for tensor in (one.image, one.alpha)]
    tensors = [result, table.background, *own, table.composite.image]
    copies = [tensor.clone() for tensor in tensors]
    for previous in (None, table):
        edit(table, result, request("0, cake", paste=True, previous=previous))
    for tensor, copy in zip(tensors, copies, strict=True):
        assert torch.equal(tensor, copy)
    assert [layer.noise for layer in table.layers] == [0.6, 0.7, 0.6]
    assert table.edit is None
