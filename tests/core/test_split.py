"""A picture taken apart must be itself again, and show something where a layer is moved away."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from collage_core.collage.collage import Collage, Edit
from collage_core.collage.layer import Embedding, Layer
from collage_core.editing.split import split
from collage_core.imaging.filters import pull_push_fill

H, W = 24, 40


def collage(*layers: Layer, tone: float | None = None, batch: int = 1) -> Collage:
    generator = torch.Generator().manual_seed(3)
    background = torch.rand(batch, H, W, 3, generator=generator)
    if tone is not None:
        background = torch.full_like(background, tone)
    prompt = ", ".join(one.text for one in layers)
    return Collage(width=W, height=H, prompt=prompt, background=background, layers=layers)


def box(text: str, tone: float, size: tuple[int, int] = (8, 8), **place: Any) -> Layer:
    """An opaque box of one tone; at x 0.5 and y 0.5 an even size lies on whole pixels."""
    return Layer(
        image=torch.full((1, *size, 3), tone), alpha=torch.ones(1, *size), text=text, **place
    )


def soft(seed: int, batch: int = 1, **place: Any) -> Layer:
    """Random pixels under a random alpha, nothing and everything in places."""
    generator = torch.Generator().manual_seed(seed)
    alpha = (1.5 * torch.rand(batch, 11, 13, generator=generator) - 0.2).clamp(0, 1)
    image = torch.rand(batch, 11, 13, 3, generator=generator)
    return Layer(image=image, alpha=alpha, text=f"thing {seed}", **place)


def random_picture(batch: int = 1) -> torch.Tensor:
    return torch.rand(batch, H, W, 3, generator=torch.Generator().manual_seed(8))


def without(stack: Collage, number: int) -> torch.Tensor:
    """What shows when a layer is taken away."""
    kept = tuple(layer for n, layer in enumerate(stack.layers, 1) if n != number)
    return stack.with_layers(kept).composite.image


places = st.fixed_dictionaries(
    {
        "x": st.floats(-0.2, 1.2),
        "y": st.floats(-0.2, 1.2),
        "scale": st.sampled_from([0.4, 1.0, 1.7]),
        "rotation": st.sampled_from([0.0, 90.0, 31.0]),
        "opacity": st.sampled_from([0.3, 1.0]),
    }
)


@settings(max_examples=25, deadline=None)
@given(st.lists(places, min_size=0, max_size=4), st.sampled_from([(1, 1), (1, 2), (2, 2)]))
def test_the_parts_of_a_picture_are_the_picture(
    found: list[dict[str, float]], batches: tuple[int, int]
):
    """Whatever the picture shows: here it has nothing of the layers."""
    layers = [soft(seed, batches[0], **place) for seed, place in enumerate(found)]
    whole, picture = collage(*layers), random_picture(batches[1])
    parted = split(whole, picture)
    assert_close(
        parted.composite.image, picture.expand_as(parted.composite.image), rtol=0, atol=1e-5
    )
    B = len(parted.composite.visible_alpha)
    assert_close(
        parted.composite.visible_alpha,
        whole.composite.visible_alpha.expand(B, -1, -1, -1), rtol=0, atol=1e-6,
    )  # fmt: skip
    for pixels in (parted.background, *(layer.image for layer in parted.layers)):
        assert pixels.min() >= 0
        assert pixels.max() <= 1


def test_each_layer_stands_where_it_stood_with_its_words_and_strengths():
    learned = Embedding(name="look", vectors={})
    one = soft(1, x=0.4, y=0.6, rotation=20.0, scale=0.8, opacity=0.5, noise=0.1, attract=0.2,
               repel=0.3, control=0.4, fit="cover", embedding=learned, notes=("so",))  # fmt: skip
    hidden = soft(2, visible=False)
    parted = split(collage(one, hidden), random_picture())
    cut, kept = parted.layers
    assert kept is hidden
    names = ("text", "noise", "attract", "repel", "control", "embedding", "visible")
    assert [getattr(cut, name) for name in names] == [getattr(one, name) for name in names]
    assert (cut.scale, cut.fit, cut.rotation, cut.opacity, cut.notes) == (1, "pixels", 0, 1, ())
    assert cut.alpha.max() <= 0.5
    assert parted.prompt == "thing 1, thing 2"


def test_a_layer_moved_away_shows_the_layer_behind_it_in_the_pictures_colours():
    """Painting made the table darker by 0.2; so is the part of it that the cup hid."""
    table, cup = box("table", 0.7, (16, 24)), box("cup", 0.9)
    whole = collage(table, cup, tone=0.1)
    picture = whole.composite.image.clone()
    inside = whole.composite.visible_alpha[0, 0] == 1
    picture[0][inside] -= 0.2
    behind = without(split(whole, picture), 2)
    expected = torch.full((1, H, W, 3), 0.1)
    expected[:, 4:20, 8:32] = 0.5
    assert_close(behind, expected, rtol=0, atol=1e-4)


def test_a_layer_moved_away_shows_the_background_as_the_picture_has_it_around():
    """The grey canvas became a wooden floor: that, and not the grey, lies under the cup."""
    whole = collage(box("cup", 0.9), tone=150 / 255)
    picture = torch.tensor([0.6, 0.4, 0.2]).expand(1, H, W, 3).clone()
    picture[:, 8:16, 16:24] = 0.8
    behind = without(split(whole, picture), 1)
    assert_close(behind, torch.tensor([0.6, 0.4, 0.2]).expand(1, H, W, 3), rtol=0, atol=1e-4)


def test_what_no_pixel_of_the_picture_shows_is_the_collages_own():
    whole = collage(box("table", 0.7, (H, W)), box("cup", 0.9, (H, W)), tone=0.1)
    parted = split(whole, torch.full((1, H, W, 3), 0.3))
    assert_close(without(parted, 2), torch.full((1, H, W, 3), 0.7))
    assert_close(parted.background, torch.full((1, H, W, 3), 0.1))


def test_a_soft_edge_comes_apart_into_its_two_sides():
    """Half a red over blue: the layer becomes red and not purple."""
    red = dataclasses.replace(box("ball", 0.0), alpha=torch.full((1, 8, 8), 0.5))
    red.image[..., 0] = 1.0
    whole = collage(red, tone=0.0)
    whole.background[..., 2] = 1.0
    cut = split(whole, whole.composite.image).layers[0]
    assert_close(cut.image, red.image, rtol=0, atol=1e-5)


def test_a_hidden_colour_beyond_its_range_does_not_spoil_a_soft_edge():
    """Painting made the background brighter by 0.4, and under the table it was bright already."""
    red = dataclasses.replace(box("ball", 0.0), alpha=torch.full((1, 8, 8), 0.5))
    red.image[..., 0] = 1.0
    whole = collage(box("table", 0.2, (16, 24)), red, tone=0.5)
    whole.background[:, 8:16, 16:24] = 0.9
    alone = whole.composite.visible_alpha.sum(1)[0] == 0
    picture = whole.composite.image.clone()
    picture[0][alone] += 0.4
    assert_close(split(whole, picture).layers[1].image, red.image, rtol=0, atol=1e-5)


def test_layers_partly_beyond_the_canvas_are_cut_off_and_others_left_alone():
    half, beyond = box("half", 0.9, x=0.0), box("beyond", 0.9, x=3.0)
    parted = split(collage(half, beyond, tone=0.1), random_picture())
    assert parted.layers[0].image.shape == (1, 8, 4, 3)
    assert parted.layers[1] is beyond


def test_an_edited_collage_is_split_by_its_layers_and_not_by_the_picture_before():
    plain = collage(box("table", 0.7, (16, 24)), box("cup", 0.9), tone=0.1)
    edit = Edit(picture=random_picture(), base_noise=0.0, feather=1.0)
    edited = dataclasses.replace(plain, edit=edit)
    picture = plain.composite.image
    assert split(edited, picture).edit is None
    assert torch.equal(without(split(edited, picture), 2), without(split(plain, picture), 2))


def test_inputs_are_as_before():
    whole, picture = collage(soft(1), soft(2, x=0.6)), random_picture()
    tensors = [
        picture,
        whole.background,
        *(t for one in whole.layers for t in (one.image, one.alpha)),
    ]
    copies = [tensor.clone() for tensor in tensors]
    split(whole, picture)
    for tensor, copy in zip(tensors, copies, strict=True):
        assert torch.equal(tensor, copy)


@pytest.mark.parametrize("size", [(1, 1), (7, 11), (16, 16), (33, 5)])
def test_values_stay_where_they_have_weight_and_a_constant_everywhere(size: tuple[int, int]):
    generator = torch.Generator().manual_seed(1)
    values = torch.rand(2, 3, *size, generator=generator)
    weight = (torch.rand(2, 1, *size, generator=generator) > 0.7).float()
    weight[..., 0, 0] = 1.0
    filled = pull_push_fill(values, weight)
    assert torch.equal(torch.where(weight == 1, filled, 0.0), values * weight)
    flat = torch.full_like(values, 0.3)
    assert_close(pull_push_fill(torch.where(weight == 1, flat, 9.0), weight), flat)
    assert pull_push_fill(values, torch.zeros_like(weight)).abs().max() == 0


def test_a_hole_is_filled_from_its_rim():
    """A ramp goes on across the hole, from the one side's value to the other's."""
    ramp = torch.linspace(0, 1, 32).expand(1, 1, 32, 32)
    weight = torch.ones(1, 1, 32, 32)
    weight[..., 8:24, 8:24] = 0.0
    filled = pull_push_fill(torch.where(weight == 1, ramp, 0.0), weight)
    assert (filled - ramp).abs().max() < 0.2
    assert filled[..., 16, 10] < filled[..., 16, 16] < filled[..., 16, 21]


def test_few_values_are_enough_for_their_surroundings():
    """One pixel in four: the other three take the near ones, not the mean of the picture."""
    step = (torch.arange(32) >= 16).float().expand(1, 1, 32, 32)
    weight = torch.zeros(1, 1, 32, 32)
    weight[..., ::2, ::2] = 1.0
    filled = pull_push_fill(step * weight, weight)
    assert_close(filled[..., :14], step[..., :14], rtol=0, atol=1e-3)
    assert_close(filled[..., 18:], step[..., 18:], rtol=0, atol=1e-3)
