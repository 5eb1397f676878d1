"""A box of the canvas, for nodes that sample a crop of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..errors import CollageError
from .collage import Collage


@dataclass(frozen=True)
class Box:
    """Place and size in pixels of the canvas; x and y count from its upper left corner.

    Example: Box(16, 0, 64, 64).cut(mask)  # [..., H, W] -> [..., 64, 64]
    """

    x: int
    y: int
    width: int
    height: int

    def __str__(self) -> str:
        return f"the crop of {self.width} x {self.height} pixels at x {self.x}, y {self.y}"

    def cut(self, pixels: torch.Tensor) -> torch.Tensor:
        """[..., H, W] of the canvas -> [..., height, width]."""
        rows, columns = slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)
        return pixels[..., rows, columns]


def read_box(value: object, collage: Collage, where: str) -> Box | None:
    """The one box of a BOUNDING_BOX: {"x", "y", "width", "height"} or lists of it; None for None.

    Raises CollageError, which begins with `where`, for anything else and for a box that is not
    inside the canvas.
    """
    if value is None:
        return None
    boxes = [*_flat(value)]
    if len(boxes) != 1:
        raise CollageError(
            f"{where}: {len(boxes)} boxes arrived. Connect one, from Bounding Box with the "
            "numbers of the layer in the layout of CollageLayers."
        )
    found = [boxes[0].get(name) for name in ("x", "y", "width", "height")]
    sides = [int(side) for side in found if isinstance(side, (int, float)) and side == side // 1]
    if len(sides) < len(found):
        raise CollageError(f"{where}: {boxes[0]} has no whole x, y, width and height. Enter them.")
    box = Box(*sides)
    inside = box.x + box.width <= collage.width and box.y + box.height <= collage.height
    if not inside or min(box.x, box.y) < 0 or min(box.width, box.height) < 1:
        raise CollageError(
            f"{where}: {box} does not lie on the canvas of {collage.width} x {collage.height}. "
            "Enter the box that the picture was cropped by, in pixels of the canvas."
        )
    return box


def _flat(value: object) -> list[dict[str, object]]:
    if isinstance(value, dict):
        return [value]
    if isinstance(value, (list, tuple)):
        return [box for one in value for box in _flat(one)]
    return []


def wrong_shape(box: Box | None, pixels: tuple[int, int], cells: tuple[int, int]) -> str:
    """A message about a latent of other proportions than the canvas; sizes are (height, width)."""
    name, what = ("collage", "canvas") if box is None else ("crop", "crop")
    return (
        f"input {name}: the {what} of {pixels[1]} x {pixels[0]} pixels has another shape than the "
        f"latent of {cells[1]} x {cells[0]} cells that is sampled. Give the latent the proportions "
        f"of the {what}"
    )
