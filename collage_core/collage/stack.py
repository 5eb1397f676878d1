"""Building a Collage step by step: canvas or a stack below, background picture, layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from ..errors import CollageError
from ..imaging.colour import GREY, parse_colour
from ..imaging.pixels import clean_pixels
from ..imaging.resample import cover_crop
from .collage import Collage, check_canvas
from .compositing import compose
from .layer import Layer

NODE = "CollageStack"


def new_canvas(width: int, height: int, colour: str, node: str = NODE) -> Collage:
    """A canvas of one colour, with no prompt and no layers; messages are in the name of `node`."""
    check_canvas(width, height)
    background = parse_colour(colour, node).expand(1, height, width, 3)
    return Collage(width=width, height=height, prompt="", background=background, node=node)


def on_top_of(below: Collage, width: int, height: int, colour: str, node: str = NODE) -> Collage:
    """The stack below as the canvas for more layers, with notes about inputs that are not used."""
    notes: list[str] = []
    if (width, height) != (below.width, below.height):
        notes.append(
            f"the canvas is the {below.width} x {below.height} of the stack below; "
            f"{width} x {height} here is not used"
        )
    if parse_colour(colour, node).ne(parse_colour(GREY, node)).any():
        notes.append(f"the background is that of the stack below; {colour} here is not used")
    return replace(below, notes=(*below.notes, *notes), node=node)


def with_picture(collage: Collage, picture: torch.Tensor, colour: str) -> Collage:
    """Replace the background by a picture [B, h, w, 3 or 4], on `colour` where transparent.

    The picture is scaled to cover the canvas and cropped around its centre. Raises CollageError
    for a collage that shows a finished picture, which would hide it.
    """
    if collage.edit is not None:
        raise CollageError(
            f"{collage.node}, input background_image: the stack below comes from CollageEdit and "
            "shows a finished picture, which would hide this one. Disconnect background_image, or "
            "put the layers on the stack from before the edit."
        )
    image, alpha, notes = clean_pixels(picture, None, collage.node, "background_image")
    solid = image
    if alpha.amin() < 1:
        solid = torch.lerp(parse_colour(colour, collage.node).to(image), image, alpha.unsqueeze(-1))
    fitted = cover_crop(solid.movedim(-1, 1), collage.height, collage.width).movedim(1, -1)
    return replace(collage, background=fitted, source=solid, notes=(*collage.notes, *notes))


def with_layers(collage: Collage, prompt: str, layers: Sequence[Layer]) -> Collage:
    """Put layers on top, bottom to top; an empty prompt keeps the one of the stack below."""
    layers = _on_one_device(collage, layers)
    everything = (*collage.layers, *layers)
    if not everything:
        raise CollageError(
            f"{collage.node}, input layers: no layer is connected. Connect the output of at least "
            "one CollageLayer to layer0, or a stack that has layers to collage."
        )
    stacked = replace(
        collage,
        prompt=prompt if prompt.strip() else collage.prompt,
        layers=everything,
        background=collage.background.to(everything[0].image.device),
        source=None if collage.source is None else collage.source.to(everything[0].image.device),
    )
    if stacked.edit is None:
        return stacked
    # The new layers lie on top of all others, so they are pasted over the finished picture whole.
    picture = compose(stacked.edit.picture, [layer for layer in layers if layer.visible]).image
    return replace(stacked, edit=replace(stacked.edit, picture=picture))


def _on_one_device(collage: Collage, layers: Sequence[Layer]) -> list[Layer]:
    """The layers, moved to the device of the lowest layer of the whole stack.

    Packs give out pictures on the CPU or on a GPU. A layer that is stacked twice stays one object.
    """
    if not layers:
        return []
    device = (*collage.layers, *layers)[0].image.device
    moved = {id(layer): layer.to(device) for layer in layers}
    return [moved[id(layer)] for layer in layers]
