"""CollageControlNet: structure control, weighed by the `control` of each layer."""

from __future__ import annotations

import logging

import torch
from comfy_api.latest import io

from ..collage_core.collage.box import Box, read_box
from ..collage_core.collage.collage import Collage
from ..collage_core.collage.limits import LAYER_RANGES
from ..collage_core.control import control_map, same_proportions
from ..collage_core.errors import CollageError
from ..collage_core.imaging.pixels import clean_pixels
from .host.control.conditioning import apply_network, find_edges
from .host.control.regional_control import LayerControl
from .host.models.made_of import check_collage
from .sockets import CATEGORY, CollageSocket, crop_socket
from .widgets import SLIDER, share_widget

NODE = "CollageControlNet"
HIGHEST_STRENGTH = 10.0  # as in ControlNetApplyAdvanced
HIGHEST_BASE = LAYER_RANGES["control"][1]

log = logging.getLogger(__name__)


class CollageControlNet(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=NODE,
            display_name="Collage ControlNet",
            category=CATEGORY,
            description=(
                "Shows a control network the edges of the collage. What the network adds counts "
                "in each layer as much as the layer's `control` says."
            ),
            search_aliases=["controlnet", "canny", "structure", "t2i adapter", "regional control"],
            inputs=[
                io.Conditioning.Input("positive", tooltip="What the picture should show."),
                io.Conditioning.Input("negative", tooltip="What the picture should not show."),
                io.ControlNet.Input(
                    "control_net", tooltip="A ControlNet or T2I adapter for edges (Canny)."
                ),
                CollageSocket.Input(
                    "collage", tooltip="Its layers keep their shape, each by its `control`."
                ),
                io.Image.Input(
                    "control_image",
                    optional=True,
                    tooltip="A picture for the network instead of the collage's edges, with the "
                    "proportions of the canvas: depth or lines, for a network of that kind.",
                ),
                share_widget(
                    "strength",
                    1.0,
                    "Multiplies `control` of every layer. 0 switches the network off.",
                    high=HIGHEST_STRENGTH,
                ),
                share_widget(
                    "start_percent", 0.0, "Earlier steps are left unchanged.", advanced=True
                ),
                share_widget("end_percent", 1.0, "Later steps are left unchanged.", advanced=True),
                share_widget(
                    "base_control",
                    0.0,
                    "The control where there is no layer. 0 leaves the background to the model. 1 "
                    "keeps the edges of a background image, and keeps a plain background plain.",
                    high=HIGHEST_BASE,
                    display_mode=SLIDER,
                ),
                crop_socket(
                    "Only when you sample a crop of the picture: the crop's box in pixels of the "
                    "canvas, the same as in Masked Cross-Attention Patch. A control_image then "
                    "shows the crop only."
                ),
                io.Vae.Input(
                    "vae",
                    optional=True,
                    tooltip="The model's VAE, for networks that look at latents, as most of those "
                    "for Flux, SD3 and Qwen-Image do. Others leave it unused.",
                ),
            ],
            outputs=[
                io.Conditioning.Output("positive", tooltip="For the sampler's `positive`."),
                io.Conditioning.Output("negative", tooltip="For the sampler's `negative`."),
                io.Image.Output("control_image", tooltip="What the network sees."),
            ],
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def execute(
        cls,
        positive,
        negative,
        control_net,
        collage,
        control_image=None,
        base_control=0.0,
        crop=None,
        vae=None,
        **settings,
    ) -> io.NodeOutput:
        _check_order(settings["start_percent"], settings["end_percent"])
        box = read_box(crop, collage, f"{NODE}, input crop")
        conditionings = {"positive": positive, "negative": negative}
        check_collage(NODE, collage, conditionings, box, words=False)
        image = _shown_image(control_image, collage, box)
        controls = [layer.control for layer in collage.shown]
        weights = control_map(collage.composite.visible_alpha, controls, base_control)
        weights = weights if box is None else box.cut(weights)
        if settings["strength"] == 0:
            return io.NodeOutput(positive, negative, image)
        if not weights.any():
            log.warning(
                "%s: control is 0 everywhere in the picture, so the network is left out. Raise "
                "control of a layer, or base_control for the background.",
                NODE,
            )
            return io.NodeOutput(positive, negative, image)
        weighed = LayerControl(control_net, weights, collage, box, shows_it=control_image is None)
        return io.NodeOutput(
            *apply_network((positive, negative), weighed, image, vae=vae, **settings), image
        )


def _check_order(start_percent: float, end_percent: float) -> None:
    if start_percent > end_percent:
        raise CollageError(
            f"{NODE}, input start_percent: {start_percent:g} lies after end_percent "
            f"{end_percent:g}, so no step would be controlled. Exchange them."
        )


def _shown_image(
    control_image: torch.Tensor | None, collage: Collage, box: Box | None
) -> torch.Tensor:
    """The network's picture [B, h, w, 3] of the canvas or its box; transparent pixels are black."""
    if control_image is None:
        edges = find_edges(collage.composite.image)
        return edges if box is None else box.cut(edges.movedim(-1, 1)).movedim(1, -1)
    colour, alpha, notes = clean_pixels(control_image, None, NODE, "control_image")
    for note in notes:
        log.warning("%s: %s", NODE, note)
    height, width = colour.shape[1:3]
    what, shown = ("canvas", collage) if box is None else ("crop", box)
    if not same_proportions((height, width), (shown.height, shown.width)):
        raise CollageError(
            f"{NODE}, input control_image: {width} x {height} pixels have other proportions than "
            f"the {what} of {shown.width} x {shown.height}, so edges would not lie on their "
            f"layers. Make it from the collage's image, or crop it to the {what}."
        )
    pictures = len(collage.composite.image)
    if pictures > 1 and len(colour) not in (1, pictures):
        raise CollageError(
            f"{NODE}, input control_image: a batch of {len(colour)} does not fit the "
            f"{pictures} pictures of the collage. Give it one picture, or one for each."
        )
    return colour * alpha.unsqueeze(-1)
