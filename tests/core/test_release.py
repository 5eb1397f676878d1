"""Where sampling starts, and when a cell is set free."""

from __future__ import annotations

import math

import pytest
import torch

from collage_core.noise.noise_map import cell_noise, noise_map
from collage_core.noise.release import (
    fixed_cells,
    free_cells,
    never_freed,
    schedule_fraction,
    start_noise,
)

B = 2


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


def test_noise_below_the_last_step_is_never_freed() -> None:
    noises = {"fox": 0.2, "egg": 0.0, "jar": 0.8}
    cells = torch.tensor([0.0, 0.2, 0.8]).view(1, 1, 1, 3)
    free = {
        level: free_cells(cells, level, 0.8, growth=0)[0, 0, 0].tolist() for level in (0.2, 0.4)
    }
    assert free == {0.2: [0, 1, 1], 0.4: [0, 0, 1]}
    assert never_freed(cells, noises, 0.2) == {}
    assert never_freed(cells, noises, 0.4) == {"fox": 0.2}
    covered = torch.tensor([0.0, 0.8]).view(1, 1, 1, 2)
    assert never_freed(covered, noises, 0.4) == {}


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


@pytest.mark.parametrize(("growth", "radius"), [(0, 0), (1, 0), (4, 3), (8, 7)])
def test_the_growth_can_be_chosen(growth: int, radius: int) -> None:
    cells = torch.ones(1, 1, 17, 17)
    cells[..., 8, 8] = 0.0
    kept = 1 - free_cells(cells, 0.999, 1.0, growth=growth)
    assert kept.sum() == (2 * radius + 1) ** 2


@pytest.mark.parametrize(
    ("cell", "radii"),
    [(4, (0, 2, 4, 6)), (8, (0, 1, 2, 3)), (16, (0, 1, 1, 2)), (32, (0, 0, 1, 1))],
)
def test_kept_region_grows_by_pixels_whatever_the_cell(cell: int, radii: tuple[int, ...]) -> None:
    cells = torch.ones(1, 1, 15, 15)
    cells[..., 7, 7] = 0.0
    for fraction, radius in zip((0.24, 0.3, 0.6, 0.999), radii, strict=True):
        kept = 1 - free_cells(cells, fraction, 1.0, cell)
        assert kept.sum() == (2 * radius + 1) ** 2


def test_highest_noise_is_free_at_whatever_level_sampling_starts() -> None:
    cells = torch.full((1, 1, 3, 3), 0.6) - 1e-6
    assert free_cells(cells, 0.999, 0.6).all()
    cells[..., :1] = 0.5
    assert free_cells(cells, 0.999, 0.5).all()


def test_only_noise_zero_never_changes() -> None:
    cells = torch.tensor([0.0, 1e-6, 0.001, 1.0])
    assert fixed_cells(cells).tolist() == [True, True, False, False]
