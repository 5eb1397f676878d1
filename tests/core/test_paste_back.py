"""What an edit had no business with comes back to the bit."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from collage_core.editing.paste_back import changeable, inner_ramp, paste_back
from collage_core.imaging.filters import inner_distance
from collage_core.interruption import set_interrupt_check

H, W = 24, 40


def pictures(batch: int = 1, channels: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    original = torch.rand(batch, H, W, channels, generator=generator)
    return original, torch.rand(batch, H, W, 3, generator=generator)


def noise_at(rows: slice, columns: slice, value: float = 0.5) -> torch.Tensor:
    noise = torch.zeros(1, 1, H, W)
    noise[..., rows, columns] = value
    return noise


def test_whole_cells_change_even_for_a_pixel_of_noise():
    region = changeable(noise_at(slice(10, 11), slice(17, 18)))
    expected = torch.zeros(1, 1, H, W, dtype=torch.bool)
    expected[..., 8:16, 16:24] = True
    assert torch.equal(region, expected)


def test_noise_that_no_sampler_can_tell_from_none_changes_nothing():
    assert not changeable(noise_at(slice(0, H), slice(0, W), 1e-4)).any()


def test_the_rim_that_a_vae_cuts_off_is_kept():
    region = changeable(torch.ones(2, 1, 20, 27))  # 20 = 2 + 16 + 2 and 27 = 1 + 24 + 2
    expected = torch.zeros(2, 1, 20, 27, dtype=torch.bool)
    expected[..., 2:18, 1:25] = True
    assert torch.equal(region, expected)


def test_outside_of_the_cells_the_original_stays_to_the_bit():
    original, new = pictures()
    picture, taken = paste_back(original, new, noise_at(slice(8, 16), slice(8, 24)), 3.0)
    outside = torch.ones(1, H, W, dtype=torch.bool)
    outside[:, 8:16, 8:24] = False
    assert torch.equal(picture[outside], original[outside])
    assert torch.equal(taken[outside], torch.zeros(int(outside.sum())))
    assert taken[0, 8:16, 8:24].min() > 0


def test_without_a_feather_the_region_is_the_new_picture():
    original, new = pictures()
    picture, taken = paste_back(original, new, noise_at(slice(8, 16), slice(8, 24)), 0.0)
    assert torch.equal(picture[:, 8:16, 8:24], new[:, 8:16, 8:24])
    assert taken.unique().tolist() == [0.0, 1.0]


def test_a_feather_lies_inside_and_mixes():
    original, new = pictures()
    picture, taken = paste_back(original, new, noise_at(slice(0, H), slice(16, W)), 5.0)
    ramp = torch.arange(1, 7) / 6
    assert_close(taken[0, 12, 16:22], ramp * ramp * (3 - 2 * ramp))
    assert taken[:, :, 21:].min() == 1  # the edge of the canvas is no edge
    mixed = original + taken.unsqueeze(-1) * (new - original)
    assert_close(picture, mixed)
    assert torch.equal(picture[:, :, 22:], new[:, :, 22:])


def test_a_region_thinner_than_its_feather_still_becomes_new():
    _, taken = paste_back(*pictures(), noise_at(slice(8, 16), slice(8, 32)), 100.0)
    assert_close(taken[0, 11:13, 20], torch.ones(2))
    half = torch.tensor([1, 2, 3, 4]) / 4
    assert_close(taken[0, 8:12, 20], half * half * (3 - 2 * half))


@pytest.mark.parametrize("reach", [1, 4, 50])
def test_distances_are_the_euclidean_ones_to_the_nearest_pixel_outside(reach: int):
    generator = torch.Generator().manual_seed(6)
    region = torch.rand(2, 1, 11, 17, generator=generator) > 0.06
    expected = torch.zeros(2, 1, 11, 17)
    for b in range(2):
        outside = (~region[b, 0]).nonzero().tolist()
        for y, x in region[b, 0].nonzero().tolist():
            nearest = min(math.dist((y, x), place) for place in outside)
            expected[b, 0, y, x] = min(nearest, reach)
    assert_close(inner_distance(region, 1, reach), expected)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.6, 1.0])
@pytest.mark.parametrize("reach", [1, 6, 500])
def test_cells_are_as_far_as_their_pixels(reach: int, share: float):
    generator = torch.Generator().manual_seed(6)
    cells = torch.rand(2, 1, 13, 9, generator=generator) >= share
    pixels = cells.repeat_interleave(5, -1).repeat_interleave(5, -2)
    assert torch.equal(inner_distance(cells, 5, reach), inner_distance(pixels, 1, reach))


@pytest.mark.parametrize("size", [(20, 27), (16, 29), (17, 24)])
def test_the_rim_that_a_vae_cuts_off_is_outside(size: tuple[int, int]):
    original, new = torch.zeros(1, *size, 3), torch.ones(1, *size, 3)
    noise = torch.ones(1, 1, *size)
    _, taken = paste_back(original, new, noise, 2.0)
    ramp = inner_ramp(changeable(noise), 1, 2.0).squeeze(1)
    assert_close(taken, ramp)
    assert taken.min() == 0
    assert taken.max() == 1


def test_a_run_that_is_stopped_ends_within_a_seam():
    def stop() -> None:
        raise KeyboardInterrupt

    set_interrupt_check(stop)
    try:
        with pytest.raises(KeyboardInterrupt):
            paste_back(*pictures(), noise_at(slice(0, H), slice(16, W)), 5.0)
    finally:
        set_interrupt_check(lambda: None)


def test_everything_inside_is_everything_new():
    assert inner_ramp(torch.ones(1, 1, H, W, dtype=torch.bool), 1, 7.5).unique().tolist() == [1.0]
    assert inner_ramp(torch.zeros(1, 1, H, W, dtype=torch.bool), 1, 7.5).unique().tolist() == [0.0]


def test_a_ramp_never_falls_towards_the_middle():
    region = torch.zeros(1, 1, 64, 96, dtype=torch.bool)
    region[..., 8:56, 8:56] = True
    region[..., 30:34, 56:] = True  # and a thin arm to the edge of the canvas
    ramp = inner_ramp(region, 1, 9.3)
    assert ramp[0, 0, 32, 8:33].diff().min() >= 0
    assert ramp[0, 0, 32, 33] == 1
    assert ramp[0, 0, 31:33, 72:].min() == 1


def test_batches_of_one_serve_the_others():
    original, new = pictures(2)
    noise = noise_at(slice(8, 16), slice(8, 24))
    both, taken = paste_back(original, new, noise, 3.0)
    assert (both.shape, taken.shape) == ((2, H, W, 3), (2, H, W))
    one, _ = paste_back(original[:1], new, noise, 3.0)
    assert torch.equal(one[0], both[0])
    assert torch.equal(one[1, :8], original[0, :8])
    assert len(paste_back(original[:1], new[:1], noise.repeat(3, 1, 1, 1), 3.0)[0]) == 3


def test_the_alpha_of_the_original_stays():
    original, new = pictures(channels=4)
    picture, _ = paste_back(original, new, noise_at(slice(8, 16), slice(8, 24)), 0.0)
    assert torch.equal(picture[..., 3], original[..., 3])
    assert torch.equal(picture[:, 8:16, 8:24, :3], new[:, 8:16, 8:24])


def test_inputs_are_as_before():
    tensors = [*pictures(), noise_at(slice(8, 16), slice(8, 24))]
    copies = [tensor.clone() for tensor in tensors]
    paste_back(*tensors, feather=3.0)
    for tensor, copy in zip(tensors, copies, strict=True):
        assert torch.equal(tensor, copy)
