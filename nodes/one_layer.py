"""CollageTakeLayer and CollagePutLayer: one layer of a collage for other nodes, and back."""

from __future__ import annotations

from comfy_api.latest import io

from ..collage_core.collage.compositing import compose_bytes
from ..collage_core.collage.layer_names import one_layer
from ..collage_core.collage.one_layer import put_layer
from ..collage_core.errors import CollageError, quoted
from ..collage_core.imaging.pixels import given_out
from .host.limits import check_room
from .sockets import CATEGORY, CollageLayerSocket, CollageSocket

TAKE = "CollageTakeLayer"
PUT = "CollagePutLayer"


def _layer_input(tooltip: str) -> io.String.Input:
    return io.String.Input("layer", default="", placeholder="salmon sushi", tooltip=tooltip)


def _check_name(node: str, layer: str | None) -> None:
    if layer is not None and not layer.strip():  # None comes over a link
        raise CollageError(
            f"{node}, input layer: {quoted(layer)} names no layer. Write its number, as in the "
            "reports, or its text."
        )


class CollageTakeLayer(io.ComfyNode):
    """One layer of a collage, as Collage Layer gave it."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=TAKE,
            display_name="Collage Take Layer",
            category=CATEGORY,
            description=(
                "Takes one layer out of a collage, for Layer Textual Inversion, Collage Embedding "
                "Load or any node that works on pictures. The collage keeps it; Collage Put Layer "
                "puts the changed layer in its place."
            ),
            search_aliases=["get layer", "extract layer", "pick layer", "unpack collage"],
            inputs=[
                CollageSocket.Input("collage", tooltip="The collage that has the layer."),
                _layer_input(
                    "The layer: its number as in the reports (1 is the lowest) or its text."
                ),
            ],
            outputs=[
                CollageLayerSocket.Output("layer", tooltip="The layer with all of its settings."),
                io.Image.Output("image", tooltip="Its own picture, neither placed nor blended."),
                io.Mask.Output("mask", tooltip="Its own alpha: 1 belongs to the layer."),
            ],
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def validate_inputs(cls, layer) -> None:
        _check_name(TAKE, layer)

    @classmethod
    def execute(cls, collage, layer) -> io.NodeOutput:
        _check_name(TAKE, layer)
        taken = collage.layers[one_layer(collage, layer, f"{TAKE}, input layer", hidden=True) - 1]
        return io.NodeOutput(taken, given_out(taken.image), given_out(taken.alpha))


class CollagePutLayer(io.ComfyNode):
    """A layer in place of another one of a collage."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=PUT,
            display_name="Collage Put Layer",
            category=CATEGORY,
            description=(
                "Puts a layer in place of one that a collage has, such as a layer of Collage "
                "Editor that has learned its appearance. All other layers, the background and the "
                "prompt stay as they are."
            ),
            search_aliases=["set layer", "replace layer", "swap layer", "update collage"],
            inputs=[
                CollageSocket.Input("collage", tooltip="The collage whose layer is replaced."),
                _layer_input(
                    "The layer that is replaced: its number as in the reports or its text."
                ),
                CollageLayerSocket.Input(
                    "layer_in", tooltip="The new layer, with its own place and strengths."
                ),
            ],
            outputs=[CollageSocket.Output("collage", tooltip="The collage with the new layer.")],
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def validate_inputs(cls, layer) -> None:
        _check_name(PUT, layer)

    @classmethod
    def execute(cls, collage, layer, layer_in) -> io.NodeOutput:
        _check_name(PUT, layer)
        number = one_layer(collage, layer, f"{PUT}, input layer", hidden=True)
        changed = put_layer(collage, number, layer_in, f"{PUT}, input layer_in")
        needed = compose_bytes(
            collage.height, collage.width, len(collage.background), changed.shown
        )
        what = f"a canvas of {collage.width} x {collage.height} pixels with its layers"
        check_room(PUT, what, needed, collage.background.device)
        return io.NodeOutput(changed)
