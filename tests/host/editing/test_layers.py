"""CollageLayers: what other nodes are driven with."""

from __future__ import annotations

import json

import pytest
import torch
from torch.testing import assert_close

WIDGETS = {"background": "#000000", "base_noise": 0.8, "feather": 0.0}


@pytest.fixture
def layers(execute):
    return lambda collage, **inputs: execute("CollageLayers", collage=collage, **WIDGETS | inputs)


def test_every_shown_layer_comes_with_its_masks_bottom_to_top(layers, collage) -> None:
    stack = collage()
    out = layers(stack)
    assert out.images.shape == (2, 48, 64, 3)
    assert out.visible_masks.sum((1, 2)).tolist() == [8 * 16, 16 * 16]
    assert out.full_masks.sum((1, 2)).tolist() == [16 * 16, 16 * 16]
    assert_close(out.images[0, 16:32, 16:32], stack.layers[0].image[0])
    assert out.images[0, :16].max() == 0
    assert [one["text"] for one in json.loads(out.layout)["layers"]] == ["cup", "cake"]


def test_a_result_is_cut_into_the_layers(layers, collage, picture) -> None:
    result = picture()
    out = layers(collage(), image=result, background="#ff0000")
    assert_close(out.images[0, 16:32, 16:24], result[0, 16:32, 16:24])
    assert_close(out.images[0, 16:32, 24:32], torch.tensor([1.0, 0, 0]).expand(16, 8, 3))


def test_pictures_of_a_batch_come_layer_by_layer(layers, collage, picture) -> None:
    result = picture(3)
    out = layers(collage(), image=result)
    assert out.images.shape[0] == out.full_masks.shape[0] == 6
    assert out.visible_masks.sum((1, 2)).tolist() == [8 * 16] * 3 + [16 * 16] * 3
    assert_close(out.images[2, 16:32, 16:24], result[2, 16:32, 16:24])
    assert_close(out.images[5, 16:32, 24:40], result[2, 16:32, 24:40])


def test_the_noise_map_is_the_samplers(pack, layers, collage) -> None:
    stack = collage()
    noise = pack.collage_core.noise.noise_map.noise_map(
        stack.composite.visible_alpha, [0.6, 0.6], 0.3, 4.0
    )
    assert torch.equal(layers(stack, base_noise=0.3, feather=4.0).noise_map, noise.squeeze(1))


def test_the_noise_map_has_the_samplers_halo(pack, layers, collage) -> None:
    stack = collage()
    inputs = {"base_noise": 0.1, "feather": 0.0, "halo": 5}
    noise = pack.collage_core.noise.noise_map.noise_map(
        stack.composite.visible_alpha, [0.6, 0.6], *inputs.values()
    )
    found = layers(stack, **inputs).noise_map
    assert torch.equal(found, noise.squeeze(1))
    assert found[0, 24, 44] == pytest.approx(0.6)


def test_boxes_draw_in_the_hosts_own_nodes(layers, collage, picture) -> None:
    from comfy_extras.nodes_rtdetr import DrawBBoxes
    from comfy_extras.nodes_sdpose import CropByBBoxes

    boxes = layers(collage()).boxes
    assert boxes == [
        [
            {"x": 16, "y": 16, "width": 8, "height": 16},
            {"x": 24, "y": 16, "width": 16, "height": 16},
        ]
    ]
    assert layers(collage(), image=picture(2)).boxes == boxes * 2
    (drawn,) = DrawBBoxes.execute(boxes, torch.zeros(1, 48, 64, 3)).args
    assert drawn[0, 16, 30:40].max() > 0
    image = picture()
    (cropped,) = CropByBBoxes.execute(image, boxes, 24, 16, 0).args
    assert_close(cropped, image[:, 16:32, 16:40])


def test_a_layer_that_cannot_be_seen_has_no_box(layers, collage, layer) -> None:
    stack = collage(layer("cup"), layer("cake"))
    out = layers(stack)
    assert out.boxes == [[{"x": 24, "y": 16, "width": 16, "height": 16}]]
    assert json.loads(out.layout)["layers"][0]["boxes"] == [None]
    assert out.images.shape[0] == 2


def test_without_a_shown_layer_one_empty_picture_comes(layers, collage, layer) -> None:
    out = layers(collage(layer("jug", visible=False)), background="#00ff00")
    assert_close(out.images, torch.tensor([0.0, 1, 0]).expand(1, 48, 64, 3))
    for masks in (out.visible_masks, out.full_masks):
        assert_close(masks, torch.zeros(1, 48, 64))
    assert out.boxes == [[]]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"background": "red"}, 'CollageLayers, input background: "red" is not a colour'),
        ({"base_noise": 1.5}, "CollageLayers, input base_noise: 1.5 is outside 0 to 1"),
        ({"feather": -1.0}, "CollageLayers, input feather: -1 is outside 0 to 512"),
        ({"halo": 513}, "CollageLayers, input halo: 513 is outside 0 to 512"),
        ({"image": torch.zeros(1, 96, 128, 3)}, "CollageLayers, input image: its 128 x 96"),
    ],
)
def test_bad_inputs_are_refused(layers, collage, refused, inputs, said) -> None:
    assert said in refused(layers, collage(), **inputs)


def test_inputs_are_as_before(layers, collage, picture) -> None:
    stack, result = collage(), picture()
    own = [tensor for one in stack.layers for tensor in (one.image, one.alpha)]
    tensors = [result, stack.background, *own]
    tensors += [stack.composite.image, stack.composite.visible_alpha]
    copies = [tensor.clone() for tensor in tensors]
    layers(stack)
    layers(stack, image=result)
    for tensor, copy in zip(tensors, copies, strict=True):
        assert torch.equal(tensor, copy)
