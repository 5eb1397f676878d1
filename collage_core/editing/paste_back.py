"""Putting back every pixel outside of what an edit could change, and checks of the inputs.

A picture that went through a VAE differs a little everywhere, and a decoder spreads a change
beyond the latent cells that changed. Both faults vanish where the original is put back exactly.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from einops import repeat

from ..collage.collage import Collage
from ..collage.limits import CELL
from ..errors import CollageError
from ..imaging.filters import inner_distance, square_max
from ..imaging.pixels import clean_pixels, mask_batch
from ..noise.noise_map import cell_noise, collage_noise
from ..noise.release import fixed_cells
from .result_picture import growth, other_size

NODE = "CollagePasteBack"


def paste_back(
    original: torch.Tensor, new: torch.Tensor, noise: torch.Tensor, feather: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Two pictures [B, H, W, 3 or 4] and the noise of the new one [B, 1, H, W] -> picture, blend.

    Outside of the cells that noise could change the picture is the original to the bit. Inside
    of them it turns into the new one over `feather` pixels. The alpha is the original's.
    blend: [B, H, W], the share of the new picture in each pixel; 0 where nothing could change.
    """
    blend = _seam(noise.to(original.device), feather).movedim(1, -1)  # [B, H, W, 1]
    B = max(len(original), len(new), len(blend))
    picture = original.expand(B, -1, -1, -1).clone()
    colour = picture[..., :3]
    mixed = colour.lerp(new[..., :3].to(colour), blend.to(colour))
    picture[..., :3] = torch.where(blend > 0, mixed, colour)
    return picture, blend.squeeze(-1).expand(B, -1, -1)


def changeable(noise: torch.Tensor) -> torch.Tensor:
    """Noise of the pixels [B, 1, H, W] -> True for all pixels of the cells that it could change.

    The rim of a canvas that is no multiple of a cell, which a VAE cuts off, is False.
    """
    cells = _changing_cells(noise)
    whole = repeat(cells, "b c h w -> b c (h y) (w x)", y=CELL, x=CELL)
    return F.pad(whole, _rim(noise))


def _changing_cells(noise: torch.Tensor) -> torch.Tensor:
    return ~fixed_cells(cell_noise(noise, CELL))


def _rim(noise: torch.Tensor) -> tuple[int, int, int, int]:
    """Pixels beside the whole cells of a map [..., H, W]: left, right, top, bottom."""
    rims = [(size % CELL // 2, size % CELL - size % CELL // 2) for size in noise.shape[-2:]]
    return (*rims[1], *rims[0])


def _seam(noise: torch.Tensor, feather: float) -> torch.Tensor:
    """Noise of the pixels [B, 1, H, W] -> the share of the new picture in each of them."""
    (H, W), rim = noise.shape[-2:], _rim(noise)
    beside = tuple(
        int(pixels > 0) for pixels in rim
    )  # the rim counts as cells outside of the region
    ramp = inner_ramp(F.pad(_changing_cells(noise), beside), CELL, feather)
    left, top = beside[0] * CELL - rim[0], beside[2] * CELL - rim[2]
    return ramp[..., top : top + H, left : left + W]


def inner_ramp(region: torch.Tensor, cell: int, width: float) -> torch.Tensor:
    """Cells [B, 1, h, w], True inside -> weights of their pixels [B, 1, h cell, w cell].

    Weights are 0 outside and rise to 1 over `width` pixels inside. In a thin region, where no
    pixel near by lies that deep, the ramp is narrower, so that the middle of the region is 1 too.
    The edge of the canvas is no edge of a region.
    """
    reach = math.floor(width) + 1
    inside = inner_distance(region, cell, reach)
    ramp = inside / square_max(inside, reach).clamp(min=1).clamp_(max=width + 1)
    ramp = ramp.clamp_(max=1)
    return ramp * ramp * (3 - 2 * ramp)


def checked_pictures(original: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
    """Two IMAGEs as connected -> the new one, its values limited to [0, 1].

    Raises CollageError for values that are no numbers and for different sizes. The original is
    checked and not limited, so that every value of it comes back unchanged.
    """
    clean_pixels(original, None, NODE, "original")
    new, _, _ = clean_pixels(new, None, NODE, "new")
    wanted = (original.shape[2], original.shape[1])
    if found := other_size(new, wanted):
        factor = growth(found, wanted)
        raise CollageError(
            f"{NODE}, input new: its {found[0]} x {found[1]} pixels are not the {wanted[0]} x "
            f"{wanted[1]} of the original. "
            + (
                f"It is {factor:.4g} times as large: scale it by {1 / factor:.4g}, or paste back "
                "before you scale."
                if factor
                else "Connect the picture from before the edit and the one from after it."
            )
        )
    return new


def region_noise(
    original: torch.Tensor, collage: Collage | None, mask: torch.Tensor | None
) -> torch.Tensor:
    """The noise of the edit [B, 1, H, W], from the MASK if one is connected, else the collage.

    Raises CollageError if neither says what could change, if nothing could change, and for a mask
    or collage of another size than the original.
    """
    if mask is not None:
        name, noise = "mask", _from_mask(mask)
    elif collage is not None:
        name, noise = "collage", _from_collage(collage)
    else:
        raise CollageError(
            f"{NODE}, inputs collage and mask: neither is connected, so nothing says what changed. "
            "Connect the collage of CollageEdit or the sampler's noise_map."
        )
    size, wanted = noise.shape[-2:], original.shape[1:3]
    if size != wanted:
        raise CollageError(
            f"{NODE}, input {name}: its {size[1]} x {size[0]} pixels are not the {wanted[1]} x "
            f"{wanted[0]} of the original. Connect what belongs to this picture."
        )
    if not changeable(noise).any():
        raise CollageError(
            f"{NODE}, input {name}: its highest noise is {noise.max().item():.3g}, so nothing "
            "could change and there is nothing to take from the new picture. Connect the noise_map "
            "of the sampler that made it, or use the original."
        )
    return noise


def _from_mask(mask: torch.Tensor) -> torch.Tensor:
    mask = mask_batch(mask, f"{NODE}, input mask", "the sampler's noise_map")
    if not mask.isfinite().all():
        raise CollageError(
            f"{NODE}, input mask: it holds NaN or infinite values. Repair or replace the node that "
            "made it."
        )
    return mask.unsqueeze(1).float()


def _from_collage(collage: Collage) -> torch.Tensor:
    edit = collage.edit
    if edit is None:
        raise CollageError(
            f"{NODE}, input collage: it does not come from CollageEdit, so only the sampler knows "
            "the noise of its background. Connect the sampler's noise_map to mask."
        )
    return collage_noise(collage, edit.base_noise, edit.feather)


def check_batches(original: torch.Tensor, new: torch.Tensor, noise: torch.Tensor) -> None:
    batches = {"original": len(original), "new": len(new), "mask or collage": len(noise)}
    if len(set(batches.values()) - {1}) > 1:
        listed = ", ".join(f"{name} has {batch}" for name, batch in batches.items())
        raise CollageError(
            f"{NODE}, the batches do not fit: {listed}. Give each 1 picture, or all the same "
            "number."
        )
