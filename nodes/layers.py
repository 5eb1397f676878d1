"""CollageLayer and CollageStack: from images to one Collage."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui

from ..collage_core.collage import (
    CELL,
    FITS,
    LAYER_RANGES,
    MAX_LAYERS,
    Layer,
    check_canvas,
    check_text,
)
from ..collage_core.errors import quoted
from ..collage_core.layer_cuts import mask_rows
from ..collage_core.phrases import check_prompt
from ..collage_core.pixels import clean_pixels
from ..collage_core.report import describe_collage
from ..collage_core.stack import GREY, new_canvas, on_top_of, with_layers, with_picture
from .host.embedding_list import check_written, texts_hash
from .sockets import CATEGORY, CollageLayerSocket, CollageSocket
from .widgets import SLIDER

# Made once: it holds a socket for each layer there may be, and the host asks for a schema several
# times a prompt.
LAYERS = io.Autogrow.TemplatePrefix(
    CollageLayerSocket.Input("layer", tooltip="A layer; the first is lowest."),
    prefix="layer",
    min=0,
    max=MAX_LAYERS,
)


def _ranged(name: str, default: float, step: float, tooltip: str, **options: Any) -> io.Float.Input:
    low, high = LAYER_RANGES[name]
    return io.Float.Input(
        name,
        default=default,
        min=low,
        max=high,
        step=step,
        round=step / 100,
        tooltip=tooltip,
        **options,
    )


class CollageLayer(io.ComfyNode):
    """One object: pixels, the words that name it, where it goes and how freely it is redrawn."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="CollageLayer",
            display_name="Collage Layer",
            category=CATEGORY,
            description="One object of a collage: its picture, the words that name it in the "
            "scene prompt, its place on the canvas, and how much of it may be redrawn.",
            search_aliases=["layer", "cutout", "object", "regional prompt", "place image"],
            inputs=[
                io.Image.Input("image", tooltip="The object. A fourth channel is its alpha."),
                io.String.Input(
                    "text",
                    default="",
                    placeholder="salmon sushi",
                    dynamic_prompts=True,
                    tooltip="The words that name this object, as they stand in the scene prompt.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="LoadImage's MASK output: 1 is transparent. Not connected, the image "
                    "is opaque. Multiplied with a fourth channel.",
                ),
                _ranged("x", 0.5, 0.01, "Centre of the layer: 0 left edge, 1 right edge."),
                _ranged("y", 0.5, 0.01, "Centre of the layer: 0 top edge, 1 bottom edge."),
                _ranged(
                    "scale",
                    1.0,
                    0.01,
                    "Size on the canvas; 1 keeps the image's pixels, or see fit.",
                ),
                _ranged("rotation", 0.0, 1.0, "Degrees, counter-clockwise around the centre."),
                _ranged(
                    "opacity",
                    1.0,
                    0.01,
                    "0 is invisible, 1 leaves the alpha as it is.",
                    display_mode=SLIDER,
                ),
                _ranged(
                    "noise",
                    0.6,
                    0.01,
                    "How freely this object is redrawn: 0 keeps its pixels, 1 redraws it from "
                    "nothing. A fraction of the full noise schedule.",
                    display_mode=SLIDER,
                ),
                _ranged("attract", 0.3, 0.05, "How strongly its words are pulled into its region."),
                _ranged(
                    "repel", 0.5, 0.05, "How strongly its words are kept out of everything else."
                ),
                _ranged(
                    "control",
                    1.0,
                    0.05,
                    "Strength of structure control in this layer.",
                    display_mode=SLIDER,
                ),
                io.Boolean.Input(
                    "visible", default=True, tooltip="Off: the layer takes no part in anything."
                ),
                io.Combo.Input(
                    "fit",
                    options=list(FITS),
                    default="pixels",
                    optional=True,
                    tooltip="What scale 1 means. pixels: the image's own pixels; contain: as "
                    "large as the canvas can hold; cover: so large that it fills the canvas.",
                ),
            ],
            outputs=[
                CollageLayerSocket.Output("layer", tooltip="This object, for a Collage Stack.")
            ],
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def fingerprint_inputs(cls, text, **_: Any) -> str:
        return texts_hash(text)

    @classmethod
    def validate_inputs(cls, text) -> None:
        if text is not None:  # else it comes over a link
            check_text(text)

    @classmethod
    def execute(cls, image, text, mask=None, **settings) -> io.NodeOutput:
        image, alpha, notes = clean_pixels(image, mask, f"CollageLayer {quoted(text)}")
        return io.NodeOutput(Layer(image=image, alpha=alpha, text=text, notes=notes, **settings))


class CollageStack(io.ComfyNode):
    """Layers over a background, bottom to top, and the prompt that names them."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="CollageStack",
            display_name="Collage Stack",
            category=CATEGORY,
            description="Puts layers on top of one another and finds each one's words in the "
            "scene prompt. The report says what can be seen of every layer, and what is amiss.",
            search_aliases=["compose", "composite", "collage", "stack layers", "scene"],
            has_intermediate_output=True,
            inputs=[
                io.String.Input(
                    "prompt",
                    multiline=True,
                    default="",
                    placeholder="a bento box with salmon sushi, rice and ginger",
                    dynamic_prompts=True,
                    tooltip="The whole scene in words. It contains the text of every layer. Left "
                    "empty over another stack, that stack's prompt is used.",
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
                    "background", default=GREY, tooltip="What shows where no layer is: #rrggbb."
                ),
                io.Autogrow.Input(
                    "layers",
                    template=LAYERS,
                    tooltip="The layers from bottom to top.",
                ),
                io.Image.Input(
                    "background_image",
                    optional=True,
                    tooltip="Instead of the colour: scaled to cover the canvas, centre kept.",
                ),
                CollageSocket.Input(
                    "collage",
                    optional=True,
                    tooltip="A stack to put these layers on top of. It brings its canvas, its "
                    "background and its layers, and its prompt where this one is empty.",
                ),
            ],
            outputs=[
                CollageSocket.Output("collage", tooltip="Everything the other nodes need."),
                io.Image.Output("image", tooltip="The layers pasted together, nothing redrawn."),
                io.Mask.Output(
                    "visible_masks",
                    tooltip="One mask per layer that is shown, bottom to top: 1 where it can be "
                    "seen. With image batches, every mask of the first layer, then the second.",
                ),
                io.String.Output("prompt", tooltip="The prompt with learned words inserted."),
                io.String.Output("report", tooltip="What became of every layer; read it as text."),
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
        if background_image is not None:
            canvas = with_picture(canvas, background_image, background)
        connected = sorted((layers or {}).items(), key=lambda item: int(item[0][len("layer") :]))
        stack = with_layers(canvas, prompt, [layer for _, layer in connected])
        check_written(cls, 3, [layer.embedding for layer in stack.shown])
        composite = stack.composite
        return io.NodeOutput(
            stack,
            composite.image.clone(),  # whoever writes into an output leaves the collage alone
            mask_rows(composite.visible_alpha.transpose(0, 1)).clone(),
            stack.learned_phrases.prompt,
            describe_collage(stack),
            ui=ui.PreviewImage(composite.image, cls=cls),
        )
