"""CollageAutoTune: starting values for the controls of every layer."""

from __future__ import annotations

from comfy_api.latest import io

from ..collage_core.collage.auto_tune import describe_tuning, tune
from .sockets import CATEGORY, CollageSocket
from .widgets import SLIDER, share_widget


class CollageAutoTune(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="CollageAutoTune",
            display_name="Collage Auto-Tune",
            category=CATEGORY,
            description=(
                "Sets noise, attract, repel and control of every layer from its share of the "
                "canvas. The new values replace those on the layers: a starting point to adjust."
            ),
            search_aliases=["auto adjust", "default values", "preserve", "harmonize"],
            inputs=[
                CollageSocket.Input("collage", tooltip="The collage whose layers get new values."),
                share_widget(
                    "harmonise",
                    0.5,
                    "0 preserves the pictures most, 1 harmonises them most.",
                    display_mode=SLIDER,
                ),
            ],
            outputs=[
                CollageSocket.Output("collage", tooltip="The same layers with new values."),
                io.String.Output("report", tooltip="The new values of every layer."),
            ],
        )

    @classmethod
    def execute(cls, collage, harmonise) -> io.NodeOutput:
        tuned = tune(collage, harmonise)
        return io.NodeOutput(tuned, describe_tuning(tuned))
