"""The map of structure control, and what becomes of it on the grids of a UNet's blocks."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from collage_core.control import control_map, grid_weights, same_proportions

B, L, H, W = 2, 3, 56, 88


@pytest.fixture
def visible(generator: torch.Generator) -> torch.Tensor:
    """Visible alphas that leave a part of every pixel to the background."""
    return torch.rand(B, L, H, W, generator=generator) / (L + 1)


def test_map_mixes_the_controls_by_visible_alpha_once(visible: torch.Tensor) -> None:
    controls, base = (0.2, 1.0, 1.7), 0.4
    expected = torch.zeros(B, 1, H, W)
    for index, control in enumerate(controls):
        expected[:, 0] += control * visible[:, index]
    expected[:, 0] += base * (1 - visible.sum(1))
    assert_close(control_map(visible, controls, base), expected, atol=1e-5, rtol=0)


def test_map_without_layers_is_the_base(visible: torch.Tensor) -> None:
    found = control_map(visible[:, :0], (), 0.5)
    assert torch.equal(found, torch.full((B, 1, H, W), 0.5))


@pytest.mark.parametrize("control", [0.0, 1.0, 2.0])
def test_one_control_all_over_is_that_value_to_the_bit(
    visible: torch.Tensor, control: float
) -> None:
    """Though the visible alphas of a covered pixel add up to a little more or less than 1."""
    covered = visible / visible.sum(1, keepdim=True)
    assert (covered.sum(1) != 1).any()
    weights = control_map(covered, (control,) * L, 0.0)
    assert torch.equal(weights, torch.full_like(weights, control))
    for size in ((7, 11), (4, 6), (2, 3), (1, 2)):
        cells = grid_weights(weights, (7, 11), size)
        assert torch.equal(cells, torch.full((B, 1, *size), control))


def test_map_leaves_its_input_alone(visible: torch.Tensor) -> None:
    before = visible.clone()
    control_map(visible, (0.1, 0.2, 0.3), 0.5)
    assert torch.equal(visible, before)


@pytest.mark.parametrize(
    ("latent", "sizes"),
    [
        ((65, 11), [(65, 11), (33, 6), (17, 3), (9, 2)]),
        ((7, 12), [(7, 12), (4, 6), (2, 3), (1, 2)]),
        ((8, 8), [(8, 8), (4, 4), (2, 2), (1, 1)]),
    ],
)
def test_cells_are_means_of_the_area_a_unet_gives_them(
    latent: tuple[int, int], sizes: list[tuple[int, int]], generator: torch.Generator
) -> None:
    weights = torch.rand(B, 1, 8 * latent[0], 8 * latent[1], generator=generator)
    for level, size in enumerate(sizes):
        side, found = 8 * 2**level, grid_weights(weights, latent, size)
        assert found.shape == (B, 1, *size)
        for row in range(size[0]):
            for column in range(size[1]):
                rows, columns = (slice(side * n, side * (n + 1)) for n in (row, column))
                area = weights[..., rows, columns].mean((-1, -2))
                assert_close(found[..., row, column], area, atol=1e-5, rtol=1e-5)


def test_a_grid_that_no_halving_makes_is_the_mean_of_its_area(visible: torch.Tensor) -> None:
    weights = control_map(visible, (1.0, 0.0, 2.0), 0.5)
    found = grid_weights(weights, (7, 11), (3, 5))  # halved with rounding down
    assert found.shape == (B, 1, 3, 5)
    assert found.mean().item() == pytest.approx(weights.mean().item(), abs=0.01)


@pytest.mark.parametrize(
    ("size", "canvas", "same"),
    [
        ((64, 64), (512, 512), True),
        ((65, 9), (520, 72), True),
        ((97, 14), (520, 72), True),  # 1.5 times as large, rounded
        ((64, 65), (512, 512), True),
        ((64, 66), (512, 512), False),
        ((12, 12), (96, 80), False),
        ((80, 96), (96, 80), False),
    ],
)
def test_proportions_are_the_same_but_for_rounding(
    size: tuple[int, int], canvas: tuple[int, int], same: bool
) -> None:
    assert same_proportions(size, canvas) == same
