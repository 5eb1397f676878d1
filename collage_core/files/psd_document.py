"""A PSD file as a collage document: where its layers lie, and what they are called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..collage.limits import CANVAS, CELL, LAYER_RANGES, MAX_LAYERS
from ..errors import CollageError, quoted
from .fields import VERSION
from .psd import Psd, PsdLayer
from .psd_pixels import Plane
from .writing import written

LARGEST = 2048  # pixels a side of a canvas that a model paints
Json = dict[str, Any]


@dataclass(frozen=True)
class _Canvas:
    """width, height: of the collage; scale: its pixels per pixel of the file."""

    width: int
    height: int
    scale: float

    def place(self, layer: PsdLayer) -> Json:
        height, width = layer.pixels.shape[:2]
        return {
            "x": (layer.left + width / 2) * self.scale / self.width,
            "y": (layer.top + height / 2) * self.scale / self.height,
            "scale": self.scale,
            "fit": "pixels",
            "size": [width, height],
        }


def document_of(psd: Psd, keep: Callable[[Plane], str]) -> tuple[str, list[str]]:
    """The document of a file, and notes about what of it changed.

    keep: stores pixels [h, w, 4] and returns their name in documents. A background of one colour
    becomes the colour; words are those of the layers, and the prompt lists what is shown.
    """
    canvas, values, layers = _canvas(psd), {}, []
    for layer in psd.layers():
        if layer.background and not layers and layer.visible and layer.opacity == 1:
            values = _background(layer.pixels, canvas, keep)
        elif _is_near(place := canvas.place(layer)):
            layers.append(_layer(layer, place, len(layers) + 1, keep))
        else:
            psd.notes.append(f"Layer {quoted(layer.text)} lies far outside and is left out.")
        if len(layers) > MAX_LAYERS:
            raise CollageError(
                f"has more than {MAX_LAYERS} layers with pixels. Merge or delete some."
            )
    named = dict.fromkeys(one["text"] for one in layers if one["text"] and one["visible"])
    values |= {"version": VERSION, "width": canvas.width, "height": canvas.height}
    values |= {"prompt": ", ".join(named), "layers": layers}
    return written(values), [*psd.notes, *_size_notes(psd, canvas)]


def _layer(layer: PsdLayer, place: Json, number: int, keep: Callable[[Plane], str]) -> Json:
    return {
        "id": f"layer{number}",
        "picture": keep(layer.pixels),
        "text": layer.text,
        **place,
        "blend": layer.blend,
        "opacity": layer.opacity,
        "visible": layer.visible,
    }


def _is_near(place: Json) -> bool:
    return all(low <= place[name] <= high for name, (low, high) in _POSITIONS.items())


_POSITIONS = {name: LAYER_RANGES[name] for name in ("x", "y", "scale")}


def _canvas(psd: Psd) -> _Canvas:
    scale = 1.0
    while max(psd.width, psd.height) * scale > LARGEST:
        scale /= 2
    width, height = (
        max(CANVAS[0], CELL * -int(-side * scale // CELL)) for side in (psd.width, psd.height)
    )
    return _Canvas(width, height, scale)


def _size_notes(psd: Psd, canvas: _Canvas) -> list[str]:
    if (psd.width, psd.height) == (canvas.width, canvas.height):
        return []
    now, before = f"{canvas.width} x {canvas.height}", f"{psd.width} x {psd.height}"
    return [f"The canvas is {now} pixels, at {canvas.scale:g} of the file's {before}."]


def _background(pixels: Plane, canvas: _Canvas, keep: Callable[[Plane], str]) -> Json:
    """Its colour if it has only one, else its pixels, as large as the canvas that they cover."""
    first = pixels[0, 0]
    if (pixels == first).all():
        return {"background": "#" + bytes(first[:3]).hex(), "background_picture": ""}
    height, width = pixels.shape[:2]
    more = [
        (0, round(canvas.height / canvas.scale) - height),
        (0, round(canvas.width / canvas.scale) - width),
        (0, 0),
    ]
    return {"background_picture": keep(np.pad(pixels, more, mode="edge"))}
