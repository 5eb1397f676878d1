"""CollageResize: the same collage for a second pass at another size."""

from __future__ import annotations

from comfy_api.latest import io

from ..collage_core.collage.limits import CELL
from ..collage_core.collage.resize import NODE, new_size, resize_bytes, resized
from ..collage_core.imaging.pixels import given_out
from .host.limits import check_room
from .sockets import CATEGORY, CollageSocket
from .widgets import SLIDER, share_widget


class CollageResize(io.ComfyNode):
    """Canvas and layers larger or smaller, everything else as it is."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=NODE,
            display_name="Collage Resize",
            category=CATEGORY,
            description=(
                "Makes the same collage in another size: every layer keeps its place, its words, "
                "its look and its strengths. For a second pass: paint small, enlarge the latent "
                "by the same factor, and paint again with less noise."
            ),
            search_aliases=["upscale", "hires fix", "second pass", "enlarge", "scale collage"],
            inputs=[
                CollageSocket.Input("collage", tooltip="The collage of the first pass."),
                io.Float.Input(
                    "factor",
                    default=2.0,
                    min=0.1,
                    max=16.0,
                    step=0.05,
                    round=0.001,
                    tooltip="How many times as large. The sides become whole latent cells, rounded "
                    "as Upscale Latent By rounds them.",
                ),
                share_widget(
                    "noise",
                    1.0,
                    "Multiplies the noise of every layer. In a second pass 0.5 adds detail and "
                    "keeps what the first pass has painted.",
                    display_mode=SLIDER,
                ),
                io.Int.Input(
                    "multiple",
                    default=CELL,
                    min=CELL,
                    max=64,
                    step=CELL,
                    optional=True,
                    advanced=True,
                    tooltip="Pixels of the side of the model's latent cell: 8 for most, 16 for "
                    "Flux.2, Lens and Wan 2.2 5B, 32 for HunyuanImage and LTXV.",
                ),
            ],
            outputs=[
                CollageSocket.Output("collage", tooltip="The same collage in the other size."),
                io.Image.Output("image", tooltip="Its layers pasted together in that size."),
            ],
            hidden=[io.Hidden.dynprompt],
        )

    @classmethod
    def execute(cls, collage, factor, noise, multiple=CELL) -> io.NodeOutput:
        size = new_size(collage, factor, multiple)
        what = f"a collage of {size[0]} x {size[1]} pixels with {len(collage.shown)} layers"
        check_room(NODE, what, resize_bytes(collage, *size), collage.background.device)
        changed = resized(collage, factor, noise, multiple)
        return io.NodeOutput(changed, given_out(changed.composite.image))
