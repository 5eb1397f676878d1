"""What an edit of a finished picture is asked to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..collage.collage import Collage

NODE = "CollageEdit"


@dataclass(frozen=True, kw_only=True, eq=False)
class EditRequest:
    """The inputs of CollageEdit beside collage and picture.

    Example: redraw layer 3 as a pie, and remove it from where it was in `previous`.
        EditRequest(layers="3", noise=0.6, phrase="apple pie", paste=True, previous=collage)
    """

    layers: str
    noise: float
    phrase: str = ""
    feather: float = 10.0
    paste: bool = False
    previous: Collage | None = None  # the input `before`
    node: str = NODE  # in messages


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What becomes of which layers; layers count from 1, 0 is the background.

    chosen: get noise; pasted: those of them whose own pixels go over the picture first; removed:
    numbers of the previous collage, taken out of the picture.

    Example: layer 3 is drawn anew from its own pixels.
        Choice(chosen=(3,), pasted=(3,))
    """

    chosen: Sequence[int]
    pasted: Sequence[int] = ()
    removed: Sequence[int] = ()
