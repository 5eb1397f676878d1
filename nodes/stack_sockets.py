"""What CollageStack and CollageEditor have in common: sockets, outputs and their last steps."""

from __future__ import annotations

import torch
from comfy_api.latest import io, ui

from ..collage_core.collage.collage import Collage
from ..collage_core.collage.compositing import compose_bytes
from ..collage_core.collage.cutouts import mask_rows
from ..collage_core.collage.layer import Layer
from ..collage_core.collage.stack import with_layers, with_picture
from ..collage_core.imaging.pixels import given_out
from .host.files.embedding_files import check_written
from .host.limits import check_room
from .sockets import CollageSocket


def below_sockets() -> list[io.Input]:
    """What the layers lie on, where it is not the background of the node itself."""
    return [
        io.Image.Input(
            "background_image",
            optional=True,
            tooltip="A picture instead of the colour. It covers the canvas, centred.",
        ),
        CollageSocket.Input(
            "collage",
            optional=True,
            tooltip="Another stack to put these layers on. Its canvas, background and "
            "layers are used, and its prompt if the prompt here is empty.",
        ),
    ]


def stack_outputs() -> list[io.Output]:
    return [
        CollageSocket.Output("collage", tooltip="Everything the other nodes need."),
        io.Image.Output("image", tooltip="The layers pasted together. Nothing is redrawn."),
        io.Mask.Output(
            "visible_masks",
            tooltip="One mask for each shown layer, bottom to top: 1 where it is visible. "
            "With image batches, all masks of the first layer, then of the second.",
        ),
        io.String.Output("prompt", tooltip="The prompt with embeddings inserted."),
        io.String.Output("report", tooltip="Every layer in words, and what looks wrong."),
    ]


def stacked(
    canvas: Collage, prompt: str, layers: list[Layer], picture: torch.Tensor | None, colour: str
) -> Collage:
    """Layers on a canvas, or on a picture [B, h, w, 3 or 4] that covers it.

    Raises CollageError in the name of the canvas's node, before memory is taken that is not there.
    """
    _check_room(canvas, layers, picture)
    if picture is not None:
        canvas = with_picture(canvas, picture, colour)
    return with_layers(canvas, prompt, layers)


def _check_room(below: Collage, layers: list[Layer], picture: torch.Tensor | None) -> None:
    shown = [layer for layer in (*below.layers, *layers) if layer.visible]
    pictures = max(len(below.background), 0 if picture is None else len(picture))
    needed = compose_bytes(below.height, below.width, pictures, shown)
    what = f"a canvas of {below.width} x {below.height} pixels with {len(shown)} layers"
    device = shown[0].image.device if shown else below.background.device
    check_room(below.node, what, needed, device)


def stack_output(node: type[io.ComfyNode], stack: Collage, report: str) -> io.NodeOutput:
    """All outputs of a stack; the page gets the preview and the lines of the report."""
    check_written(node, 3, [layer.embedding for layer in stack.shown])
    composite = stack.composite
    preview = ui.PreviewImage(composite.image, cls=node).as_dict()
    return io.NodeOutput(
        stack,
        given_out(composite.image),
        given_out(mask_rows(composite.visible_alpha.transpose(0, 1))),
        stack.learned_phrases.prompt,
        report,
        ui={**preview, "report": report.splitlines()},
    )
