"""When the latent cells are set free: at the step at which the schedule reaches their noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F

# Half a step of a thousand-step noise table: sampling cannot tell closer values apart.
NOISE_RESOLUTION = 0.0005
PAPER_CELL = 8  # pixels of a latent cell's side in the paper
PAPER_GROWTH = 4  # cells by which kept places grow, times t / T


def start_noise(cells: torch.Tensor, values: Sequence[float]) -> float:
    """The highest noise of any cell, where sampling has to start: KSampler's `denoise`.

    `values` are the noises that the map was made from. Where blur and averaging only rounded one
    of them, exactly that value is returned, because the number of steps depends on it.
    """
    highest = cells.max().item()
    declared = [value for value in values if abs(value - highest) < NOISE_RESOLUTION]
    if declared:
        return max(declared)
    return highest if highest >= NOISE_RESOLUTION else 0.0


def schedule_fraction(sigma: torch.Tensor, sigmas: torch.Tensor) -> float:
    """Where `sigma` [B] stands in a model's table of noise levels [N], rising: i / N in [0, 1).

    With the discrete schedule of SD this is the paper's t / 1000. Other models have other names
    for a level (a quarter of its logarithm, the shifted time of a flow), but all of them keep such
    a table, and schedulers, `denoise` and start and end percentages count along it.
    """
    distance = (sigmas.log() - sigma.max().log().to(sigmas.device)).abs()
    return distance.argmin().item() / len(sigmas)


def fixed_cells(cells: torch.Tensor) -> torch.Tensor:
    """Noise of the latent cells [B, 1, h, w] -> True where it is 0: cells that never change."""
    return cells < NOISE_RESOLUTION


def never_freed(
    cells: torch.Tensor, noises: Mapping[str, float], lowest: float
) -> dict[str, float]:
    """Those of the noises whose cells `free_cells` sets free at no step, although they are not 0.

    cells: noise of the latent cells, made from `noises`; lowest: t / T of the last step.
    """

    def kept(noise: torch.Tensor) -> torch.Tensor:
        return ~fixed_cells(noise) & (noise < lowest - NOISE_RESOLUTION)

    if not kept(cells).any():
        return {}
    return {name: noise for name, noise in noises.items() if kept(torch.tensor(noise))}


def free_cells(
    cells: torch.Tensor,
    fraction: float,
    start: float,
    cell: int = PAPER_CELL,
    growth: int = PAPER_GROWTH,
) -> torch.Tensor:
    """Noise of the latent cells [B, 1, ..., h, w] -> 1 where one may change at this step, else 0.

    The paper's rule: while t / T (`fraction`) is above the noise of a cell, the cell is kept, that
    is replaced by the original under noise; after that it is free. The kept region is grown by
    int(growth t / T) cells of 8 pixels to every side, so that in early steps, which make the
    coarse structure, the surroundings of a kept object follow the object; the paper's code has 4.
    `start` is the noise that sampling begins with; cells with that noise are free from the first
    step on, whatever noise level the scheduler begins with.
    """
    kept = fixed_cells(cells) | (cells < min(fraction, start) - NOISE_RESOLUTION)
    radius = (int(growth * fraction) * PAPER_CELL + cell // 2) // cell
    planes = kept.to(cells).flatten(0, -3)  # [B * 1, h, w]
    grown = F.max_pool2d(planes, 2 * radius + 1, stride=1, padding=radius)
    return 1.0 - grown.view_as(cells)
