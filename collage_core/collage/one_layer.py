"""One layer of a collage in place of another, with everything else as it is."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from ..errors import CollageError
from .collage import Collage
from .layer import Layer
from .layer_names import layer_name
from .limits import LAYER_OPTIONS

# what says where a layer lies and how it looks there
PLACE = ("x", "y", "scale", "rotation", "opacity", "visible", *LAYER_OPTIONS)


def put_layer(collage: Collage, number: int, layer: Layer, where: str) -> Collage:
    """The collage with `layer` as its layer of this number; no other part of it changes.

    Raises CollageError, which begins with `where`, for a layer that the collage cannot take.
    """
    old, name = collage.layers[number - 1], layer_name(collage, number)
    layer = layer.to(collage.background.device)
    pictures = {one.batch for n, one in collage.numbered if n != number} | {len(collage.background)}
    if collage.edit is not None:
        pictures.add(len(collage.edit.picture))
    if layer.visible and len((pictures | {layer.batch}) - {1}) > 1:
        raise CollageError(
            f"{where}: its {layer.batch} pictures do not fit the {max(pictures)} of the collage. "
            f"Use a layer of 1 picture or of {max(pictures)}."
        )
    if collage.edit is not None and (changed := next(_changes(old, layer), "")):
        raise CollageError(
            f"{where}: its {changed} is not that of {name}, and the collage comes from CollageEdit "
            "and shows a finished picture. Put the layer in before CollageEdit, and switch its "
            "paste on."
        )
    layers = (*collage.layers[: number - 1], layer, *collage.layers[number:])
    changed = collage.with_layers(layers)
    try:
        _ = changed.phrases
    except CollageError as error:
        raise CollageError(
            f"{where}: with it in place of {name} the layers do not fit the prompt.\n{error}"
        ) from error
    return changed


def _changes(old: Layer, new: Layer) -> Iterator[str]:
    """The parts of a layer that a picture shows and that are not the same."""
    for name in ("image", "alpha"):
        one, other = getattr(old, name), getattr(new, name)
        if one is not other and not (one.shape == other.shape and torch.equal(one, other)):
            yield name
    yield from (name for name in PLACE if getattr(old, name) != getattr(new, name))
