"""Naming a layer in a widget: by its number in the reports, or by its text."""

from __future__ import annotations

import re

from ..errors import CollageError, quoted
from ..prompt.syntax import word_keys
from .collage import Collage

MOST_LISTED = 8


def layers_named(collage: Collage, name: str) -> list[int]:
    """The numbers of the layers that a number or a text means, from 1, hidden ones included.

    Texts are compared as the words of a prompt are. Hidden layers do not count where one with
    the text is shown.
    """
    if re.fullmatch(r"[0-9]{1,4}", name) and 1 <= int(name) <= len(collage.layers):
        return [int(name)]
    key = word_keys(name)
    found = [n for n, layer in enumerate(collage.layers, 1) if key and word_keys(layer.text) == key]
    return [n for n in found if collage.layers[n - 1].visible] or found


def shown_layer(collage: Collage, name: str, where: str) -> int:
    """The place among the shown layers of the one that `name` means.

    Raises CollageError, its message starting with `where`, for a layer that does not exist or is
    hidden, and for a text that several have.
    """
    named = layers_named(collage, name.strip())
    if not named:
        raise CollageError(f"{where}: there is no layer {quoted(name.strip())}. {_listed(collage)}")
    layer = collage.layers[named[0] - 1]
    if not layer.visible:
        raise CollageError(
            f"{where}: layer {named[0]} {quoted(layer.text)} is hidden and takes no part. "
            "Make it visible or do not name it here."
        )
    if len(named) > 1:
        raise CollageError(
            f"{where}: {quoted(name.strip())} is the text of layers "
            f"{' and '.join(map(str, named))}. Use the number of the one you mean."
        )
    return [n for n, _ in collage.numbered].index(named[0])


def _listed(collage: Collage) -> str:
    layers = [f"{n} {quoted(layer.text)}" for n, layer in collage.numbered]
    if not layers:
        return "The collage shows no layer."
    more = f" and {len(layers) - MOST_LISTED} more" if len(layers) > MOST_LISTED else ""
    return f"There are {', '.join(layers[:MOST_LISTED])}{more}."
