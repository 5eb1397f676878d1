"""CollageLayers and CollageSplit: a collage or its finished picture, layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from comfy_api.latest import io

from ..collage_core.collage.collage import Collage
from ..collage_core.collage.cutouts import (
    boxes,
    cutouts_bytes,
    describe_layout,
    layer_cutouts,
    mask_rows,
)
from ..collage_core.collage.report import describe_collage
from ..collage_core.editing.result_picture import result_picture
from ..collage_core.editing.split import split, split_bytes
from ..collage_core.imaging.colour import GREY, parse_colour
from ..collage_core.imaging.pixels import given_out
from ..collage_core.noise.noise_map import collage_noise
from .host.limits import check_room
from .noise_preview import noise_picture
from .sockets import CATEGORY, CollageSocket
from .widgets import SLIDER, feather_widget, halo_widget, share_widget

NODE = "CollageLayers"
SPLIT = "CollageSplit"


class CollageLayers(io.ComfyNode):
    """Every layer's pixels, masks and box, for nodes of other packs."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=NODE,
            display_name="Collage Layers",
            category=CATEGORY,
            description=(
                "Gives out every shown layer, bottom to top, as large as the canvas: its pixels, "
                "its masks and its box, for IPAdapter, ControlNet, detailers and other nodes. "
                "With image batches every output has all pictures of the first layer, then of the "
                "second."
            ),
            search_aliases=["layer masks", "split layers", "bounding box", "regional", "segs"],
            inputs=[
                CollageSocket.Input("collage", tooltip="The collage whose layers are given out."),
                io.Color.Input(
                    "background", default=GREY, tooltip="The colour around a layer: #rrggbb."
                ),
                share_widget(
                    "base_noise",
                    0.8,
                    "For noise_map: the sampler's base_noise. A collage from Collage Edit has its "
                    "own value.",
                    display_mode=SLIDER,
                    advanced=True,
                ),
                feather_widget(
                    "For noise_map: the sampler's feather. A collage from Collage Edit has its "
                    "own value.",
                    advanced=True,
                ),
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="The picture made from this collage: the visible part of each layer "
                    "is cut out of it. Without it the layers' own pixels are given out, including "
                    "those that other layers hide.",
                ),
                halo_widget(
                    "For noise_map: the sampler's halo.",
                ),
            ],
            outputs=[
                io.Image.Output("images", tooltip="One picture per layer, on the background."),
                io.Mask.Output(
                    "visible_masks", tooltip="1 where the layer can be seen, as in Collage Stack."
                ),
                io.Mask.Output(
                    "full_masks", tooltip="1 where the layer lies, also where others hide it."
                ),
                io.BoundingBox.Output(
                    "boxes",
                    tooltip="A box around the visible part of each layer, in pixels, one list for "
                    "each picture. Layers that cannot be seen have no box.",
                ),
                io.Mask.Output(
                    "noise_map", tooltip="The noise of every pixel after the blur. White is 1."
                ),
                io.String.Output(
                    "layout", tooltip="Number, text, noise, share and boxes of each layer, as JSON."
                ),
                io.Image.Output(
                    "noise_preview",
                    tooltip="The noise over the composite in grey, with a legend of the layers.",
                ),
            ],
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def execute(cls, collage, background, base_noise, feather, image=None, halo=0) -> io.NodeOutput:
        picture = None if image is None else result_picture(image, collage, NODE)[0]
        background_colour = parse_colour(background, NODE)
        _check_room(NODE, collage, cutouts_bytes, picture)
        cutouts = layer_cutouts(collage, picture, background_colour)
        seen = [[box for box in row if box is not None] for row in boxes(cutouts.visible)]
        noise = collage_noise(collage, base_noise, feather, halo)
        empty = background_colour.expand_as(collage.background).clone()
        return io.NodeOutput(
            cutouts.images.flatten(0, 1) if collage.shown else empty,
            given_out(mask_rows(cutouts.visible)),
            mask_rows(cutouts.full),
            seen,
            noise.squeeze(1),
            describe_layout(collage, cutouts),
            noise_picture(collage, noise, base_noise),
        )


class CollageSplit(io.ComfyNode):
    """A painted picture as a stack again, for the next round."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=SPLIT,
            display_name="Collage Split",
            category=CATEGORY,
            description=(
                "Takes a finished picture apart into the layers of its collage. Each layer keeps "
                "its place, its words and its strengths and gets its appearance from the picture; "
                "stacked, the layers are the picture again. Parts of a layer or of the background "
                "that other layers hide come from the collage, in the colours of the picture. "
                "Parts outside the canvas are cut off."
            ),
            search_aliases=["decompose", "image to layers", "cut out", "extract layers"],
            inputs=[
                CollageSocket.Input("collage", tooltip="The collage the picture was made from."),
                io.Image.Input("image", tooltip="The finished picture, as large as the collage."),
            ],
            outputs=[
                CollageSocket.Output(
                    "collage", tooltip="A new stack: the layers as they appear in the picture."
                ),
                io.Image.Output("image", tooltip="The new layers together: the picture itself."),
                io.String.Output("report", tooltip="Every layer in words, and what looks wrong."),
            ],
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def execute(cls, collage, image) -> io.NodeOutput:
        picture, notes = result_picture(image, collage, SPLIT)
        _check_room(SPLIT, collage, split_bytes, picture)
        parted = split(collage, picture)
        parted = replace(parted, notes=(*parted.notes, *notes))
        return io.NodeOutput(parted, given_out(parted.composite.image), describe_collage(parted))


def _check_room(
    node: str,
    collage: Collage,
    needed: Callable[[Collage, int], int],
    picture: torch.Tensor | None,
) -> None:
    pictures = len(collage.composite.image if picture is None else picture)
    what = f"{collage.width} x {collage.height} pixels of each of {len(collage.shown)} layers"
    check_room(node, f"holding {what}", needed(collage, pictures), collage.background.device)
