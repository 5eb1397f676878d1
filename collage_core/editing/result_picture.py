"""A finished picture, checked against the collage that it was made from."""

from __future__ import annotations

import torch

from ..collage.collage import Collage
from ..errors import CollageError
from ..imaging.pixels import clean_pixels


def result_picture(
    image: torch.Tensor, collage: Collage, node: str
) -> tuple[torch.Tensor, tuple[str, ...]]:
    """IMAGE as connected -> a picture [B, H, W, 3] as large as the canvas, and notes.

    A batch of 1 is repeated for every picture of the collage. Raises CollageError in the name of
    `node` for another size, a batch that does not fit, transparency and values that are no
    colours.
    """
    picture, alpha, notes = clean_pixels(image.to(collage.background.device), None, node)
    where = f"{node}, input image"
    wanted = (collage.width, collage.height)
    if (found := other_size(picture, wanted)) is not None:
        factor = growth(found, wanted)
        raise CollageError(
            f"{where}: its {found[0]} x {found[1]} pixels are not the {wanted[0]} x {wanted[1]} "
            "of the collage. "
            + (
                f"It is {factor:.4g} times as large: scale it by {1 / factor:.4g}, or make the "
                f"collage as large, its width, its height and every scale times {factor:.4g}."
                if factor
                else "Connect the picture that was made of this collage."
            )
        )
    if alpha.min() < 1:
        raise CollageError(
            f"{where}: it is transparent in places (lowest alpha {alpha.min().item():.3g}), and a "
            "finished picture has no holes. Put it on a background first."
        )
    batch = len(collage.composite.visible_alpha)
    if len({len(picture), batch} - {1}) > 1:
        raise CollageError(
            f"{where}: a batch of {len(picture)} pictures does not fit a collage of {batch}. "
            f"Use one picture, or {batch}."
        )
    return picture.expand(max(batch, len(picture)), -1, -1, -1), notes


def other_size(image: torch.Tensor, wanted: tuple[int, int]) -> tuple[int, int] | None:
    """Width and height of an image [B, H, W, C] where they are not the ones wanted."""
    height, width = image.shape[1:3]
    return None if (width, height) == wanted else (width, height)


def growth(found: tuple[int, int], wanted: tuple[int, int]) -> float | None:
    """How many times as large the found size is, if both have the same proportions."""
    across, down = found[0] / wanted[0], found[1] / wanted[1]
    return across if abs(across - down) < 0.01 * across else None
