"""CollageStack: from layers to one Collage."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io, ui

from ..collage_core.collage.collage import Collage, check_canvas
from ..collage_core.collage.compositing import compose_bytes
from ..collage_core.collage.cutouts import mask_rows
from ..collage_core.collage.layer import Layer
from ..collage_core.collage.limits import CELL, MAX_LAYERS
from ..collage_core.collage.report import describe_collage
from ..collage_core.collage.stack import (
    NODE,
    new_canvas,
    on_top_of,
    with_layers,
    with_picture,
)
from ..collage_core.imaging.colour import GREY
from ..collage_core.imaging.pixels import given_out
from ..collage_core.prompt.checks import check_prompt
from .host.files.embedding_files import check_written, texts_hash
from .host.limits import check_room
from .sockets import CATEGORY, CollageLayerSocket, CollageSocket

# Made once: it holds 64 sockets, and the host asks for the schema several times per prompt.
LAYERS = io.Autogrow.TemplatePrefix(
    CollageLayerSocket.Input("layer", tooltip="A layer. The first one is the lowest."),
    prefix="layer",
    min=0,
    max=MAX_LAYERS,
)


class CollageStack(io.ComfyNode):
    """Layers over a background, bottom to top, and the prompt that names them."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="CollageStack",
            display_name="Collage Stack",
            category=CATEGORY,
            description="Puts layers on top of one another and finds each layer's words in the "
            "scene prompt. The report says what can be seen of every layer, and what looks wrong.",
            search_aliases=["compose", "composite", "collage", "stack layers", "scene"],
            has_intermediate_output=True,
            inputs=[
                io.String.Input(
                    "prompt",
                    multiline=True,
                    default="",
                    placeholder="a bento box with salmon sushi, rice and ginger",
                    dynamic_prompts=True,
                    tooltip="The whole scene in words. It contains the text of every layer. If it "
                    "is empty and a collage is connected, the collage's prompt is used.",
                ),
                *(
                    io.Int.Input(
                        name,
                        default=512,
                        min=64,
                        max=8192,
                        step=8,
                        tooltip=f"Canvas {name} in pixels, a multiple of 8.",
                    )
                    for name in ("width", "height")
                ),
                io.Color.Input(
                    "background", default=GREY, tooltip="The colour where no layer is: #rrggbb."
                ),
                io.Autogrow.Input(
                    "layers",
                    template=LAYERS,
                    tooltip="The layers, from bottom to top.",
                ),
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
            ],
            outputs=[
                CollageSocket.Output("collage", tooltip="Everything the other nodes need."),
                io.Image.Output("image", tooltip="The layers pasted together. Nothing is redrawn."),
                io.Mask.Output(
                    "visible_masks",
                    tooltip="One mask for each shown layer, bottom to top: 1 where it is visible. "
                    "With image batches, all masks of the first layer, then of the second.",
                ),
                io.String.Output("prompt", tooltip="The prompt with embeddings inserted."),
                io.String.Output("report", tooltip="Every layer in words, and what looks wrong."),
            ],
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def fingerprint_inputs(cls, prompt, **_: Any) -> str:
        return texts_hash(prompt)

    @classmethod
    def validate_inputs(cls, prompt, width, height) -> None:
        check_prompt(prompt or "")  # None comes over a link
        check_canvas(width or CELL, height or CELL)

    @classmethod
    def execute(
        cls,
        prompt,
        width,
        height,
        background,
        layers=None,
        background_image=None,
        collage=None,
    ) -> io.NodeOutput:
        if collage is None:
            canvas = new_canvas(width, height, background)
        else:
            canvas = on_top_of(collage, width, height, background)
        connected = sorted((layers or {}).items(), key=lambda item: int(item[0][len("layer") :]))
        layers = [layer for _, layer in connected]
        _check_room(canvas, layers, background_image)
        if background_image is not None:
            canvas = with_picture(canvas, background_image, background)
        stack = with_layers(canvas, prompt, layers)
        check_written(cls, 3, [layer.embedding for layer in stack.shown])
        composite = stack.composite
        return io.NodeOutput(
            stack,
            given_out(composite.image),
            given_out(mask_rows(composite.visible_alpha.transpose(0, 1))),
            stack.learned_phrases.prompt,
            describe_collage(stack),
            ui=ui.PreviewImage(composite.image, cls=cls),
        )


def _check_room(below: Collage, layers: list[Layer], picture: torch.Tensor | None) -> None:
    shown = [layer for layer in (*below.layers, *layers) if layer.visible]
    pictures = max(len(below.background), 0 if picture is None else len(picture))
    needed = compose_bytes(below.height, below.width, pictures, shown)
    what = f"a canvas of {below.width} x {below.height} pixels with {len(shown)} layers"
    device = shown[0].image.device if shown else below.background.device
    check_room(NODE, what, needed, device)
