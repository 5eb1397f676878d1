"""CollageStack: from layers to one Collage."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..collage_core.collage.collage import check_canvas
from ..collage_core.collage.limits import CANVAS, CELL, MAX_LAYERS
from ..collage_core.collage.report import describe_collage
from ..collage_core.collage.stack import new_canvas, on_top_of
from ..collage_core.imaging.colour import GREY
from ..collage_core.prompt.checks import check_prompt
from .host.files.embedding_files import texts_hash
from .sockets import CATEGORY, CollageLayerSocket
from .stack_sockets import below_sockets, stack_output, stack_outputs, stacked
from .widgets import scene_widget

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
                scene_widget(
                    "a bento box with salmon sushi, rice and ginger",
                    "The whole scene in words. It contains the text of every layer. If it "
                    "is empty and a collage is connected, the collage's prompt is used.",
                ),
                *(
                    io.Int.Input(
                        name,
                        default=512,
                        min=CANVAS[0],
                        max=CANVAS[1],
                        step=CELL,
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
                *below_sockets(),
            ],
            outputs=stack_outputs(),
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
        stack = stacked(canvas, prompt, layers, background_image, background)
        return stack_output(cls, stack, describe_collage(stack))
