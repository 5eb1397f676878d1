"""Blend modes against the formulas of W3C "Compositing and Blending", one number at a time."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.profiler import ProfilerActivity, profile
from torch.testing import assert_close

from collage_core.collage.collage import Collage
from collage_core.collage.compositing import compose, compose_bytes
from collage_core.collage.cutouts import layer_cutouts, paste_layers
from collage_core.collage.layer import Layer
from collage_core.collage.limits import BLENDS, FLIPS
from collage_core.collage.placement import place_layer
from collage_core.collage.report import describe_collage
from collage_core.collage.stack import with_layers
from collage_core.editing.edit import edit
from collage_core.editing.request import EditRequest
from collage_core.editing.split import split
from collage_core.errors import CollageError
from collage_core.imaging.blending import MODES, mix
from collage_core.inversion.views import layer_views

H, W = 16, 24


def hard_light(below: float, above: float) -> float:
    if above <= 0.5:
        return below * 2 * above
    return below + (2 * above - 1) - below * (2 * above - 1)


def soft_light(below: float, above: float) -> float:
    if above <= 0.5:
        return below - (1 - 2 * above) * below * (1 - below)
    curve = ((16 * below - 12) * below + 4) * below if below <= 0.25 else math.sqrt(below)
    return below + (2 * above - 1) * (curve - below)


FORMULAS: dict[str, Callable[[float, float], float]] = {
    "normal": lambda _, above: above,
    "multiply": lambda below, above: below * above,
    "screen": lambda below, above: below + above - below * above,
    "overlay": lambda below, above: hard_light(above, below),
    "soft light": soft_light,
    "darken": min,
    "lighten": max,
    "add": lambda below, above: min(1.0, below + above),
}
BLENDED = [mode for mode in BLENDS if mode != "normal"]


def soft(seed: int, text: str = "", **settings: Any) -> Layer:
    """8 x 12 random pixels under a random alpha."""
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(1, 8, 12, 3, generator=generator)
    alpha = torch.rand(1, 8, 12, generator=generator)
    return Layer(image=image, alpha=alpha, text=text or f"thing {seed}", **settings)


def plain(text: str, tone: float, **settings: Any) -> Layer:
    """An opaque box of 8 x 12 pixels; at x 0.5 and y 0.5 it lies on whole pixels."""
    image, alpha = torch.full((1, 8, 12, 3), tone), torch.ones(1, 8, 12)
    return Layer(image=image, alpha=alpha, text=text, **settings)


def collage(*layers: Layer, tone: float | None = None) -> Collage:
    background = torch.rand(1, H, W, 3, generator=torch.Generator().manual_seed(3))
    if tone is not None:
        background = torch.full_like(background, tone)
    prompt = ", ".join(one.text for one in layers)
    return Collage(width=W, height=H, prompt=prompt, background=background, layers=layers)


def picture(seed: int = 8) -> torch.Tensor:
    return torch.rand(1, H, W, 3, generator=torch.Generator().manual_seed(seed))


def test_every_mode_is_tested():
    assert tuple(FORMULAS) == tuple(MODES) == BLENDS


@pytest.mark.parametrize("mode", BLENDS)
def test_a_mode_is_the_formula_of_the_recommendation(mode: str):
    tones = torch.linspace(0, 1, 21, dtype=torch.float64)
    below, above = torch.meshgrid(tones, tones, indexing="ij")
    expected = [[FORMULAS[mode](b, a) for a in tones.tolist()] for b in tones.tolist()]
    assert_close(mix(mode, below, above), torch.tensor(expected, dtype=torch.float64))
    kept = below.clone(), above.clone()
    mix(mode, below, above)
    assert torch.equal(below, kept[0])
    assert torch.equal(above, kept[1])


@pytest.mark.parametrize("mode", BLENDS)
def test_a_layer_mixes_with_all_that_lies_below_it(mode: str):
    """By the definition, pixel by pixel: a layer between others, all on whole pixels."""
    stack = collage(soft(1), soft(2, blend=mode, opacity=0.7), soft(3, blend="screen"), soft(4))
    expected = stack.background.clone()
    for layer in stack.layers:
        for y in range(8):
            for x in range(12):
                place = (0, y + 4, x + 6)
                alpha = (layer.alpha[0, y, x] * layer.opacity).item()
                for c in range(3):
                    below, own = expected[(*place, c)].item(), layer.image[0, y, x, c].item()
                    mixed = FORMULAS[layer.blend](below, own)
                    expected[(*place, c)] = (1 - alpha) * below + alpha * mixed
    assert_close(stack.composite.image, expected)


def test_blend_modes_leave_masks_and_shares_as_they_are():
    layers = [soft(1), soft(2, rotation=20.0), soft(3)]
    first = collage(*layers).composite
    for mode in BLENDED:
        found = collage(*(dataclasses.replace(one, blend=mode) for one in layers)).composite
        for name in ("visible_alpha", "covered", "hidden_by"):
            assert torch.equal(getattr(found, name), getattr(first, name)), (mode, name)


def test_a_stack_of_normal_layers_is_composed_from_the_top_to_the_bit():
    """The rounding of every collage made before there were blend modes."""
    layers = [soft(1, rotation=12.0), soft(2, x=0.41, scale=1.7), soft(3, opacity=0.6)]
    background = picture()
    image, uncovered = torch.zeros(1, 3, H, W), torch.ones(1, 1, H, W)
    for layer in reversed(layers):
        placed = place_layer(layer, H, W)
        window = (..., *placed.window)
        colour, alpha = placed.pixels.split((3, 1), dim=1)
        image[window].addcmul_(colour, uncovered[window])
        uncovered[window] -= alpha * uncovered[window]
    image.addcmul_(background.movedim(-1, 1), uncovered)
    expected = image.clamp_(0, 1).movedim(1, -1)
    assert torch.equal(compose(background, layers).image, expected)


def test_batches_blend_picture_by_picture():
    many = dataclasses.replace(soft(1), image=torch.rand(3, 8, 12, 3), alpha=torch.rand(3, 8, 12))
    shade = soft(2, blend="multiply")
    found = collage(many, shade).composite.image
    for n in range(3):
        one = dataclasses.replace(many, image=many.image[n : n + 1], alpha=many.alpha[n : n + 1])
        assert_close(found[n : n + 1], collage(one, shade).composite.image)


@pytest.mark.parametrize("mode", BLENDS)
@pytest.mark.parametrize("batch", [1, 4])
def test_the_memory_that_is_asked_for_is_enough(mode: str, batch: int):
    layers = [soft(n, blend=mode, flip="both", scale=8, rotation=10.0 * n) for n in range(3)]
    background = torch.rand(batch, 64, 96, 3)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        compose(background, layers)
    profiler: Any = seen.profiler
    events = profiler.kineto_results.events()
    steps = sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]")
    peak = max(itertools.accumulate(size for _, size in steps))
    assert 0.4 * compose_bytes(64, 96, batch, layers) < peak
    assert peak < compose_bytes(64, 96, batch, layers)


def test_a_blended_layer_off_the_canvas_leaves_no_trace():
    stack = collage(soft(1), soft(2, x=4.0, blend="add"))
    assert_close(stack.composite.image, collage(soft(1)).composite.image)


@pytest.mark.parametrize("rotation", [0.0, 90.0, 33.0])
@pytest.mark.parametrize("flip", FLIPS)
def test_a_flip_mirrors_the_picture_before_it_is_turned(flip: str, rotation: float):
    one = soft(1, rotation=rotation, x=0.45, scale=1.3)
    axes = {"none": [], "horizontal": [2], "vertical": [1], "both": [1, 2]}[flip]
    mirrored = dataclasses.replace(one, image=one.image.flip(axes), alpha=one.alpha.flip(axes))
    found = place_layer(dataclasses.replace(one, flip=flip), H, W)
    expected = place_layer(mirrored, H, W)
    assert found.window == expected.window
    assert torch.equal(found.pixels, expected.pixels)


def test_an_unknown_flip_or_blend_is_refused_in_one_sentence():
    with pytest.raises(CollageError, match='input flip: "up" is none of none, horizontal') as found:
        soft(1, flip="up", blend="dodge")
    assert 'input blend: "dodge" is none of normal, multiply' in str(found.value)


def test_new_blended_layers_are_mixed_into_a_finished_picture():
    edited, *_ = edit(collage(plain("cup", 0.2)), picture(), EditRequest(layers="1", noise=0.5))
    stacked = with_layers(edited, "cup, shade", [plain("shade", 0.5, blend="multiply")])
    expected = picture()
    expected[:, 4:12, 6:18] /= 2
    assert_close(stacked.composite.image, expected)


def test_pasting_all_of_a_collage_gives_its_composite():
    stack = collage(soft(1, x=0.4), soft(2, blend="overlay"), soft(3, blend="add", opacity=0.5))
    assert_close(paste_layers(picture(), stack, range(4)), stack.composite.image)


def test_a_pasted_layer_mixes_with_the_picture_where_it_is_visible():
    """The shade lies over the picture, and under half of a layer that is kept."""
    half = plain("lid", 0.9, x=0.75)
    stack = collage(plain("tray", 0.1), plain("shade", 0.5, blend="multiply"), half)
    expected = picture()
    expected[:, 4:12, 6:12] /= 2
    assert_close(paste_layers(picture(), stack, [2]), expected)


def test_pasted_layers_mix_with_those_pasted_below_them():
    stack = collage(plain("tray", 0.8), plain("shade", 0.5, blend="multiply"))
    expected = picture()
    expected[:, 4:12, 6:18] = 0.4
    assert_close(paste_layers(picture(), stack, [1, 2]), expected)


def test_a_picture_taken_apart_is_itself_again_though_layers_blend():
    stack = collage(soft(1), soft(2, blend="multiply", flip="both"), soft(3, blend="screen"))
    parted = split(stack, picture())
    assert_close(parted.composite.image, picture(), rtol=0, atol=1e-5)
    assert_close(parted.composite.visible_alpha, stack.composite.visible_alpha)
    assert [(one.blend, one.flip) for one in parted.layers] == [("normal", "none")] * 3
    assert parted.layers[0].notes == ()
    (note,) = parted.layers[1].notes
    assert note.startswith("its blend was multiply; now it is normal")


def test_what_is_hidden_of_a_blended_layer_keeps_its_mixed_colours():
    """The lid hides all of the shade; painting changed nothing."""
    shade, lid = plain("shade", 0.5, blend="multiply"), plain("lid", 0.9)
    stack = collage(plain("tray", 0.6), shade, lid, tone=0.8)
    parted = split(stack, stack.composite.image)
    assert_close(parted.layers[1].image, torch.full((1, 8, 12, 3), 0.3), rtol=0, atol=1e-4)


def test_layers_given_out_have_their_own_colours():
    stack = collage(plain("tray", 0.5), plain("shade", 0.5, blend="multiply"))
    cuts = layer_cutouts(stack, None, torch.ones(3))
    assert_close(cuts.images[1], cuts.images[0])


def test_an_object_is_learned_mirrored_and_in_its_own_colours():
    image = torch.zeros(1, 40, 40, 3)
    image[:, :, 20:] = 1.0  # its right half is white
    one = Layer(image=image, alpha=torch.ones(1, 40, 40), text="flag", blend="multiply")
    for flip, white in (("none", slice(70, 100)), ("horizontal", slice(28, 58))):
        views = layer_views(dataclasses.replace(one, flip=flip), None, 128, 8)
        assert views.pictures[3][30:100, white].min() > 0.99, flip


def test_a_report_names_the_mode_and_what_counts_as_hidden():
    said = describe_collage(collage(plain("tray", 0.5), plain("shade", 0.5, blend="multiply")))
    assert 'by layer 2 "shade" (multiply: only noise and words count as hidden)' in said
    assert "noise 0.6; multiply" in said


def test_an_edit_says_what_a_mixed_picture_cannot_tell_apart():
    shade = plain("shade", 0.5, blend="multiply", opacity=0.5)
    stack = collage(plain("tray", 0.8), shade)
    request = EditRequest(layers="2", noise=0.6, feather=0.0, paste=True)
    assert (
        'layer 2 "shade" was mixed into the picture (multiply)'
        in edit(stack, picture(), request)[2]
    )
    told = edit(stack, picture(), dataclasses.replace(request, previous=stack))[2]
    assert "was mixed into" not in told
    under = dataclasses.replace(request, layers="1", previous=stack)
    assert (
        'layer 2 "shade" of `before` (multiply) lies over what was taken away'
        in edit(stack, picture(), under)[2]
    )
    assert "lies over" not in edit(stack, picture(), dataclasses.replace(under, layers="1, 2"))[2]
