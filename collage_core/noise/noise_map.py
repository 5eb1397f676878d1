"""Per-layer noise: how far every place of the picture is redrawn (arXiv 2303.00262).

A noise value is the fraction of the full schedule from which a place is set free: 0 keeps its
pixels, 1 redraws it from pure noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from ..collage.collage import Collage
from ..imaging.blur import gaussian_blur
from .halo import with_halo

# Half a step of a thousand-step noise table: closer values sampling cannot tell apart.
RESOLUTION = 0.0005


def collage_noise(
    collage: Collage, base_noise: float, feather: float, halo: int = 0
) -> torch.Tensor:
    """Noise of every pixel [B, 1, H, W]: the map of a collage, for every node that needs it.

    The inputs are those of the sampler. A collage from CollageEdit brings a `base_noise` and a
    `feather` of its own, and where it has a `minimum_noise` no place gets less. See `noise_map`.
    """
    edit, visible = collage.edit, collage.composite.visible_alpha
    *noises, background = declared_noises(collage, base_noise)
    width = feather if edit is None else edit.feather
    noise = noise_map(visible, noises, background, width, halo)
    if edit is None or edit.minimum_noise is None:
        return noise
    return torch.maximum(noise, edit.minimum_noise.to(noise))


def declared_noises(collage: Collage, base_noise: float) -> list[float]:
    """The noise of every shown layer, bottom to top, and last that of the background.

    `base_noise` is the sampler's input; a collage from CollageEdit brings its own.
    """
    background = base_noise if collage.edit is None else collage.edit.base_noise
    return [*(layer.noise for layer in collage.shown), background]


def noise_map(
    visible_alpha: torch.Tensor,
    noises: Sequence[float],
    base_noise: float,
    feather: float,
    halo: int = 0,
) -> torch.Tensor:
    """Visible alphas [B, L, H, W] and one noise per layer -> noise of every pixel [B, 1, H, W].

    Where no layer shows, `base_noise`, 0 to 1, does; a soft edge mixes the values by its alpha,
    once. `halo` pixels around a layer are raised to its noise, see `with_halo`.
    `feather`, 0 or more, is the standard deviation in pixels of a Gaussian blur over the whole
    map, which is what the paper's code calls the radius of its blur (10 or 20).
    """
    above_base = visible_alpha.new_tensor([noise - base_noise for noise in noises])
    flat = base_noise + torch.einsum("blhw,l->bhw", visible_alpha, above_base)
    raised = with_halo(flat.unsqueeze(1), visible_alpha, noises, halo)
    return gaussian_blur(raised, feather).clamp(0.0, 1.0)


def cell_noise(noise: torch.Tensor, cell: int) -> torch.Tensor:
    """Noise of the pixels [B, 1, H, W] -> of the latent cells [B, 1, H // cell, W // cell].

    `cell` is the edge of a latent cell in pixels; each cell is the mean of its own. Of a canvas
    that cells do not divide, the rim is cut off evenly, as ComfyUI's VAE cuts it.
    """
    H, W = noise.shape[-2:]
    top, left = H % cell // 2, W % cell // 2
    return F.avg_pool2d(noise[..., top:, left:], cell)


def start_noise(cells: torch.Tensor, values: Sequence[float]) -> float:
    """The highest noise of any cell, where sampling has to start: KSampler's `denoise`.

    `values` are the noises the map was made of. The one that blur and averaging only rounded is
    given back exactly, since the number of steps hangs on it.
    """
    highest = cells.max().item()
    declared = [value for value in values if abs(value - highest) < RESOLUTION]
    if declared:
        return max(declared)
    return highest if highest >= RESOLUTION else 0.0


def schedule_fraction(sigma: torch.Tensor, sigmas: torch.Tensor) -> float:
    """Where `sigma` [B] stands in a model's table of noise levels [N], rising: i / N in [0, 1).

    With the discrete schedule of SD this is the paper's t / 1000. Other models name a level by
    something else (a quarter of its logarithm, the shifted time of a flow), but all keep such a
    table, and schedulers, `denoise` and start and end percentages count along it.
    """
    distance = (sigmas.log() - sigma.max().log().to(sigmas.device)).abs()
    return distance.argmin().item() / len(sigmas)


def fixed_cells(cells: torch.Tensor) -> torch.Tensor:
    """Noise of the latent cells [B, 1, h, w] -> True where it is 0: cells that never change."""
    return cells < RESOLUTION


def free_cells(cells: torch.Tensor, fraction: float, start: float) -> torch.Tensor:
    """Noise of the latent cells [B, 1, ..., h, w] -> 1 where one may change at this step, else 0.

    The paper's rule: while t / T (`fraction`) lies above its noise a cell is kept, that is
    replaced by the original under noise; from there on it is free. The kept region is grown by
    int(4 t / T) cells to every side, as in the paper's code: early on, while coarse structure
    is made, the surroundings of a kept object follow the object. `start` is the noise sampling
    begins with; cells that have it count as below the first step, whatever level a scheduler
    makes of it.
    """
    kept = fixed_cells(cells) | (cells < min(fraction, start) - RESOLUTION)
    radius = int(4 * fraction)
    planes = kept.to(cells).flatten(0, -3)  # [B * 1, h, w]
    grown = F.max_pool2d(planes, 2 * radius + 1, stride=1, padding=radius)
    return 1.0 - grown.view_as(cells)
