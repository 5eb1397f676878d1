"""A finished picture must be as large as its collage, or is refused with what to do."""

from __future__ import annotations

import pytest
import torch

from collage_core.collage.collage import Collage
from collage_core.collage.layer import Layer
from collage_core.editing.result_picture import result_picture
from collage_core.errors import CollageError


def collage(batch: int = 1) -> Collage:
    bear = Layer(image=torch.zeros(batch, 4, 4, 3), alpha=torch.ones(batch, 4, 4), text="bear")
    return Collage(
        width=24, height=16, prompt="bear", background=torch.zeros(1, 16, 24, 3), layers=(bear,)
    )


def refused(image: torch.Tensor, batch: int = 1) -> str:
    with pytest.raises(CollageError) as error:
        result_picture(image, collage(batch), "CollageX")
    return str(error.value)


def test_a_picture_of_the_canvas_size_is_itself(generator: torch.Generator):
    image = torch.rand(3, 16, 24, 3, generator=generator)
    picture, notes = result_picture(image, collage(), "CollageX")
    assert torch.equal(picture, image)
    assert notes == ()
    assert torch.equal(result_picture(image, collage(3), "CollageX")[0], image)


def test_one_picture_serves_every_collage_of_a_batch(generator: torch.Generator):
    image = torch.rand(1, 16, 24, 3, generator=generator)
    picture, _ = result_picture(image, collage(2), "CollageX")
    assert torch.equal(picture, image.expand(2, -1, -1, -1))


def test_other_batches_are_refused():
    assert "input image: a batch of 3 pictures does not fit a collage of 2. Use one" in refused(
        torch.zeros(3, 16, 24, 3), batch=2
    )


def test_a_picture_that_was_scaled_is_refused_with_the_factor():
    said = refused(torch.zeros(1, 32, 48, 3))
    assert "CollageX, input image: its 48 x 32 pixels are not the 24 x 16 of the collage" in said
    assert "2 times as large: scale it by 0.5, or make the collage as large" in said
    assert "every scale times 2." in said
    assert "0.5 times as large: scale it by 2," in refused(torch.zeros(1, 8, 12, 3))


@pytest.mark.parametrize("size", [(32, 24), (16, 25), (24, 16)])
def test_a_picture_of_another_shape_is_refused(size: tuple[int, int]):
    said = refused(torch.zeros(1, *size, 3))
    assert f"its {size[1]} x {size[0]} pixels are not" in said
    assert said.endswith("Connect the picture that was made of this collage.")


def test_transparency_is_refused_and_an_opaque_alpha_is_not():
    image = torch.ones(1, 16, 24, 4)
    picture, _ = result_picture(image, collage(), "CollageX")
    assert picture.shape == (1, 16, 24, 3)
    image[0, 3, 5, 3] = 0.25
    assert "transparent in places (lowest alpha 0.25)" in refused(image)


def test_values_that_are_no_colours_are_named():
    assert "CollageX, input image: has 1152 NaN values" in refused(
        torch.full((1, 16, 24, 3), torch.nan)
    )
    _, notes = result_picture(torch.full((1, 16, 24, 3), 1.5), collage(), "CollageX")
    assert "were limited to 0 to 1" in notes[0]
