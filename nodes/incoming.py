"""CollageFromLayers and CollageFromBatch: a stack in one node of what other nodes give out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from comfy_api.latest import io

from ..collage_core.collage.collage import Collage
from ..collage_core.collage.frames import NODE as BATCH
from ..collage_core.collage.frames import check_texts, read_frames
from ..collage_core.collage.layered import NODE as LAYERS
from ..collage_core.collage.layered import read_layers
from ..collage_core.collage.report import describe_collage
from ..collage_core.collage.stack import new_canvas
from ..collage_core.imaging.colour import GREY
from ..collage_core.prompt.checks import check_prompt
from .host.files.embedding_files import texts_hash
from .sockets import CATEGORY, LayersSocket
from .stack_sockets import stack_output, stack_outputs, stacked
from .widgets import SLIDER, scene_widget, share_widget


class CollageFromLayers(io.ComfyNode):
    """ComfyUI's own layers as a stack."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=LAYERS,
            display_name="Collage From Layers",
            category=CATEGORY,
            description="Makes a stack of the layers of ComfyUI's Add Layer and Layers From "
            "Bounding Boxes, with their names as words. Versions of ComfyUI without these nodes "
            "have nothing to connect here.",
            search_aliases=["layered image", "compositor", "add layer", "psd"],
            has_intermediate_output=True,
            inputs=[
                LayersSocket.Input(
                    "layers",
                    tooltip="The layers, each with a name: the words that stand for it in the "
                    "prompt. Places, sizes, rotation and opacity are kept.",
                ),
                scene_widget(
                    "a blue mug and a lemon on a wooden table",
                    "The whole scene in words. It contains the name of every layer.",
                ),
                share_widget(
                    "noise",
                    0.6,
                    "How freely the layers are redrawn: 0 keeps their pixels, 1 draws them from "
                    "nothing. Collage Auto-Tune sets each by itself.",
                    display_mode=SLIDER,
                ),
            ],
            outputs=stack_outputs(),
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def fingerprint_inputs(cls, prompt, **_: Any) -> str:
        return texts_hash(prompt)

    @classmethod
    def validate_inputs(cls, prompt) -> None:
        check_prompt(prompt or "", f"{LAYERS}, input prompt")

    @classmethod
    def execute(cls, layers, prompt, noise) -> io.NodeOutput:
        read = read_layers(layers, noise)
        canvas = new_canvas(read.width, read.height, GREY, LAYERS)
        return _stack(cls, stacked(canvas, prompt, [*read.layers], None, GREY), read.notes)


def _stack(node: type[io.ComfyNode], stack: Collage, notes: tuple[str, ...]) -> io.NodeOutput:
    stack = replace(stack, notes=(*stack.notes, *notes))
    return stack_output(node, stack, describe_collage(stack))


class CollageFromBatch(io.ComfyNode):
    """Pictures with masks, each of them one layer where it lies in its frame."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=BATCH,
            display_name="Collage From Batch",
            category=CATEGORY,
            description="Makes a stack of a batch of pictures, as Qwen-Image-Layered gives them, "
            "or of one photo with the masks that a segmenter found in it. Every picture or mask "
            "becomes a layer, the first one the lowest.",
            search_aliases=["image to layers", "segment", "sam", "layered", "batch to layers"],
            has_intermediate_output=True,
            inputs=[
                io.Image.Input(
                    "images",
                    tooltip="One picture for each layer, bottom to top, all as large as the "
                    "canvas, with an alpha channel or with masks; or one photo for all masks.",
                ),
                io.Mask.Input(
                    "masks",
                    optional=True,
                    tooltip="White (1) belongs to the layer, as segmenters give it. This is the "
                    "opposite of Load Image's MASK. An alpha channel is multiplied in.",
                ),
                io.String.Input(
                    "texts",
                    multiline=True,
                    default="",
                    placeholder="a blue mug\na lemon",
                    tooltip="The words of each layer, a line each, the lowest first. If it is "
                    "empty, the parts of the prompt between commas and "
                    '"and" are taken in their order.',
                ),
                scene_widget(
                    "a blue mug and a lemon on a wooden table",
                    "The whole scene in words, with the words of every layer. If it is "
                    "empty, it is made of the texts.",
                ),
            ],
            outputs=stack_outputs(),
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def fingerprint_inputs(cls, texts, prompt, **_: Any) -> str:
        return texts_hash(texts, prompt)

    @classmethod
    def validate_inputs(cls, texts, prompt) -> None:
        check_texts(texts, prompt)

    @classmethod
    def execute(cls, images, texts, prompt, masks=None) -> io.NodeOutput:
        check_texts(texts, prompt)
        read = read_frames(images, masks, texts, prompt)
        canvas = new_canvas(read.width, read.height, GREY, BATCH)
        stack = stacked(canvas, read.prompt, [*read.layers], read.background, GREY)
        return _stack(cls, stack, read.notes)
