"""Per-layer noise: how far every place of the picture is redrawn (arXiv 2303.00262).

A noise value is the fraction of the full schedule from which a place is set free: 0 keeps its
pixels, 1 redraws it from pure noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from ..collage.collage import BACKGROUND, Collage
from ..collage.layer_names import layer_name
from ..imaging.filters import TINY, gaussian_blur, running_max
from ..imaging.pixels import box_of
from ..interruption import interruptible

OCTAGON_CORNER = 1 - 2**-0.5  # what two corners cut off the half side of a regular octagon


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


def named_noises(collage: Collage, base_noise: float) -> dict[str, float]:
    """`declared_noises` by what messages call each layer and the background."""
    numbers = [*(number for number, _ in collage.numbered), BACKGROUND]
    noises = declared_noises(collage, base_noise)
    return {layer_name(collage, n): noise for n, noise in zip(numbers, noises, strict=True)}


def noise_map(
    visible_alpha: torch.Tensor,
    noises: Sequence[float],
    base_noise: float,
    feather: float,
    halo: int = 0,
) -> torch.Tensor:
    """Visible alphas [B, L, H, W] and one noise per layer -> noise of every pixel [B, 1, H, W].

    Where no layer is visible the noise is `base_noise`, 0 to 1; a soft edge mixes the values by
    its alpha. `halo` pixels around a layer are raised to its noise, see `with_halo`. `feather`, 0
    or more, is the standard deviation in pixels of a Gaussian blur over the whole map, which the
    paper's code calls the radius of its blur (10 or 20).
    """
    above_base = visible_alpha.new_tensor([noise - base_noise for noise in noises])
    flat = base_noise + torch.einsum("blhw,l->bhw", visible_alpha, above_base)
    raised = with_halo(flat.unsqueeze(1), visible_alpha, noises, halo)
    return gaussian_blur(raised, feather).clamp(0.0, 1.0)


def cell_noise(noise: torch.Tensor, cell: int) -> torch.Tensor:
    """Noise of the pixels [B, 1, H, W] -> of the latent cells [B, 1, H // cell, W // cell].

    `cell` is the edge of a latent cell in pixels; each cell is the mean of its pixels. The rim of
    a canvas that is no multiple of a cell is cut off evenly, as ComfyUI's VAE does.
    """
    H, W = noise.shape[-2:]
    top, left = H % cell // 2, W % cell // 2
    return F.avg_pool2d(noise[..., top:, left:], cell)


def with_halo(
    flat: torch.Tensor, visible_alpha: torch.Tensor, noises: Sequence[float], halo: int
) -> torch.Tensor:
    """Noise of the pixels [B, 1, H, W], raised around layers with visible alpha [B, L, H, W].

    The shadow and the reflection of a layer may form in its halo, outside of its alpha. Every
    layer is grown by `halo` pixels: where growing adds to its alpha, its noise replaces lower
    noise, in part under a soft edge. No noise is lowered, and a halo of 0 changes no bit. Each
    layer costs some 8 log2(halo) passes over its own box, not over the canvas.
    """
    halo = min(halo, sum(flat.shape[-2:]))  # a larger one reaches no further
    if halo == 0:
        return flat
    raised, lowest = flat.clone(), flat.min()
    for index, noise in enumerate(interruptible(noises)):
        if noise > lowest and visible_alpha[:, index].any():
            here, added = _added_alpha(visible_alpha[:, index], halo)
            below = flat[here]
            higher = below + added * (noise - below)
            raised[here] = torch.maximum(raised[here], higher)
    return raised


def _added_alpha(alpha: torch.Tensor, halo: int) -> tuple[tuple[slice, ...], torch.Tensor]:
    """An index of the map for the box of a halo, and there the share of each pixel that it adds.

    The grown alpha [B, H, W] covers that share of what the layer's own alpha leaves free.
    """
    rows, columns = box_of((alpha > 0).any(0))
    grown = grow(alpha[:, rows, columns], halo)
    grown = grown[:, max(halo - rows.start, 0) :, max(halo - columns.start, 0) :]
    rows = slice(max(rows.start - halo, 0), rows.stop + halo)
    columns = slice(max(columns.start - halo, 0), columns.stop + halo)
    own = alpha[:, rows, columns]
    grown = grown[:, : own.shape[1], : own.shape[2]]
    added = ((grown - own) / (1 - own).clamp(min=TINY)).clamp(0, 1)
    return (slice(None), slice(None), rows, columns), added.unsqueeze(1)


def grow(alpha: torch.Tensor, radius: int) -> torch.Tensor:
    """[B, h, w] -> [B, h + 2 radius, w + 2 radius]: the largest value within `radius` pixels.

    The shape is an octagon, whose corners reach a pixel or a tenth further: the largest value
    along four lines, one after the other.
    """
    corner = min(round(OCTAGON_CORNER * radius), (radius - 1) // 2)
    side = radius - 2 * corner
    for dy, dx, length in ((0, 1, side), (1, 0, side), (1, 1, corner), (1, -1, corner)):
        alpha = running_max(alpha, dy, dx, 2 * length)
    return alpha
