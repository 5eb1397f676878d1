"""A collage that goes on from a finished picture, in everything that reads collages."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from collage_core.collage.auto_tune import describe_tuning, tune
from collage_core.collage.collage import Collage, Edit
from collage_core.collage.layer import Layer
from collage_core.collage.report import describe_collage
from collage_core.collage.stack import on_top_of, with_layers, with_picture
from collage_core.errors import CollageError
from collage_core.imaging.colour import GREY
from collage_core.inversion.views import layer_views
from collage_core.noise.noise_map import collage_noise, declared_noises, noise_map

H, W = 16, 24


def layer(text: str = "bear", batch: int = 1, tone: float = 1.0, **settings: Any) -> Layer:
    """8 x 8 pixels of one tone in the middle of the canvas."""
    image = torch.full((batch, 8, 8, 3), tone)
    return Layer(image=image, alpha=torch.ones(batch, 8, 8), text=text, **settings)


def collage(*layers: Layer, edit: Edit | None = None) -> Collage:
    prompt = ", ".join(one.text for one in layers)
    background = torch.zeros(1, H, W, 3)
    return Collage(
        width=W, height=H, prompt=prompt, background=background, layers=layers, edit=edit
    )


def edit(tone: float = 0.5, batch: int = 1, **settings: Any) -> Edit:
    values: dict[str, Any] = {"base_noise": 0.0, "feather": 2.0} | settings
    return Edit(picture=torch.full((batch, H, W, 3), tone), **values)


def test_the_composite_shows_the_picture_and_the_alphas_of_the_layers():
    plain, edited = collage(layer()), collage(layer(), edit=edit())
    assert torch.equal(edited.composite.image, torch.full((1, H, W, 3), 0.5))
    assert torch.equal(edited.composite.visible_alpha, plain.composite.visible_alpha)
    assert_close(edited.composite.covered, plain.composite.covered)


def test_the_picture_counts_as_a_batch():
    with pytest.raises(CollageError, match="the finished picture has 3"):
        collage(layer(batch=2), edit=edit(batch=3))
    assert collage(layer(), edit=edit(batch=3)).composite.image.shape[0] == 3


def test_an_edit_prints_without_its_pixels():
    assert "tensor" not in repr(edit(minimum_noise=torch.zeros(1, 1, H, W)))


def test_layers_stacked_on_top_are_pasted_over_the_picture():
    below = collage(layer(), edit=edit())
    hat = layer("hat", tone=0.75, x=1 / 3, noise=0.3)
    hidden = layer("cap", visible=False)
    stack = with_layers(on_top_of(below, W, H, GREY), "bear, hat", [hat, hidden])
    expected = torch.full((1, H, W, 3), 0.5)
    expected[:, 4:12, 4:12] = 0.75
    assert torch.equal(stack.composite.image, expected)
    assert [one.text for one in stack.layers] == ["bear", "hat", "cap"]
    assert stack.edit is not None
    assert (stack.edit.base_noise, stack.edit.feather) == (0.0, 2.0)
    assert below.edit is not None
    assert_close(below.edit.picture, torch.full((1, H, W, 3), 0.5), rtol=0, atol=0)


def test_layers_of_another_batch_than_the_picture_are_refused():
    below = on_top_of(collage(layer(), edit=edit(batch=2)), W, H, GREY)
    with pytest.raises(CollageError, match="the finished picture has 2"):
        with_layers(below, "bear, hat", [layer("hat", batch=3)])


def test_a_background_picture_behind_a_finished_picture_is_refused():
    with pytest.raises(CollageError, match=r"input background_image: .* CollageEdit"):
        with_picture(collage(layer(), edit=edit()), torch.ones(1, H, W, 3), GREY)


def test_the_report_says_whose_noise_holds():
    lines = describe_collage(collage(layer(), edit=edit(base_noise=0.25))).split("\n")
    assert lines[1] == (
        "It starts from a finished picture: background noise 0.25, feather 2 pixels, "
        "whatever the sampler's inputs say."
    )
    assert "finished" not in describe_collage(collage(layer()))


def test_auto_tune_leaves_the_noise_of_an_edit():
    kept, chosen = layer(noise=0.0), layer("hat", noise=0.9)
    edited = collage(kept, chosen, edit=edit())
    tuned, plain = tune(edited, 0.5), tune(collage(kept, chosen), 0.5)
    assert [one.noise for one in tuned.layers] == [0.0, 0.9]
    assert [one.attract for one in tuned.layers] == [one.attract for one in plain.layers]
    assert [one.noise for one in plain.layers] != [0.0, 0.9]
    assert describe_tuning(tuned).endswith("! The noise is as CollageEdit set it: it says which "
                                           "layers are kept.")  # fmt: skip
    assert "CollageEdit" not in describe_tuning(plain)


def test_a_look_is_learned_before_the_collages_own_surroundings():
    """The finished picture shows the layer itself."""
    image, alpha = torch.full((1, 32, 32, 3), 0.9), torch.ones(1, 32, 32)
    bear = Layer(image=image, alpha=alpha, text="bear", scale=0.25)
    plain = layer_views(bear, collage(bear), 64, 8)
    edited = layer_views(bear, collage(bear, edit=edit(tone=0.9)), 64, 8)
    assert torch.equal(plain.pictures, edited.pictures)


def test_an_edit_overrules_the_samplers_inputs():
    bear = layer(noise=0.6)
    assert declared_noises(collage(bear), 0.8) == [0.6, 0.8]
    edited = collage(bear, edit=edit(base_noise=0.1))
    assert declared_noises(edited, 0.8) == [0.6, 0.1]
    assert torch.equal(collage_noise(edited, 0.8, 10.0), collage_noise(edited, 0.1, 2.0))


def test_the_noise_of_a_collage_is_that_of_its_layers():
    plain = collage(layer(noise=0.6), layer("hat", noise=0.2, x=0.2, visible=False))
    assert torch.equal(
        collage_noise(plain, 0.8, 3.0),
        noise_map(plain.composite.visible_alpha, [0.6], 0.8, 3.0),
    )
    edited = dataclasses.replace(plain, edit=edit())
    assert torch.equal(
        collage_noise(edited, 0.8, 30.0),
        noise_map(plain.composite.visible_alpha, [0.6], 0.0, 2.0),
    )


def test_the_minimum_noise_of_an_edit_holds_everywhere():
    least = torch.zeros(1, 1, H, W)
    least[..., :8] = 0.4
    edited = collage(layer(noise=0.6), edit=edit(feather=0.0, minimum_noise=least))
    expected = least.clone()
    expected[..., 4:12, 8:16] = 0.6
    assert_close(collage_noise(edited, 0.8, 3.0), expected)
    pair = dataclasses.replace(edited, background=torch.zeros(2, H, W, 3))
    assert_close(collage_noise(pair, 0.8, 3.0), expected.expand(2, 1, H, W))
    flat = collage(layer(noise=0.1), edit=edit(base_noise=0.1, minimum_noise=least))
    assert_close(collage_noise(flat, 0.8, 3.0), least.clamp(min=0.1))
