"""The pictures a look is learned from, and the layers nothing can be learned from."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from collage_core.collage.collage import Collage
from collage_core.collage.layer import Layer
from collage_core.errors import CollageError
from collage_core.inversion.views import OBJECT_SHARES, SCENE_SHARE, layer_views

R = 128


def red_box(**settings: Any) -> Layer:
    """A red box of 20 x 40 pixels inside 60 x 70 whose hidden colour is green."""
    image = torch.zeros(1, 60, 70, 3)
    image[..., 1] = 1
    alpha = torch.zeros(1, 60, 70)
    alpha[:, 10:30, 20:60] = 1
    image[:, 10:30, 20:60] = torch.tensor([1.0, 0.0, 0.0])
    return Layer(image=image, alpha=alpha, text="red box", **settings)


def blue_collage(*layers: Layer) -> Collage:
    background = torch.zeros(1, 64, 96, 3)
    background[..., 2] = 1
    return Collage(width=96, height=64, prompt="red box", background=background, layers=layers)


def test_every_view_shows_the_object_at_its_size():
    views = layer_views(red_box(), None, R, 8)
    for picture, mask, size in zip(views.pictures, views.masks, OBJECT_SHARES, strict=True):
        assert mask.sum().item() == pytest.approx(R * size * R * size / 2, rel=0.06)
        inside = mask > 0.99
        red = torch.tensor([1.0, 0.0, 0.0]).expand(int(inside.sum()), 3)
        torch.testing.assert_close(picture[inside], red, rtol=0, atol=0.02)


def test_in_a_collage_one_view_shows_it_among_the_others_at_its_own_size():
    layer = red_box(scale=0.25)
    other = dataclasses.replace(layer, text="red", x=0.58)
    views = layer_views(layer, blue_collage(other, layer), R, 8)
    wide = (views.masks[0].amax(0) > 0.5).sum().item()
    assert wide == pytest.approx(SCENE_SHARE * R, abs=2)
    red = (views.pictures[0][..., 0] > 0.5).float()
    assert (red * (views.masks[0] < 0.01)).sum() > 0.05 * R * R, "the other box is not in view"


def test_a_size_measured_against_the_canvas_shows_the_same_surroundings():
    other = dataclasses.replace(red_box(), text="red", x=0.75)
    plain = red_box(scale=0.25 * 96 / 70)
    fitted = red_box(scale=0.25, fit="cover")
    views = [layer_views(one, blue_collage(other, one), R, 8) for one in (plain, fitted)]
    torch.testing.assert_close(views[0].pictures, views[1].pictures)


def test_the_object_stands_as_it_is_turned_in_the_collage():
    upright = layer_views(red_box(), None, R, 8).masks[2]
    turned = layer_views(red_box(rotation=90), None, R, 8).masks[2]
    torch.testing.assert_close(turned, upright.rot90(), rtol=0, atol=1e-3)


def test_six_backgrounds_differ_and_hidden_colour_is_on_none():
    views = layer_views(red_box(), blue_collage(), R, 8)
    corners = views.pictures[:, :4, :4].mean((1, 2))
    assert len({tuple(round(x, 2) for x in corner.tolist()) for corner in corners}) >= 5
    torch.testing.assert_close(corners[0], torch.tensor([0.0, 0.0, 1.0]), rtol=0, atol=0.02)
    assert views.pictures[0].clamp(max=1)[..., 1].max() < 0.02


def test_the_surroundings_are_those_without_the_layer_itself():
    layer = red_box(scale=0.5)
    views = layer_views(layer, blue_collage(layer), R, 8)
    outside = views.masks[0] < 0.01
    blue = torch.tensor([0.0, 0.0, 1.0]).expand(int(outside.sum()), 3)
    torch.testing.assert_close(views.pictures[0][outside], blue, rtol=0, atol=0.02)


def test_a_layer_beyond_the_canvas_has_views_too():
    views = layer_views(red_box(x=3.0, scale=90.0), blue_collage(), R, 8)
    assert views.pictures.isfinite().all()


def test_an_opacity_does_not_dim_the_object():
    bright, dim = (layer_views(red_box(opacity=o), None, R, 8) for o in (1.0, 0.3))
    torch.testing.assert_close(bright.pictures, dim.pictures)


def test_the_masks_on_the_latent_grid_are_one_cell_wider():
    views = layer_views(red_box(), None, R, 8)
    cells = views.cells(8)
    assert cells.shape == (6, 1, 16, 16)
    assert (cells > 0).sum() > (views.masks.unfold(1, 8, 8).unfold(2, 8, 8).sum((-1, -2)) > 0).sum()


def specks() -> torch.Tensor:
    """One opaque pixel in each of two corners."""
    alpha = torch.zeros(1, 60, 70)
    alpha[0, 0, 0] = alpha[0, -1, -1] = 1
    return alpha


def strip() -> torch.Tensor:
    return (torch.arange(70) < 9).float().expand(1, 60, 70)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alpha": torch.zeros(1, 60, 70)}, r"nothing of it can be seen, .* 0\.000"),
        ({"opacity": 0.0}, "nothing of it can be seen"),
        ({"alpha": strip()}, "9 x 60 pixels"),
        ({"image": torch.full((1, 60, 70, 3), torch.nan)}, "NaN or infinite"),
        ({"alpha": specks()}, "covers .* latent cells"),
    ],
    ids=["empty", "no opacity", "narrow", "nan", "specks"],
)
def test_refused_by_name(change: dict[str, Any], message: str):
    layer = dataclasses.replace(red_box(), **change)
    with pytest.raises(CollageError, match=f'LayerTextualInversion, layer "red box".*{message}'):
        layer_views(layer, None, R, 8)
