"""Removing a layer from where it was in the picture, as the previous collage says."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.testing import assert_close

from collage_core.collage.collage import Collage
from collage_core.collage.layer import Layer
from collage_core.collage.stack import on_top_of, with_layers
from collage_core.editing.edit import edit
from collage_core.imaging.colour import GREY
from collage_core.noise.noise_map import collage_noise

from .edited_table import H, W, collage, edited, laid_table, layer, picture, refused, request, state


@pytest.fixture
def table() -> Collage:
    return laid_table()


def test_a_moved_layer_leaves_no_ghost(table: Collage):
    """Where it was the picture shows what was around, and that place has noise as well."""
    result = torch.full((1, H, W, 3), 0.3)
    result[:, 16:32, 40:56] = 0.8  # the painted cake
    layers = (*table.layers[:2], dataclasses.replace(table.layers[2], x=0.5))
    moved = table.with_layers(layers)
    one, noise, report = edit(moved, result, request("cake", paste=True, previous=table))
    image = one.composite.image
    assert torch.equal(noise, collage_noise(one, 0.8, 10.0))
    expected = torch.full((1, H, W, 3), 0.3)
    expected[:, 16:32, 24:40] = 0.9
    assert_close(image, expected, rtol=0, atol=1e-3)
    assert torch.equal(image[:, :16], result[:, :16])
    mask = torch.zeros(1, 1, H, W)
    mask[..., 16:32, 24:56] = 0.6
    assert_close(noise, mask)
    assert "Taken away from where it was in the picture: layer 3" in report


def test_beside_what_is_taken_away_the_picture_stays_to_the_bit(table: Collage):
    """Under a veil every pixel is a mix of several parts, which rounding never quite gives back."""
    veil = layer("veil", tone=0.7, scale=9.0, opacity=0.3)
    veiled = collage(*table.layers, veil)
    image = edited(veiled, picture(), request("cake", previous=veiled)).composite.image
    outside = torch.ones(H, W, dtype=torch.bool)
    outside[16:32, 40:56] = False
    assert torch.equal(image[0][outside], picture()[0][outside])
    assert not torch.equal(image, picture())


def test_the_background_is_never_taken_away(table: Collage):
    one, _, report = edit(table, picture(), request("0", previous=table))
    assert torch.equal(one.composite.image, picture())
    assert "nothing was taken away" in report


def test_what_is_taken_away_has_the_edits_feather(table: Collage):
    one = edited(table, picture(), request("3", feather=4.0, previous=table))
    least = state(one).minimum_noise
    assert least is not None
    assert 0.1 < least[0, 0, 24, 39].item() < 0.5


def taken(after: Collage, before: Collage, chosen: str) -> str:
    """What the report says was taken away, "" for nothing."""
    report = edit(after, picture(), request(chosen, paste=True, previous=before))[2]
    said = [line for line in report.splitlines() if line.startswith("Taken away")]
    assert bool(said) == ("! no layer of `before` is clearly one of these" not in report)
    return said[0].rpartition(": ")[2] if said else ""


BALL, OTHER = layer("ball", x=0.25), layer("ball", tone=0.4, x=0.5)
MOVED = dataclasses.replace(OTHER, y=0.25)


@pytest.mark.parametrize(
    ("before", "after", "chosen", "found"),
    [
        ([BALL], [BALL, OTHER], "2", ""),  # one more of the same words
        ([BALL, OTHER], [layer("rug"), BALL, MOVED], "2", "layer 1"),  # one more below
        ([BALL, OTHER], [layer("rug"), BALL, MOVED], "3", "layer 2"),
        ([BALL, OTHER], [MOVED], "1", "layer 2"),  # the other one was taken out
        ([BALL], [dataclasses.replace(BALL, x=0.5, text="red ball")], "1", "layer 1"),
        ([BALL], [layer("ball", tone=0.1, x=0.5)], "1", "layer 1"),  # another picture
        ([BALL, OTHER], [layer("ball", tone=0.1)], "1", ""),  # of which of the two?
        ([BALL, BALL], [BALL, dataclasses.replace(BALL, x=0.75)], "2", "layer 2"),
    ],
)
def test_the_former_layer_is_the_same_object(
    before: list[Layer], after: list[Layer], chosen: str, found: str
):
    assert taken(collage(*after), collage(*before), chosen) == found


def test_a_layer_from_nowhere_is_not_taken_away(table: Collage):
    more = with_layers(on_top_of(table, W, H, GREY), "cup and cake and egg", [layer("egg")])
    one, _, report = edit(more, picture(), request("egg", previous=table))
    assert torch.equal(one.composite.image, picture())
    assert state(one).minimum_noise is None
    assert "nothing was taken away" in report


def test_a_collage_from_before_that_does_not_fit_is_refused(table: Collage):
    small = Collage(width=16, height=16, prompt="cake", background=torch.zeros(1, 16, 16, 3),
                    layers=(layer("cake"),))  # fmt: skip
    said = refused(table, picture(), request("cake", previous=small))
    assert "CollageEdit, input before: its canvas of 16 x 16 pixels is not the 64 x 48" in said
    several = dataclasses.replace(table, background=torch.zeros(2, H, W, 3))
    said = refused(table, picture(3), request("cake", previous=several))
    assert "input before: a collage of 2 pictures does not fit 3 finished ones" in said
