"""CollageLayer: one object of a collage."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..collage_core.collage.layer import Layer, check_negative, check_text
from ..collage_core.collage.limits import LAYER_OPTIONS, LAYER_RANGES, NORMAL, UNFLIPPED
from ..collage_core.errors import quoted
from ..collage_core.imaging.pixels import clean_pixels
from .host.files.embedding_files import texts_hash
from .sockets import CATEGORY, CollageLayerSocket
from .widgets import SLIDER


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


def _choice(name: str, default: str, tooltip: str) -> io.Combo.Input:
    """One of a few; optional, as it came later."""
    options = list(LAYER_OPTIONS[name])
    return io.Combo.Input(name, options=options, default=default, optional=True, tooltip=tooltip)


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
                    tooltip="Connect Load Image's MASK. White (1) is transparent. Without it the "
                    "image is opaque; an alpha channel is multiplied in.",
                ),
                _ranged("x", 0.5, 0.01, "Centre of the layer: 0 left edge, 1 right edge."),
                _ranged("y", 0.5, 0.01, "Centre of the layer: 0 top edge, 1 bottom edge."),
                _ranged(
                    "scale",
                    1.0,
                    0.01,
                    "Size on the canvas. 1 is the image's own size, or the size that fit sets.",
                ),
                _ranged("rotation", 0.0, 1.0, "Degrees, counter-clockwise around the centre."),
                _ranged(
                    "opacity",
                    1.0,
                    0.01,
                    "0 is invisible, 1 keeps the image's own transparency.",
                    display_mode=SLIDER,
                ),
                _ranged(
                    "noise",
                    0.6,
                    0.01,
                    "How freely this object is redrawn: 0 keeps its pixels, 1 draws it from "
                    "nothing. A fraction of the full noise schedule.",
                    display_mode=SLIDER,
                ),
                _ranged("attract", 0.3, 0.05, "How strongly its words are drawn to the layer."),
                _ranged(
                    "repel", 0.5, 0.05, "How strongly its words are kept away from everything else."
                ),
                _ranged(
                    "control",
                    1.0,
                    0.05,
                    "How strongly Collage ControlNet keeps the outlines of this layer.",
                    display_mode=SLIDER,
                ),
                io.Boolean.Input(
                    "visible", default=True, tooltip="Off: the layer is left out of the collage."
                ),
                _choice(
                    "fit",
                    "pixels",
                    "The size that scale 1 stands for. pixels: the image's own. contain: "
                    "the largest that fits on the canvas. cover: the smallest that fills the "
                    "canvas.",
                ),
                _choice("flip", UNFLIPPED, "Mirrors the image, before it is rotated."),
                _choice(
                    "blend",
                    NORMAL,
                    "How its colours mix with the layers below: multiply for shadows, screen or "
                    "add for light. Masks, noise and words are the same with every mode.",
                ),
                io.String.Input(
                    "negative",
                    default="",
                    placeholder="striped",
                    optional=True,
                    dynamic_prompts=True,
                    tooltip="Words that this layer must not show. They act in its place only: "
                    "connect Masked Cross-Attention Patch's negative to the sampler.",
                ),
            ],
            outputs=[CollageLayerSocket.Output("layer", tooltip="The layer, for Collage Stack.")],
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def fingerprint_inputs(cls, text, negative="", **_: Any) -> str:
        return texts_hash(text, negative)

    @classmethod
    def validate_inputs(cls, text, negative="") -> None:
        if text is not None:  # else it comes over a link
            check_text(text)
        check_negative(negative or "")

    @classmethod
    def execute(cls, image, text, mask=None, **settings) -> io.NodeOutput:
        image, alpha, notes = clean_pixels(image, mask, f"CollageLayer {quoted(text)}")
        return io.NodeOutput(Layer(image=image, alpha=alpha, text=text, notes=notes, **settings))
