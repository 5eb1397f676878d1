"""Naming a layer in a widget: by its number in the reports, or by its text."""

from __future__ import annotations

from .collage import Collage
from .errors import CollageError, quoted

MOST_LISTED = 8


def shown_layer(collage: Collage, name: str, where: str) -> int:
    """The place among the shown layers of the one that `name` means.

    A number counts from 1, the lowest layer, hidden ones included; of a text neither upper case
    nor blanks around it count. Raises CollageError, its message starting with `where`, for a
    layer that does not exist or is hidden, and for a text that several have.
    """
    named = [(n, layer) for n, layer in enumerate(collage.layers, 1) if str(n) == name.strip()]
    if not named:
        text = _folded(name)
        named = [
            (n, layer) for n, layer in enumerate(collage.layers, 1) if text == _folded(layer.text)
        ]
    if not named:
        raise CollageError(f"{where}: there is no layer {quoted(name.strip())}. {_listed(collage)}")
    shown = [n for n, layer in named if layer.visible]
    if not shown:
        number, layer = named[0]
        raise CollageError(
            f"{where}: layer {number} {quoted(layer.text)} is hidden and takes no part. "
            "Make it visible or do not name it here."
        )
    if len(shown) > 1:
        raise CollageError(
            f"{where}: {quoted(name.strip())} is the text of layers "
            f"{' and '.join(map(str, shown))}. Use the number of the one you mean."
        )
    return [n for n, _ in collage.numbered].index(shown[0])


def _folded(text: str) -> str:
    return text.strip().casefold()


def _listed(collage: Collage) -> str:
    layers = [f"{n} {quoted(layer.text)}" for n, layer in collage.numbered]
    if not layers:
        return "The collage shows no layer."
    more = f" and {len(layers) - MOST_LISTED} more" if len(layers) > MOST_LISTED else ""
    return f"There are {', '.join(layers[:MOST_LISTED])}{more}."
