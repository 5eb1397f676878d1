"""What CollagePasteBack is given, checked."""

from __future__ import annotations

import torch

from ..collage.collage import Collage
from ..errors import CollageError
from ..imaging.pixels import clean_pixels, mask_batch
from ..noise.noise_map import collage_noise
from .paste_back import changeable
from .result_picture import growth, other_size

NODE = "CollagePasteBack"


def checked_pictures(original: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
    """Two IMAGEs as connected -> the new one, its values in [0, 1].

    Raises CollageError for values that are no numbers and where the sizes differ. The original is
    looked at and left alone: a value of it that changed would be no longer the same.
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
    """The noise of the edit [B, 1, H, W], from a MASK as connected or else from the collage.

    Raises CollageError where neither says what could change, where nothing could, and for a mask
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
