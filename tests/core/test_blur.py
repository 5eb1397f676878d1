"""The Gaussian blur against a slow loop and the product with its matrices."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from collage_core.imaging.filters import gaussian_blur

B, H, W = 2, 7, 11


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


def test_blur_of_zero_pixels_is_no_blur(generator: torch.Generator) -> None:
    image = torch.rand(B, 3, H, W, generator=generator)
    assert torch.equal(gaussian_blur(image, 0.0), image)
