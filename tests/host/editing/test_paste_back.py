"""CollagePasteBack, with what the nodes before it give."""

from __future__ import annotations

import dataclasses

import pytest
import torch


@pytest.fixture
def edited(execute, collage, picture):
    """The cake of a finished picture has noise."""
    return execute(
        "CollageEdit", collage=collage(), image=picture(), layers="cake", noise=0.5, phrase="",
        feather=0.0, paste=False,
    )  # fmt: skip


@pytest.fixture
def back(execute, picture):
    def run(**inputs):
        given = {"original": picture(), "new": picture(seed=6), "feather": 2.0}
        return execute("CollagePasteBack", **given | inputs)

    return run


def test_the_collage_says_what_is_taken(back, edited, picture) -> None:
    out = back(collage=edited.collage)
    expected = torch.zeros(48, 64, dtype=torch.bool)
    expected[16:32, 24:40] = True
    assert torch.equal(out.mask[0] > 0, expected)
    assert torch.equal(out.image[0][~expected], picture()[0][~expected])
    assert torch.equal(out.image[0, 19:29, 27:37], picture(seed=6)[0, 19:29, 27:37])


def test_the_mask_is_used_instead_of_the_collage(back, edited) -> None:
    assert torch.equal(back(mask=edited.noise_map).image, back(collage=edited.collage).image)
    mask = torch.zeros(48, 64)
    mask[:, :8] = 1.0
    out = back(mask=mask, collage=edited.collage)
    assert out.mask[:, :, :8].min() > 0
    assert out.mask[:, :, 8:].max() == 0
    channel = back(mask=mask[None, None], collage=edited.collage)
    assert torch.equal(channel.image, out.image)


def test_values_of_the_original_stay_even_beyond_their_range(back, edited, picture) -> None:
    original = picture()
    original[0, 0, 0] = torch.tensor([1.5, -0.25, 1.0])
    out = back(original=original, new=picture(seed=6) * 3, collage=edited.collage)
    assert torch.equal(out.image[0, :16], original[0, :16])
    assert out.image[0, 16:].max() == 1


def test_several_new_pictures_come_back_onto_one_original(back, edited, picture) -> None:
    out = back(new=picture(3), collage=edited.collage)
    assert out.image.shape == (3, 48, 64, 3)
    assert out.mask.shape == (3, 48, 64)


NAN = torch.full((1, 48, 64, 3), torch.nan)
MASK = torch.ones(1, 48, 64)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({}, "CollagePasteBack, inputs collage and mask: neither is connected"),
        ({"feather": -1.0, "mask": MASK}, "CollagePasteBack, input feather: -1 is outside"),
        ({"original": NAN, "mask": MASK}, "CollagePasteBack, input original: has 9216 NaN"),
        ({"new": NAN, "mask": MASK}, "CollagePasteBack, input new: has 9216 NaN"),
        ({"new": torch.zeros(1, 96, 128, 3), "mask": MASK}, "128 x 96 pixels are not the 64 x 48 "),
        ({"new": torch.zeros(1, 96, 128, 3), "mask": MASK}, "2 times as large: scale it by 0.5, "),
        ({"new": torch.zeros(1, 48, 72, 3), "mask": MASK}, "Connect the picture from before the"),
        ({"mask": torch.ones(1, 24, 32)}, "input mask: its 32 x 24 pixels are not the 64 x 48"),
        ({"mask": 0 * MASK}, "input mask: its highest noise is 0, so nothing could change"),
        ({"mask": NAN[..., 0]}, "input mask: it holds NaN or infinite values"),
        ({"mask": torch.ones(1, 2, 48, 64)}, r"input mask: has the shape [1, 2, 48, 64]"),
        ({"new": torch.zeros(2, 48, 64, 3), "mask": MASK.repeat(3, 1, 1)}, "has 1, new has 2, "),
    ],
)  # fmt: skip
def test_bad_inputs_are_refused(back, refused, inputs, said) -> None:
    assert said in refused(back, **inputs)


def test_collages_that_do_not_say_what_changed_are_refused(
    back, edited, collage, picture, refused
) -> None:
    said = refused(back, collage=collage())
    assert "input collage: it does not come from CollageEdit" in said
    locked = tuple(dataclasses.replace(one, noise=0.0) for one in edited.collage.layers)
    said = refused(back, collage=edited.collage.with_layers(locked))
    assert "input collage: its highest noise is 0" in said
    said = refused(back, original=picture(size=(96, 64)), new=picture(size=(96, 64)),
                   collage=edited.collage)  # fmt: skip
    assert "input collage: its 64 x 48 pixels are not the 64 x 96" in said


@pytest.mark.parametrize("feather", [2.0, 512.0])
def test_an_interrupt_ends_it(back, edited, feather) -> None:
    import comfy.model_management as management

    management.interrupt_current_processing()
    try:
        with pytest.raises(management.InterruptProcessingException):
            back(collage=edited.collage, feather=feather)
    finally:
        management.interrupt_current_processing(False)
