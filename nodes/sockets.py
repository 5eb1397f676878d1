"""The sockets of this pack and the menu it lives in."""

from __future__ import annotations

from comfy_api.latest import io

CATEGORY = "collage"

CollageLayerSocket = io.Custom("COLLAGE_LAYER")  # a collage_core Layer
CollageSocket = io.Custom("COLLAGE")  # a collage_core Collage
LayersSocket = io.Custom("LAYERS")  # ComfyUI's own, of versions after 0.30.0


def crop_socket(tooltip: str) -> io.Input:
    """A box of the canvas: a socket only, because widgets would bring numbers unasked."""
    box = io.Custom(io.BoundingBox.io_type)
    return box.Input("crop", optional=True, tooltip=tooltip, extra_dict={"forceInput": True})
