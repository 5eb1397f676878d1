"""The noise map and the keep-or-free rule against slow loops and their own identities."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from collage_core.imaging.blur import gaussian_blur
from collage_core.noise.noise_map import (
    cell_noise,
    fixed_cells,
    free_cells,
    noise_map,
    schedule_fraction,
    start_noise,
)

B, L, H, W = 2, 3, 7, 11


@pytest.fixture
def visible(generator: torch.Generator) -> torch.Tensor:
    """Visible alphas of three layers and a background that shows everywhere a little."""
    shares = torch.rand(B, L + 1, H, W, generator=generator)
    return (shares / shares.sum(1, keepdim=True))[:, :L]


def test_map_is_the_composite_of_the_noises(visible: torch.Tensor) -> None:
    noises, base = (0.2, 0.5, 0.9), 0.7
    expected = torch.empty(B, 1, H, W)
    for b in range(B):
        for y in range(H):
            for x in range(W):
                shares = visible[b, :, y, x].tolist()
                value = sum(share * noise for share, noise in zip(shares, noises, strict=True))
                expected[b, 0, y, x] = value + (1 - sum(shares)) * base
    assert_close(noise_map(visible, noises, base, 0.0), expected)


def test_soft_edge_counts_its_alpha_once() -> None:
    half = torch.full((1, 1, 2, 2), 0.5)
    assert_close(noise_map(half, [0.6], 0.8, 0.0), torch.full((1, 1, 2, 2), 0.7))


@pytest.mark.parametrize("noise", [0.0, 0.3, 1 / 3, 1.0])
def test_equal_noises_make_an_exactly_flat_map(visible: torch.Tensor, noise: float) -> None:
    assert torch.equal(noise_map(visible, [noise] * L, noise, 0.0), torch.full((B, 1, H, W), noise))


def test_without_layers_the_base_shows() -> None:
    flat = noise_map(torch.zeros(B, 0, H, W), [], 0.4, 3.0)
    assert_close(flat, torch.full((B, 1, H, W), 0.4))


def test_map_leaves_its_inputs_alone(visible: torch.Tensor) -> None:
    before = visible.clone()
    noise_map(visible, [0.1, 0.2, 0.3], 0.8, 2.0)
    assert torch.equal(visible, before)


def test_blur_is_a_gaussian_over_replicated_edges(generator: torch.Generator) -> None:
    image, sigma = torch.rand(H, W, generator=generator), 2.0
    reach = range(-12, 13)
    expected = torch.zeros(H, W)
    for y in range(H):
        for x in range(W):
            total = weights = 0.0
            for dy in reach:
                for dx in reach:
                    weight = math.exp(-(dy * dy + dx * dx) / (2 * sigma * sigma))
                    row, column = min(max(y + dy, 0), H - 1), min(max(x + dx, 0), W - 1)
                    total += weight * image[row, column].item()
                    weights += weight
            expected[y, x] = total / weights
    blurred = gaussian_blur(image[None, None], sigma)[0, 0]
    # It integrates over every pixel; the loop takes the middle of each.
    assert_close(blurred, expected, atol=5e-3, rtol=0)


def test_blur_has_the_sigma_it_was_asked_for() -> None:
    line = torch.zeros(1, 1, 1, 201)
    line[..., 100] = 1.0
    spread = gaussian_blur(line, 10.0).flatten().double()
    offset = torch.arange(201, dtype=torch.float64) - 100
    assert spread.sum().item() == pytest.approx(1.0, abs=1e-5)
    assert (spread * offset**2).sum().sqrt().item() == pytest.approx(10.0, abs=0.01)


@pytest.mark.parametrize("sigma", [0.3, 10.0, 500.0])
def test_blur_keeps_a_flat_map_flat(sigma: float) -> None:
    assert_close(gaussian_blur(torch.full((B, 1, H, W), 0.6), sigma), torch.full((B, 1, H, W), 0.6))


@pytest.mark.parametrize("sigma", [0.2, 1.0, 10.0, 40.0, 500.0])
@pytest.mark.parametrize("size", [(1, 1), (8, 3), (64, 97), (40, 1024)])
def test_blur_is_the_product_with_its_matrices(
    generator: torch.Generator, sigma: float, size: tuple[int, int]
) -> None:
    """Row i of one holds the Gaussian around pixel i; the edge pixels take the tails."""

    def matrix(n: int) -> torch.Tensor:
        edges = torch.arange(n + 1, dtype=torch.float64) - 0.5
        edges[0], edges[-1] = -math.inf, math.inf
        centres = torch.arange(n, dtype=torch.float64).unsqueeze(1)
        return torch.special.ndtr((edges - centres) / sigma).diff(dim=1)

    image = torch.rand(2, 1, *size, generator=generator).round()
    expected = matrix(size[0]) @ image.double() @ matrix(size[1]).T
    assert_close(gaussian_blur(image, sigma).double(), expected, atol=3e-6, rtol=0)


def test_blur_leaves_nothing_far_from_what_it_spreads() -> None:
    """A mask of the noise is 0 there to the bit: other packs crop to what is not."""
    image = torch.zeros(1, 1, 200, 300)
    image[..., 90:110, 140:160] = 0.7
    blurred = gaussian_blur(image, 5.0)
    assert blurred[..., :50, :].abs().max() == 0
    assert blurred[..., :, 200:].abs().max() == 0
    assert blurred.min() == 0
    assert blurred.max() <= image.max()


def test_a_blur_of_a_wide_canvas_is_one_that_rises() -> None:
    image = torch.zeros(1, 1, 16, 65536)
    image[..., 30000:] = 1.0
    blurred = gaussian_blur(image, 512.0)
    assert blurred[0, 0, 8, 30000].item() == pytest.approx(0.5, abs=1e-3)
    assert blurred[..., 27000:33000].diff().min() > -3e-6


def test_blur_of_zero_pixels_is_no_blur(visible: torch.Tensor) -> None:
    assert torch.equal(gaussian_blur(visible, 0.0), visible)


def test_cells_are_means_of_a_canvas_cropped_like_the_vae(generator: torch.Generator) -> None:
    pixels, cell = torch.rand(B, 1, 20, 27, generator=generator), 8
    expected = torch.empty(B, 1, 2, 3)
    for row in range(2):
        for column in range(3):
            # 20 = 2 + 2 * 8 + 2 and 27 = 1 + 3 * 8 + 2
            top, left = 2 + row * cell, 1 + column * cell
            block = pixels[..., top : top + cell, left : left + cell]
            expected[..., row, column] = block.mean((-1, -2))
    assert_close(cell_noise(pixels, cell), expected)


def test_cells_of_one_pixel_are_the_pixels(visible: torch.Tensor) -> None:
    assert torch.equal(cell_noise(visible[:, :1], 1), visible[:, :1])


@pytest.mark.parametrize("noise", [0.35, 0.6, 0.83, 1 / 3])
def test_start_is_the_declared_noise_to_the_bit(noise: float) -> None:
    visible = torch.zeros(1, 1, 64, 64)
    visible[..., :20] = 1.0
    cells = cell_noise(noise_map(visible, [0.1], noise, 3.0), 8)
    assert start_noise(cells, [0.1, noise]) == noise


def test_start_is_what_the_blur_leaves_of_a_small_layer() -> None:
    visible = torch.zeros(1, 1, 64, 64)
    visible[..., 28:36, 28:36] = 1.0
    cells = cell_noise(noise_map(visible, [1.0], 0.2, 10.0), 8)
    start = start_noise(cells, [1.0, 0.2])
    assert 0.2 < start < 0.5
    assert start == cells.max().item()


def test_start_of_nothing_to_redraw_is_zero() -> None:
    assert start_noise(torch.full((1, 1, 2, 2), 1e-7), [0.8]) == 0.0


def test_fraction_is_the_place_in_the_table() -> None:
    table = torch.linspace(math.log(0.03), math.log(14.6), 1000).exp()
    for index in (0, 1, 499, 998, 999):
        assert schedule_fraction(table[index].repeat(B), table) == index / 1000
    assert schedule_fraction(torch.zeros(1), table) == 0.0
    assert schedule_fraction(torch.full((1,), 99.0), table) == 0.999


def test_cells_are_kept_above_their_noise_and_free_from_it_on() -> None:
    cells = torch.tensor([0.0, 0.1, 0.2, 0.9]).view(1, 1, 1, 4)
    for fraction, free in [
        (0.24, [0, 0, 0, 1]),
        (0.201, [0, 0, 0, 1]),
        (0.2, [0, 0, 1, 1]),
        (0.1, [0, 1, 1, 1]),
        (0.0, [0, 1, 1, 1]),
    ]:
        assert free_cells(cells, fraction, 0.9).flatten().tolist() == free


@pytest.mark.parametrize(
    ("fraction", "radius"), [(0.999, 3), (0.75, 3), (0.749, 2), (0.3, 1), (0.24, 0)]
)
def test_kept_region_grows_by_four_cells_times_the_fraction(fraction: float, radius: int) -> None:
    cells = torch.ones(1, 1, 11, 13)
    cells[..., 5, 6] = 0.0
    expected = torch.ones(1, 1, 11, 13)
    expected[..., 5 - radius : 6 + radius, 6 - radius : 7 + radius] = 0.0
    assert torch.equal(free_cells(cells, fraction, 1.0), expected)


def test_highest_noise_is_free_at_whatever_level_sampling_starts() -> None:
    cells = torch.full((1, 1, 3, 3), 0.6) - 1e-6
    assert free_cells(cells, 0.999, 0.6).all()
    cells[..., :1] = 0.5
    assert free_cells(cells, 0.999, 0.5).all()


def test_only_noise_zero_never_changes() -> None:
    cells = torch.tensor([0.0, 1e-6, 0.001, 1.0])
    assert fixed_cells(cells).tolist() == [True, True, False, False]
