"""PSD and PSB files as layers of a collage, read by psd-tools within limits.

Masks, clipping and groups are worked into each layer's alpha and opacity. What a collage has no
word for is noted. Messages go on from "NAME ".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import quoted
from .psd_limits import MAX_DEPTH, MAX_FILE, check_header, check_layers, damage_told, library
from .psd_names import blend_of, is_background, words_of
from .psd_notes import group_notes, layer_notes
from .psd_pixels import LayerPixels, Plane, box_of, cropped, is_clipped, pixels_in, strength

SUFFIXES = (".psd", ".psb")
RESULT, PARTS = "result", "result in layers"  # names in files of CollageSaveFile
SRGB = (b"sRGB", "sRGB".encode("utf-16-be"))  # in colour profiles of version 2, and of version 4
VISIBLE = 2 / 255  # a smaller difference of alphas is none
BYTES_PER_PIXEL = 40  # of the largest layer while it is read


@dataclass(frozen=True)
class PsdLayer:
    """A layer with pixels [h, w, 4] in bytes, straight alpha; left, top: where they lie.

    background: whether it is what the file's program calls the background.
    """

    text: str
    pixels: Plane = field(repr=False)
    left: int
    top: int
    opacity: float
    visible: bool
    blend: str
    background: bool = False


class _Place(NamedTuple):
    """What the groups around a layer, and the layers that clip it or them, make of it."""

    groups: tuple[Any, ...] = ()
    bases: tuple[Any, ...] = ()
    opacity: float = 1.0
    visible: bool = True


@dataclass
class Psd:
    """A file whose structure is in order. `notes` is complete once all layers have been read.

    largest: pixels of the largest layer, for the memory that `layers` takes.
    """

    width: int
    height: int
    largest: int
    _file: Any = field(repr=False)
    notes: list[str] = field(default_factory=list)

    def layers(self) -> Iterator[PsdLayer]:
        """All layers that have pixels, bottom to top, one at a time. Raises CollageError."""
        pixels = LayerPixels(self._file.depth == 32)
        with damage_told():
            steps = [*self._of(self._own(), _Place())]
            if not len(self._file):
                self.notes.append("It has no layers: its merged picture is the only one.")
        if not len(self._file):
            with damage_told():
                merged = self._merged(pixels)
            yield merged
        for layer, place in steps:
            with damage_told():  # not around the yield, where the caller's warnings are its own
                one = self._one(layer, place, pixels)
            if one is not None:
                yield one

    def _own(self) -> list[Any]:
        """The layers without a result, and what was cut out of it, that CollageSaveFile wrote."""
        layers = [*self._file]
        if [one.name for one in layers[-2:]] == [RESULT, PARTS] and layers[-1].is_group():
            self.notes.append(f"{quoted(RESULT)} and {quoted(PARTS)} are left out.")
            return layers[:-2]
        return layers

    def _merged(self, pixels: LayerPixels) -> PsdLayer:
        alpha = self._file.numpy("shape")[..., 0]
        colour = pixels.colour(_Whole(self._file))
        return PsdLayer("", _joined(colour, alpha), 0, 0, 1.0, True, "normal")

    def _of(self, group: Iterable[Any], place: _Place) -> Iterator[tuple[Any, _Place]]:
        """Every layer with pixels, and what its groups and clipping layers make of it."""
        base = None
        for layer in group:
            clipped = is_clipped(layer)
            base = base if clipped else layer
            clips = (base,) if clipped and base is not None else ()
            visible = place.visible and all(one.visible for one in (layer, *clips))
            opacity = place.opacity * prod(map(strength, (layer, *clips)))
            inside = _Place(place.groups, (*place.bases, *clips), opacity, visible)
            if layer.is_group():
                self.notes += group_notes(layer)
                yield from self._of(layer, inside._replace(groups=(*place.groups, layer)))
            elif not layer.has_pixels() or not pixels_in(box_of(layer)):
                self._note(layer, f"has no pixels ({layer.kind}) and is left out")
            else:
                yield layer, inside

    def _one(self, layer: Any, place: _Place, pixels: LayerPixels) -> PsdLayer | None:
        box = box_of(layer)
        alpha = pixels.coverage(layer, box)
        for group in place.groups:
            pixels.mask(group, box, alpha)
        soft = False
        for base in place.bases:
            shape = pixels.coverage(base, box)
            soft = soft or bool((alpha * shape * (1 - shape) > VISIBLE).any())
            alpha *= shape
        seen = cropped(_joined(pixels.colour(layer), alpha), box[0], box[1])
        self.notes += layer_notes(layer, soft)
        if seen is None:
            self._note(layer, "shows nothing and is left out")
            return None
        blend = blend_of(layer.blend_mode.value) or "normal"
        own = box == (0, 0, self.width, self.height) and bool((seen[0][..., 3] == 255).all())
        return PsdLayer(
            words_of(layer.name), *seen, place.opacity, place.visible, blend,
            own and not place.groups and is_background(layer.name),
        )  # fmt: skip

    def _note(self, layer: Any, what: str) -> None:
        self.notes.append(f"Layer {quoted(layer.name)} {what}.")


class _Whole:
    """The merged picture, to be read as a layer is."""

    def __init__(self, file: Any) -> None:
        self.bbox = (0, 0, file.width, file.height)
        self.numpy = file.numpy


def _joined(colour: Plane, alpha: Plane) -> Plane:
    opaque = (alpha * 255 + 0.5).astype(np.uint8)
    return np.concatenate([colour, opaque[..., None]], 2)


def read_psd(path: Path) -> Psd:
    """Look at the header, parse the structure, and check all sizes; no pixel is decoded.

    Raises CollageError, also where psd-tools is not installed.
    """
    check_header(path)
    psd_tools = library()
    limits = psd_tools.ParseLimits(
        max_read_bytes=MAX_FILE,
        max_total_bytes=4 * MAX_FILE,
        max_objects=2**18,
        max_nesting_depth=MAX_DEPTH,
    )
    with damage_told():
        file = psd_tools.PSDImage.open(path, max_alloc_bytes=2**32, parse_limits=limits)
        psd = Psd(file.width, file.height, check_layers(file), file)
        profile = file.image_resources.get_data(psd_tools.constants.Resource.ICC_PROFILE)
        if isinstance(profile, bytes) and not any(name in profile for name in SRGB):
            psd.notes.append("It has a colour profile other than sRGB, which is not applied.")
    return psd
