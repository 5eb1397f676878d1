"""The difference between the collage of a node and the collage that its other inputs came from.

Canvas, number of pictures and the visible alpha of every shown layer are always compared. Words
and the composite are compared only for nodes that use them. Strengths (noise, attract, repel,
control) are never compared: every node takes them from the collage that it is given.
"""

from __future__ import annotations

import torch

from ..errors import quoted
from .collage import Collage
from .layer import Layer


def difference(found: Collage, wanted: Collage, *, words: bool, picture: bool = False) -> str:
    """A sentence about the first difference of `found`, or "" where both are alike.

    words: compare prompt, phrases and embeddings; picture: compare the composite.
    """
    if found is wanted:
        return ""
    return (
        _sizes(found, wanted)
        or (words and _words(found, wanted))
        or _places(found, wanted)
        or (picture and _picture(found, wanted))
        or ""
    )


def _sizes(found: Collage, wanted: Collage) -> str:
    def told(collage: Collage) -> tuple[str, ...]:
        pictures = len(collage.composite.visible_alpha)
        return (
            f"a canvas of {collage.width} x {collage.height} pixels",
            f"{len(collage.shown)} layers shown",
            f"{pictures} picture{'s' if pictures > 1 else ''}",
        )

    pairs = zip(told(found), told(wanted), strict=True)
    return next((f"it has {one}, not {other}" for one, other in pairs if one != other), "")


def _words(found: Collage, wanted: Collage) -> str:
    for (number, one), other in zip(found.numbered, wanted.shown, strict=True):
        if one.text != other.text:
            return f"its layer {number} is {quoted(one.text)}, not {quoted(other.text)}"
        if _embedding(one) != _embedding(other):
            name = f"its layer {number} {quoted(one.text)}"
            return f"{name} has {_embedding(one)}, not {_embedding(other)}"
    if found.prompt != wanted.prompt:
        return f"its prompt is {quoted(found.prompt)}, not {quoted(wanted.prompt)}"
    return ""


def _embedding(layer: Layer) -> str:
    return f"the embedding {layer.embedding.name}" if layer.embedding else "no embedding"


def _places(found: Collage, wanted: Collage) -> str:
    """The topmost layer that differs; layers below may differ only because it hides them."""
    ours, theirs = found.composite.visible_alpha, wanted.composite.visible_alpha
    if _equal(ours, theirs):
        return ""
    index = max(i for i in range(ours.shape[1]) if not _equal(ours[:, i], theirs[:, i]))
    number, layer = found.numbered[index]
    return f"its layer {number} {quoted(layer.text)} has another place or another outline"


def _picture(found: Collage, wanted: Collage) -> str:
    if _equal(found.composite.image, wanted.composite.image):
        return ""
    if (found.edit is None) != (wanted.edit is None):
        told = "does not come" if found.edit is None else "comes"
        return f"it {told} from CollageEdit and shows another picture"
    return "it shows another picture"


def _equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one, other.to(one.device))
