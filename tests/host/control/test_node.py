"""What the node shows the network, when it leaves it out, and that it changes no input."""

from __future__ import annotations

import dataclasses
import logging

import pytest
import torch


def test_the_network_is_shown_the_edges_of_what_is_shown(control, make_collage) -> None:
    from comfy_extras.nodes_canny import Canny

    collage = make_collage()
    hidden = dataclasses.replace(collage.layers[1], visible=False)
    collage = collage.with_layers((collage.layers[0], hidden))
    positive, _, image = control(collage)
    assert torch.equal(image, Canny.execute(collage.composite.image, 0.2, 0.4).args[0])
    assert image.shape == (1, 96, 80, 3)
    assert 0 < image.mean() < 1
    hint = positive[0][1]["control"].network.cond_hint_original
    assert torch.equal(hint, image.movedim(-1, 1))


def test_a_control_image_is_shown_as_it_is(control, make_collage) -> None:
    photo = torch.rand(1, 48, 40, 3)
    assert torch.equal(control(make_collage(), control_image=photo)[2], photo)
    see_through = torch.cat([photo, torch.zeros(1, 48, 40, 1)], -1)
    assert not control(make_collage(), control_image=see_through)[2].any()


def test_strength_0_is_the_conditioning_as_it_was(control, make_collage, prompts) -> None:
    positive, negative, image = control(make_collage(), strength=0.0)
    assert positive is prompts[0]
    assert negative is prompts[1]
    assert image.any()


def test_control_0_everywhere_is_left_out_and_told(control, make_collage, prompts, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        positive, negative, _ = control(make_collage(0.0, 0.0))
    assert positive is prompts[0]
    assert negative is prompts[1]
    assert "CollageControlNet: control is 0 everywhere in the picture" in caplog.text
    positive, _, _ = control(make_collage(0.0, 0.0), base_control=0.1)
    assert positive is not prompts[0]


def test_inputs_are_as_before(control, sample, make_collage, network, prompts, model) -> None:
    collage = make_collage()
    photo = torch.rand(1, 96, 80, 3)
    tensors = [
        photo, collage.background, collage.composite.image, collage.composite.visible_alpha,
        *(words for conditioning in prompts for words, _ in conditioning),
    ]  # fmt: skip
    before = [tensor.clone() for tensor in tensors]
    plain = sample(prompts)
    state = dict(vars(network))
    controlled = control(collage, control_image=photo)
    kept = [dict(options) for _, options in controlled[0]]
    assert not torch.equal(sample(controlled), plain)
    for tensor, copy in zip(tensors, before, strict=True):
        assert torch.equal(tensor, copy)
    assert all(not options for conditioning in prompts for _, options in conditioning)
    assert [dict(options) for _, options in controlled[0]] == kept
    assert vars(network) == state
    assert torch.equal(sample(prompts), plain)


def test_what_the_conditioning_carried_it_still_carries(control, make_collage, prompts) -> None:
    positive = [[prompts[0][0][0], {"model_conds": {"own": 1}, "guidance": 2.0}]]
    carried, _, _ = control(make_collage(), conditionings=(positive, prompts[1]))
    assert carried[0][1]["guidance"] == 2.0
    assert carried[0][1]["model_conds"]["own"] == 1
    assert list(positive[0][1]["model_conds"]) == ["own"]


def test_a_layer_without_control_is_as_free_as_without_the_network(
    control, record, outputs, make_collage
) -> None:
    collage = make_collage(1.0, 0.0)
    lowest = torch.ones(1, 96, 40)
    layers = tuple(dataclasses.replace(layer, alpha=lowest, x=x) for layer, x in zip(
        collage.layers, (0.25, 0.75), strict=True
    ))  # fmt: skip
    for x in outputs(record(control(collage.with_layers(layers)))[0]):
        half = x.shape[-1] // 2
        assert x[..., :half].any()
        assert not x[..., half + x.shape[-1] % 2 :].any()


@pytest.mark.parametrize("base", [0.0, 1.0])
def test_base_control_counts_where_no_layer_is(
    control, record, outputs, make_collage, base
) -> None:
    collage = make_collage(0.0, 0.0)
    free = collage.with_layers(tuple(dataclasses.replace(c, opacity=0.0) for c in collage.layers))
    controlled = control(free, base_control=base)
    found = record(controlled)[0].control
    assert (found is None) == (base == 0)
