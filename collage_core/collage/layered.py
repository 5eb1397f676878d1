"""ComfyUI's own layers, the socket LAYERS of its Add Layer, as layers of a collage.

ComfyUI after 0.30.0, nodes_compositor.py: {"version": 1, "canvas": (w, h), "layers": [{"type":
"raster", "image", "mask", "name", "x", "y", "w", "h", "z_index", "opacity", "blend_mode",
"rotation", "visible", "flip_h", "flip_v"}]}. All but version, layers and image may be missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import torch

from ..errors import CollageError, quoted
from ..imaging.filters import TINY
from ..imaging.pixels import LOADED, check_image, clean_pixels, mask_batch
from ..imaging.resample import stretch
from .layer import Layer, turned_size
from .limits import BLENDS, CANVAS, CELL, FLIPS, MAX_LAYERS, NORMAL

NODE = "CollageFromLayers"
WHERE = f"{NODE}, input layers"
VERSION = 1
MAX_PIXELS = 1 << 26  # of one layer
NAMES = {name.replace(" ", "-"): name for name in BLENDS} | {"linear-dodge": "add"}
LINEAR = "soft edges and blend modes differ a little from ComfyUI's own, which mix in linear light"

Item = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class LayeredImage:
    """Layers, the canvas that they lie on, and notes for the report."""

    width: int
    height: int
    layers: tuple[Layer, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Frame:
    """One picture of an item, and its number in the stack from 1 on; the box is in pixels."""

    number: int
    item: Item
    index: int

    @property
    def where(self) -> str:
        return f"{WHERE}, layer {self.number}"

    @property
    def text(self) -> str:
        name = self.item.get("name")
        return name.strip() if isinstance(name, str) else ""

    def value(self, key: str, default: float) -> float:
        found = self.item.get(key)
        found = default if found is None else found
        if isinstance(found, bool) or not isinstance(found, Real) or not math.isfinite(found):
            raise CollageError(f"{self.where}: its {key} is no number. Correct it in Add Layer.")
        return float(found)

    @property
    def box(self) -> tuple[float, float, int, int]:
        """Left, top, width and height before the rotation."""
        height, width = self.item["image"].shape[1:3]
        w = round(self.value("w", 0)) or width
        h = round(self.value("h", 0)) or height
        if min(w, h) < 1 or w * h > MAX_PIXELS:
            raise CollageError(
                f"{self.where}: its size of {w} x {h} pixels cannot be drawn. Enter a width and a "
                f"height of at least 1, and at most {MAX_PIXELS >> 20} megapixels."
            )
        return self.value("x", 0), self.value("y", 0), w, h


def read_layers(value: Item, noise: float) -> LayeredImage:
    """LAYERS -> layers of this noise, bottom to top; every picture of a batch is one layer.

    Sizes that change the proportions are stretched by our own filter. Raises CollageError for
    another version, for layers of another type, without a picture or a name, and for values out of
    range.
    """
    if value.get("version") != VERSION:
        raise CollageError(
            f"{WHERE}: their version is {value.get('version')}, and this pack reads {VERSION}. "
            "Update the pack."
        )
    frames = [*_frames(value["layers"])]
    if nameless := [str(frame.number) for frame in frames if not frame.text]:
        raise CollageError(
            f"{WHERE}: layer {', '.join(nameless)} has no name. Write into Add Layer's name what "
            "the prompt calls it."
        )
    width, height = _canvas(value.get("canvas"), frames)
    layers = tuple(_layer(frame, width, height, noise) for frame in frames)
    notes = (LINEAR,) if any(map(_differs, layers)) else ()
    return LayeredImage(width=width, height=height, layers=layers, notes=notes)


def _frames(items: list[Any]) -> Iterator[_Frame]:
    """Sorted by z_index, where equal ones keep their order."""
    for number, item in enumerate(items, 1):
        if not isinstance(item, Mapping) or not isinstance(item.get("image"), torch.Tensor):
            raise CollageError(f"{WHERE}: number {number} has no image. Connect one to Add Layer.")
        if (kind := item.get("type", "raster")) != "raster":
            raise CollageError(
                f"{WHERE}: number {number} is of the type {quoted(str(kind))}, and only pictures "
                "(raster) are read. Leave it out."
            )
        check_image(item["image"], f"{WHERE}, number {number}")
    ordered = sorted(items, key=lambda item: _Frame(0, item, 0).value("z_index", 0))
    pairs = [(item, index) for item in ordered for index in range(len(item["image"]))]
    if len(pairs) > MAX_LAYERS:
        raise CollageError(
            f"{WHERE}: {len(pairs)} layers are more than the {MAX_LAYERS} that a stack holds. "
            "Merge or remove some."
        )
    yield from (_Frame(number, *pair) for number, pair in enumerate(pairs, 1))


def _canvas(given: Any, frames: list[_Frame]) -> tuple[int, int]:
    """The size in whole cells: the one given, or what reaches to the right and down the most."""
    if given is None:
        size = [1.0, 1.0]
        for frame in frames:
            x, y, w, h = frame.box
            tall, wide = turned_size(h, w, math.degrees(frame.value("rotation", 0)))
            size = [max(size[0], x + (w + wide) / 2), max(size[1], y + (h + tall) / 2)]
    else:
        size = [*given] if isinstance(given, (list, tuple)) else []
    sides = [
        math.ceil(round(float(side) / CELL, 6)) * CELL for side in size if isinstance(side, Real)
    ]
    if len(sides) != 2 or not CELL <= min(sides) <= max(sides) <= CANVAS[1]:
        raise CollageError(
            f"{WHERE}: their canvas of {' x '.join(map(str, size)) or 'no size'} pixels cannot be "
            f"used. Use sides from {CELL} to {CANVAS[1]}."
        )
    return sides[0], sides[1]


def _layer(frame: _Frame, width: int, height: int, noise: float) -> Layer:
    image, alpha, notes = _pixels(frame)
    x, y, w, h = frame.box
    if w * alpha.shape[1] != h * alpha.shape[2]:
        image, alpha = _stretched(image, alpha, h, w)
    blend = str(frame.item.get("blend_mode") or NORMAL)
    if blend not in NAMES:
        notes = (*notes, f"the blend mode {quoted(blend)} is not known here: taken as normal")
    flips = bool(frame.item.get("flip_h")) + 2 * bool(frame.item.get("flip_v"))
    try:
        return Layer(
            image=image,
            alpha=alpha,
            text=frame.text,
            x=(x + w / 2) / width,
            y=(y + h / 2) / height,
            scale=w / alpha.shape[2],
            rotation=-math.degrees(frame.value("rotation", 0)),
            opacity=frame.value("opacity", 1),
            noise=noise,
            visible=bool(frame.item.get("visible", True)),
            flip=FLIPS[flips],
            blend=NAMES.get(blend, NORMAL),
            notes=notes,
        )
    except CollageError as error:
        raise CollageError(f"{frame.where}: {error}") from error


def _pixels(frame: _Frame) -> tuple[torch.Tensor, torch.Tensor, tuple[str, ...]]:
    """Colour and alpha of one picture; 1 in a mask is transparent, a missing one is opaque."""
    name = frame.where.removeprefix(f"{NODE}, input ")
    image, mask = frame.item["image"][frame.index].unsqueeze(0), frame.item.get("mask")
    if isinstance(mask, torch.Tensor):
        masks = mask_batch(mask, f"{frame.where}, mask")
        index = 0 if len(masks) == 1 else frame.index
        mask = masks[index : index + 1] if index < len(masks) else None
    else:
        mask = None
    polarity = replace(LOADED, name=f"{name}, mask")
    return clean_pixels(image, mask, NODE, name, polarity)


def _stretched(
    image: torch.Tensor, alpha: torch.Tensor, height: int, width: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Premultiplied, so that the colour under alpha 0 never bleeds."""
    pixels = torch.cat([image * alpha.unsqueeze(-1), alpha.unsqueeze(-1)], -1).movedim(-1, 1)
    colour, alpha = stretch(pixels, height, width).split((3, 1), 1)
    colour = (colour / alpha.clamp(min=TINY)).clamp(max=1)
    return colour.movedim(1, -1), alpha.squeeze(1).clamp(0, 1)


def _differs(layer: Layer) -> bool:
    """Whether mixing in linear light would give another picture."""
    soft = ((layer.alpha > 0) & (layer.alpha < 1)).any()
    return bool(soft) or layer.blends or layer.opacity < 1 or layer.rotation % 90 != 0
