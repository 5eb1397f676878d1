"""A painted scene as a collage document, in the words that the page would write."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from collage_core.files.fields import DOCUMENT_FIELDS, LAYER_FIELDS, REQUIRED, Field

from .. import world
from ..world.scene import SIZE

Json = dict[str, Any]


def document(
    scene: world.Scene, files: Sequence[str], noise: Mapping[str, float], size: int
) -> str:
    """The text for CollageEditor: layers at their places, of files in ComfyUI's input folder.

    noise: kind of a layer -> its noise; size: of the square canvas, in pixels.
    """
    layers = [
        _filled(
            LAYER_FIELDS,
            id=layer.kind.replace(" ", "_"),
            picture=file,
            size=[layer.rgba.shape[1], layer.rgba.shape[0]],
            text=layer.phrase,
            x=round(layer.x / SIZE, 3),
            y=round(layer.y / SIZE, 3),
            scale=size / SIZE,
            noise=noise[layer.kind],
        )
        for layer, file in zip(scene.layers, files, strict=True)
    ]
    whole = _filled(DOCUMENT_FIELDS, width=size, height=size, prompt=scene.caption, layers=layers)
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))


def _filled(fields: Mapping[str, Field], **given: Any) -> Json:
    """The keys in the order of the format, with defaults for those that are not given."""
    values = {name: given.get(name, field.default) for name, field in fields.items()}
    assert REQUIRED not in values.values()
    return {name: _short(value) for name, value in values.items() if value is not None}


def _short(value: Any) -> Any:
    """A whole number without a point, as JavaScript writes it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
