"""The noise map against slow loops and its own identities."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from collage_core.noise.noise_map import cell_noise, noise_map

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
