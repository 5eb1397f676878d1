"""What a user may connect as IMAGE and MASK, and what becomes of it."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from collage_core.errors import CollageError
from collage_core.imaging.pixels import clean_pixels

B, H, W = 2, 7, 11
NODE = 'CollageLayer "bear"'


def refused(image: torch.Tensor, mask: torch.Tensor | None = None) -> str:
    with pytest.raises(CollageError) as error:
        clean_pixels(image, mask, NODE)
    return str(error.value)


def test_three_channels_are_opaque(generator: torch.Generator):
    image = torch.rand(B, H, W, 3, generator=generator)
    colour, alpha, notes = clean_pixels(image, None, NODE)
    assert_close(colour, image, rtol=0, atol=0)
    assert_close(alpha, torch.ones(B, H, W), rtol=0, atol=0)
    assert notes == ()


def test_fourth_channel_and_mask_are_multiplied(generator: torch.Generator):
    image = torch.rand(B, H, W, 4, generator=generator) * 0.9
    mask = torch.rand(B, H, W, generator=generator)
    colour, alpha, notes = clean_pixels(image, mask, NODE)
    assert_close(colour, image[..., :3])
    assert_close(alpha, image[..., 3] * (1 - mask))
    assert notes == ()


def test_a_mask_is_one_where_transparent_and_may_lack_the_batch():
    mask = torch.zeros(H, W)
    mask[2, 3] = 1
    _, alpha, _ = clean_pixels(torch.zeros(B, H, W, 3), mask, NODE)
    assert alpha.shape == (B, H, W)
    assert (alpha == 0).nonzero().tolist() == [[0, 2, 3], [1, 2, 3]]


def test_one_image_serves_a_batch_of_masks():
    colour, alpha, _ = clean_pixels(torch.zeros(1, H, W, 3), torch.zeros(3, H, W), NODE)
    assert (colour.shape, alpha.shape) == ((3, H, W, 3), (3, H, W))


@pytest.mark.parametrize("batch", [1, B])
def test_load_images_mask_of_a_file_without_alpha_is_opaque(batch: int):
    _, alpha, notes = clean_pixels(torch.zeros(B, H, W, 3), torch.zeros(batch, 64, 64), NODE)
    assert_close(alpha, torch.ones(B, H, W), rtol=0, atol=0)
    assert notes == ("the file has no transparency: taken as opaque",)


def test_a_real_mask_of_64_x_64_on_an_image_of_that_size_says_nothing():
    assert clean_pixels(torch.zeros(1, 64, 64, 3), torch.zeros(1, 64, 64), NODE)[2] == ()


def test_a_mask_of_another_size_is_stretched_with_a_note():
    mask = torch.zeros(1, 4, 4)
    mask[:, :2] = 1
    _, alpha, notes = clean_pixels(torch.zeros(1, 8, 16, 3), mask, NODE)
    assert_close(alpha[0, 0], torch.zeros(16))
    assert_close(alpha[0, -1], torch.ones(16))
    assert notes == ("the mask of 4 x 4 pixels was stretched to the image's 16 x 8",)


def test_nearly_opaque_is_opaque():
    alpha = clean_pixels(torch.tensor([[[[0, 0, 0, 0.996], [0, 0, 0, 0.98]]]]), None, NODE)[1]
    assert_close(alpha, torch.tensor([[[1.0, 0.98]]]), rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_every_precision_becomes_float32(dtype: torch.dtype):
    image, mask = torch.full((1, H, W, 3), 0.5, dtype=dtype), torch.ones(1, H, W, dtype=dtype)
    colour, alpha, _ = clean_pixels(image, mask, NODE)
    assert colour.dtype == alpha.dtype == torch.float32


def test_values_beyond_0_and_1_are_limited_and_named():
    image = torch.full((1, H, W, 3), 0.5)
    image[0, 1, 2] = torch.tensor([-0.2, 1.5, 0.5])
    given = image.clone()
    colour, _, notes = clean_pixels(image, None, NODE)
    assert_close(image, given, rtol=0, atol=0)
    assert_close(colour[0, 1, 2], torch.tensor([0, 1, 0.5]))
    assert notes == ("image values from -0.2 to 1.5 were limited to 0 to 1",)
    _, _, notes = clean_pixels(given.clamp(0, 1), torch.full((1, H, W), -3.0), NODE)
    assert notes == ("mask values from -3 to -3 were limited to 0 to 1",)


def test_rounding_beyond_1_is_limited_silently():
    colour, _, notes = clean_pixels(torch.full((1, H, W, 3), 1.005), None, NODE)
    assert colour.max() == 1
    assert notes == ()


TURN = "where 1 is meant to be the object, put an InvertMask before it"


def polarity(mask: torch.Tensor, own: torch.Tensor | None = None) -> list[str]:
    """What is said of a MASK [H, W] on an image, whose own alpha [H, W] may be a channel."""
    image = torch.zeros(1, *mask.shape, 3)
    if own is not None:
        image = torch.cat([image, own[None, ..., None]], -1)
    return list(clean_pixels(image, mask, NODE)[2])


def blob(*rows_and_columns: slice) -> torch.Tensor:
    found = torch.zeros(40, 50)
    found[rows_and_columns] = 1
    return found


def test_a_mask_the_wrong_way_round_is_suspected():
    nearly_all = torch.ones(40, 40)
    nearly_all[3, 3] = 0
    assert polarity(nearly_all) == [f"the mask looks inverted: 99.9% of the layer is empty; {TURN}"]
    assert polarity(torch.ones(40, 40)) == [
        f"the mask is 1 everywhere, and 1 is transparent: {TURN}"
    ]
    inside = blob(slice(10, 30), slice(10, 35))
    assert polarity(inside) == [
        f"the mask keeps the edges of the image and takes out 25% inside: {TURN}"
    ]
    person = blob(slice(10, 40), slice(15, 35))  # who stands on the lower edge
    (said,) = polarity(person)
    assert said.startswith("the mask keeps the edges")
    small = blob(slice(10, 13), slice(10, 14))
    (said,) = polarity(small)
    assert "takes out 1% inside" in said
    for one in (inside, person):
        assert polarity(1 - one) == []


def test_a_mask_that_removes_what_the_fourth_channel_shows_is_suspected():
    own = blob(slice(0, 30), slice(0, 35))
    takes_out = f"the mask takes out what the image's own fourth channel shows: {TURN}"
    assert polarity(own, own) == [takes_out]
    assert polarity(1 - own, own) == []
    masks = torch.stack([own, own, own])
    notes = clean_pixels(
        torch.cat([torch.zeros(1, 40, 50, 3), own[None, ..., None]], -1), masks, NODE
    )[2]
    assert notes[-1] == takes_out


@pytest.mark.parametrize(
    "removed",
    [
        blob(slice(0, 20)),  # half of the picture
        blob(slice(30, 40)),
        blob(slice(0, 3), slice(0, 3)) + blob(slice(37, 40), slice(47, 50)),  # rounded corners
        blob(slice(12, 14), slice(12, 14)),  # specks
        blob(slice(0, 40), slice(0, 15)) + blob(slice(0, 40), slice(35, 50)),
        torch.zeros(40, 50),
    ],
)
def test_masks_as_load_image_gives_them_are_not_suspected(removed: torch.Tensor):
    assert polarity(removed) == []


def test_several_masks_for_one_image_say_what_they_make():
    (note,) = clean_pixels(torch.zeros(1, H, W, 3), torch.zeros(3, H, W), NODE)[2]
    assert note.startswith("3 masks for one image make 3 pictures; for one picture join them")
    assert clean_pixels(torch.zeros(3, H, W, 3), torch.zeros(3, H, W), NODE)[2] == ()


def test_a_mask_with_a_channel_is_a_mask():
    mask = torch.rand(2, 1, H, W)
    for with_channel, plain in ((mask, mask[:, 0]), (mask[:1], mask[:1, 0])):
        given = [clean_pixels(torch.zeros(2, H, W, 3), one, NODE) for one in (with_channel, plain)]
        assert_close(given[0][1], given[1][1], rtol=0, atol=0)
        assert given[0][2] == given[1][2]


def test_values_that_are_no_numbers_are_counted_and_located():
    image = torch.zeros(1, H, W, 3)
    image[0, 3, 9] = math.nan
    image[0, 5, 1, 0] = -math.inf
    message = refused(image)
    assert message.startswith(f"{NODE}, input image: has 3 NaN and 1 infinite values, ")
    assert "first at y=3 x=9" in message
    mask = torch.zeros(H, W)
    mask[6, 10] = math.inf
    message = refused(torch.zeros(1, H, W, 3), mask)
    assert f"{NODE}, input mask: has 1 infinite values, first at y=6 x=10" in message


@pytest.mark.parametrize("shape", [(H, W, 3), (1, H, W, 2), (1, 1, H, W, 3), (1, 0, W, 3), (H,)])
def test_other_image_shapes_are_refused(shape: tuple[int, ...]):
    assert f"{NODE}, input image: has the shape {list(shape)}" in refused(torch.zeros(shape))


@pytest.mark.parametrize("shape", [(W,), (1, 2, H, W), (1, 1, 1, H, W), (0, H, W)])
def test_other_mask_shapes_are_refused(shape: tuple[int, ...]):
    message = refused(torch.zeros(1, H, W, 3), torch.zeros(shape))
    assert f"{NODE}, input mask: has the shape {list(shape)}" in message


def test_batches_of_image_and_mask_must_agree():
    message = refused(torch.zeros(2, H, W, 3), torch.zeros(3, H, W))
    assert "input mask: a batch of 3 does not fit the image's batch of 2" in message


def test_one_pixel_is_an_image():
    colour, alpha, notes = clean_pixels(torch.rand(1, 1, 1, 3), torch.zeros(1, 64, 64), NODE)
    assert (colour.shape, alpha.shape) == ((1, 1, 1, 3), (1, 1, 1))
    assert len(notes) == 1
