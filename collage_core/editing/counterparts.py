"""Which layer of one collage is which layer of an earlier one."""

from __future__ import annotations

from ..collage.collage import Collage
from ..collage.layer import Layer
from ..prompt.syntax import word_keys

PLACE = ("x", "y", "scale", "rotation", "fit", "flip")


def counterparts(collage: Collage, previous: Collage) -> dict[int, int]:
    """Number of a shown layer -> the number of the same object in the previous collage.

    Objects that stayed as they are find each other first, then those that only moved, then those
    with other pixels or other words. Where more layers of one collage than of the other look
    alike, it cannot be told which are which: none of them has a counterpart.
    """
    pairs: dict[int, int] = {}
    for same in (_unchanged, _moved, _same_words, Layer.has_pixels_of):
        for number, layer in collage.numbered:
            if number in pairs:
                continue
            taken = pairs.values()
            old = [n for n, one in previous.numbered if n not in taken and same(one, layer)]
            new = [n for n, one in collage.numbered if n not in pairs and same(one, layer)]
            if len(old) == len(new):
                pairs.update(zip(new, old, strict=True))
    return pairs


def _unchanged(one: Layer, other: Layer) -> bool:
    return _moved(one, other) and all(getattr(one, n) == getattr(other, n) for n in PLACE)


def _moved(one: Layer, other: Layer) -> bool:
    return _same_words(one, other) and one.has_pixels_of(other)


def _same_words(one: Layer, other: Layer) -> bool:
    return word_keys(one.text) == word_keys(other.text)
