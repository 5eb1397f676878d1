"""The same collage in another size: places, pixels, background, edit, strengths, refusals."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from collage_core.collage.collage import Collage, Edit
from collage_core.collage.layer import Embedding, Layer
from collage_core.collage.resize import resize_bytes, resized
from collage_core.collage.stack import new_canvas, with_layers, with_picture
from collage_core.editing.split import split
from collage_core.errors import CollageError
from collage_core.imaging.colour import GREY
from collage_core.imaging.resample import cover_crop

W, H = 128, 96
STRENGTHS: dict[str, Any] = {
    "noise": 0.4,
    "attract": 0.7,
    "repel": 0.2,
    "control": 0.6,
    "opacity": 0.9,
}


def random(*size: int) -> torch.Tensor:
    return torch.rand(*size, generator=torch.Generator().manual_seed(len(size)))


def layer(text: str = "cup", side: tuple[int, int] = (24, 16), **settings: Any) -> Layer:
    return Layer(image=random(1, *side, 3), alpha=torch.ones(1, *side), text=text, **settings)


def collage(*layers: Layer, picture: torch.Tensor | None = None, **settings: Any) -> Collage:
    canvas = new_canvas(W, H, GREY)
    if picture is not None:
        canvas = with_picture(canvas, picture, GREY)
    made = with_layers(canvas, "a cup and a jug", layers or (layer(),))
    return dataclasses.replace(made, **settings)


@pytest.mark.parametrize("factor", [2, 0.75, 1.5, 3])
@pytest.mark.parametrize("fit", ["pixels", "contain", "cover"])
@pytest.mark.parametrize("place", [{}, {"rotation": 25.0, "x": 0.3, "y": 0.7}, {"flip": "both"}])
def test_every_layer_stays_at_its_place(factor: float, fit: str, place: dict[str, Any]):
    scale = 1.4 if fit == "pixels" else 0.6
    stack = collage(layer(fit=fit, scale=scale, **place), layer("jug", x=0.45, y=0.6))
    large = resized(stack, factor)
    assert (large.width, large.height) == (W * factor, H * factor)
    seen = large.composite.visible_alpha
    wanted = F.interpolate(
        stack.composite.visible_alpha, seen.shape[2:], mode="bilinear", antialias=factor < 1
    )
    assert (seen - wanted).abs().mean() < 0.01, "apart from its edges"
    for mask, other in zip(seen[0], wanted[0], strict=True):
        assert_close(centre(mask), centre(other), atol=0.5, rtol=0)
    assert_close(seen.mean((0, 2, 3)), wanted.mean((0, 2, 3)), atol=0.003, rtol=0)


def centre(mask: torch.Tensor) -> torch.Tensor:
    rows, columns = (torch.arange(size) + 0.5 for size in mask.shape)
    return torch.stack([mask.sum(1) @ rows, mask.sum(0) @ columns]) / mask.sum()


def test_a_picture_that_was_shrunk_shows_all_of_its_pixels():
    big = layer(side=(48, 32), scale=0.5, x=0.5, y=0.5)
    large = resized(collage(big), 2)
    assert large.layers[0].image is big.image
    assert torch.equal(large.composite.image[:, 72:120, 112:144], big.image), "to the bit"


def test_words_looks_and_strengths_stay():
    look = Embedding(name="my_cup", vectors={})
    stack = collage(layer(**STRENGTHS, embedding=look, blend="screen", notes=("so",)), notes=("x",))
    large = resized(stack, 2)
    for name in ("prompt", "notes", "node"):
        assert getattr(large, name) == getattr(stack, name)
    assert large.learned_phrases == stack.learned_phrases
    for name in (*STRENGTHS, "embedding", "blend", "notes", "x", "y", "visible"):
        assert getattr(large.layers[0], name) == getattr(stack.layers[0], name), name


def test_noise_is_multiplied_and_nothing_else():
    large = resized(collage(layer(**STRENGTHS)), 2, 0.5)
    assert large.layers[0].noise == 0.2
    assert large.layers[0].attract == 0.7


def test_a_background_picture_is_taken_from_its_own_size():
    picture = random(1, 150, 200, 3)
    large = resized(collage(picture=picture), 2)
    wanted = cover_crop(picture.movedim(-1, 1), 2 * H, 2 * W).movedim(1, -1)
    assert torch.equal(large.background, wanted)
    again = resized(resized(large, 0.5), 2)
    assert torch.equal(again.background, wanted), "not resampled twice"


def test_pictures_of_a_batch_keep_the_picture_behind_them():
    stack = collage(picture=random(3, 150, 200, 3))
    one = resized(stack.of_pictures([1]), 2)
    assert torch.equal(one.background, resized(stack, 2).background[1:2])


def test_a_background_that_is_no_picture_of_its_own_is_stretched():
    stack = collage(background=random(1, H, W, 3))
    wanted = F.interpolate(stack.background.movedim(-1, 1), scale_factor=2, mode="bilinear")
    assert_close(resized(stack, 2).background, wanted.movedim(1, -1))
    parted = split(collage(picture=random(1, 150, 200, 3)), random(1, H, W, 3))
    found = resized(parted, 2).background
    wanted = F.interpolate(parted.background.movedim(-1, 1), scale_factor=2, mode="bilinear")
    assert_close(found, wanted.movedim(1, -1)), "and not what lay there before the split"


def test_a_background_of_one_colour_takes_no_memory():
    large = resized(collage(), 4)
    assert large.background.untyped_storage().nbytes() < 100
    assert torch.equal(large.background[0, -1, -1], collage().background[0, 0, 0])


def test_a_finished_picture_its_least_noise_and_its_feather_grow():
    edit = Edit(
        picture=random(1, H, W, 3), base_noise=0.4, feather=6.0, minimum_noise=random(1, 1, H, W)
    )
    large = resized(collage(edit=edit), 2, 0.5)
    assert large.edit is not None
    twice = F.interpolate(edit.picture.movedim(-1, 1), scale_factor=2, mode="bilinear")
    assert_close(large.composite.image, twice.movedim(1, -1))
    assert (large.edit.feather, large.edit.base_noise) == (12.0, 0.2)
    assert edit.minimum_noise is not None
    least = F.interpolate(edit.minimum_noise, scale_factor=2, mode="bilinear") / 2
    assert_close(large.edit.minimum_noise, least)


@pytest.mark.parametrize(("factor", "size"), [(1.5, (120, 128)), (0.9, (72, 80)), (1.05, (80, 96))])
def test_sides_are_rounded_to_cells_as_the_latent_is(factor: float, size: tuple[int, int]):
    stack = dataclasses.replace(
        collage(), width=80, height=88, background=torch.zeros(1, 88, 80, 3)
    )
    large = resized(stack, factor)
    assert (large.width, large.height) == size
    cells = [round(side // 8 * factor) * 8 for side in (80, 88)]
    assert list(size) == cells
    assert large.composite.image.shape == (1, size[1], size[0], 3)
    assert bool(large.notes) == (size[0] * 88 != size[1] * 80)


def test_no_gap_opens_where_the_proportions_change():
    stack = collage(layer(side=(H, W)))
    large = resized(stack, 1.04)
    assert (large.width, large.height) == (136, 96)
    assert large.composite.visible_alpha.amin() > 0.999


@pytest.mark.parametrize(
    ("stack", "factor", "said"),
    [
        (collage(), 0.5, "would make the canvas of 128 x 96 pixels 64 x 48"),
        (collage(), 90, "and its sides reach from 64 to 8192"),
        (collage(layer(scale=80)), 2, 'CollageLayer "cup", input scale: 160 is outside'),
    ],
)
def test_sizes_that_cannot_be_are_refused(stack: Collage, factor: float, said: str):
    with pytest.raises(CollageError) as error:
        resized(stack, factor)
    assert str(error.value).startswith("CollageResize, input factor: ")
    assert said in str(error.value)


def test_nothing_of_the_first_collage_changes():
    stack = collage(picture=random(1, 150, 200, 3))
    before = stack.composite.image.clone()
    resized(stack, 2, 0.1)
    assert torch.equal(stack.composite.image, before)
    assert stack.layers[0].noise == 0.6


def test_the_memory_it_takes_grows_with_the_canvas():
    stack = collage()
    assert resize_bytes(stack, 4 * W, 4 * H) > 12 * resize_bytes(stack, W, H)


@pytest.mark.parametrize("multiple", [8, 16, 32])
@pytest.mark.parametrize("factor", [1.05, 1.3, 1.45, 2.0])
def test_sides_are_whole_cells_as_an_enlarged_latent_has_them(multiple: int, factor: float) -> None:
    large = resized(collage(), factor, multiple=multiple)
    wanted = [round(side // multiple * factor) * multiple for side in (W, H)]
    assert [large.width, large.height] == wanted
