"""The pixels of a layer of a PSD file: its colours, and its alpha with masks and clipping.

Boxes are (left, top, right, bottom) in pixels of the file's canvas. Colours are bytes; a 32-bit
file holds light, which becomes sRGB.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..errors import CollageError

Box = tuple[int, int, int, int]
Plane = np.ndarray[Any, Any]
MAX_DECODED = 2**30  # pixels of planes, so that no file makes them be decoded for hours


def box_of(layer: Any) -> Box:
    left, top, right, bottom = layer.bbox
    return int(left), int(top), int(right), int(bottom)


def pixels_in(box: Box) -> int:
    return max(0, box[2] - box[0]) * max(0, box[3] - box[1])


class LayerPixels:
    """Decodes planes of layers; counts how much, because masks and bases are read repeatedly."""

    def __init__(self, deep: bool) -> None:
        """deep: whether the file holds light, 32 bits each."""
        self._deep = deep
        self._left = MAX_DECODED

    def colour(self, layer: Any) -> Plane:
        """[h, w, 3] bytes, grey repeated."""
        plane = self._read(layer, "color", box_of(layer))
        if self._deep:
            plane = srgb(plane)
        plane = (plane.clip(0, 1) * 255 + 0.5).astype(np.uint8)
        return np.repeat(plane, 3, 2) if plane.shape[2] == 1 else plane[..., :3]

    def coverage(self, layer: Any, box: Box, opacity: bool = False) -> Plane:
        """Alpha [h, w] of a layer or a group in a box, with its own masks, in float32.

        opacity: whether its opacity counts, as it does for the members of a group.
        """
        alpha = self._flat(layer, box) if layer.is_group() else self._shape(layer, box)
        self.mask(layer, box, alpha)
        return alpha * strength(layer) if opacity else alpha

    def _flat(self, group: Any, box: Box) -> Plane:
        """The alpha of all members together."""
        clear = np.ones((box[3] - box[1], box[2] - box[0]), np.float32)
        for layer in group:
            if layer.visible and not is_clipped(layer):
                clear *= 1 - self.coverage(layer, box, opacity=True)
        return 1 - clear

    def _shape(self, layer: Any, box: Box) -> Plane:
        own = box_of(layer)
        if not layer.has_pixels():
            return np.zeros((box[3] - box[1], box[2] - box[0]), np.float32)
        shape = self._read(layer, "shape", own, optional=True)
        inside = np.ones((own[3] - own[1], own[2] - own[0]), np.float32)
        return placed(inside if shape is None else shape[..., 0], own, box, 0.0)

    def mask(self, layer: Any, box: Box, alpha: Plane) -> None:
        """Multiply a layer's mask into its alpha, in place."""
        mask = layer.mask
        if mask is None or mask.disabled:
            return
        own = (mask.left, mask.top, mask.right, mask.bottom)
        outside = (mask.background_color or 0) / 255
        plane = self._read(layer, "mask", own, optional=True) if pixels_in(own) else None
        seen = np.float32(outside) if plane is None else placed(plane[..., 0], own, box, outside)
        density = mask.parameters and mask.parameters.user_mask_density
        if density is not None:
            seen = 1 - (1 - seen) * (density / 255)
        if layer.kind == "shape" and rendered(mask):
            np.minimum(alpha, seen, out=alpha)  # its pixels are cut by the same outline already
        else:
            alpha *= seen

    def _read(self, layer: Any, what: str, box: Box, optional: bool = False) -> Any:
        self._left -= pixels_in(box)
        if self._left < 0:
            raise CollageError(
                "needs its masks and clipping bases read too often. Merge some of its layers."
            )
        plane = layer.numpy(what)
        if plane is None and not optional:
            raise ValueError(f"no {what}")
        if plane is not None and plane.shape[:2] != (box[3] - box[1], box[2] - box[0]):
            raise ValueError(f"{what} of {plane.shape}")
        return plane


def is_clipped(layer: Any) -> bool:
    """Whether a layer or a group is clipped by the one below it; psd-tools denies it of groups."""
    return bool(record(layer).clipping)


def record(layer: Any) -> Any:
    """What the file says of a layer, as far as psd-tools has no property for it."""
    return layer._record  # noqa: SLF001


def rendered(mask: Any) -> bool:
    """Whether a mask is the picture of a vector mask."""
    return bool(mask.flags.user_mask_from_render)


def strength(layer: Any) -> float:
    """Opacity and fill opacity of one layer or group together, in [0, 1]."""
    return layer.opacity * layer.fill_opacity / 255**2


def srgb(light: Plane) -> Plane:
    """Linear light as sRGB, by its standard (IEC 61966-2-1)."""
    light = np.nan_to_num(light, posinf=1.0, neginf=0.0).clip(0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def placed(plane: Plane, own: Box, box: Box, outside: float) -> Plane:
    """A plane that lies in the box `own` as it is seen in another box, in float32."""
    seen = np.full((box[3] - box[1], box[2] - box[0]), outside, np.float32)
    left, top = max(own[0], box[0]), max(own[1], box[1])
    right, bottom = min(own[2], box[2]), min(own[3], box[3])
    if left < right and top < bottom:
        part = plane[top - own[1] : bottom - own[1], left - own[0] : right - own[0]]
        seen[top - box[1] : bottom - box[1], left - box[0] : right - box[0]] = part
    return np.nan_to_num(seen).clip(0, 1)


def cropped(pixels: Plane, left: int, top: int) -> tuple[Plane, int, int] | None:
    """[h, w, 4] without its empty edges, and where it then lies; None if nothing is seen."""
    rows, columns = (np.flatnonzero(pixels[..., 3].any(axis)) for axis in (1, 0))
    if not rows.size:
        return None
    part = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return part, left + int(columns[0]), top + int(rows[0])


def overlap(boxes: Iterable[Box]) -> bool:
    """Whether any two boxes share a pixel."""
    every = list(boxes)
    return any(
        max(one[0], other[0]) < min(one[2], other[2])
        and max(one[1], other[1]) < min(one[3], other[3])
        for number, one in enumerate(every)
        for other in every[:number]
    )
