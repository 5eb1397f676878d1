"""The small model that ships with the pack, and its structure network."""

from __future__ import annotations

from comfy_api.latest import io

from .host.demo_model.diffusion import NETWORKS
from .host.demo_model.loader import load_all, load_control
from .sockets import CATEGORY


class CollageDemoModel(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="CollageDemoModel",
            display_name="Collage Demo Model",
            category=CATEGORY,
            description=(
                "A small diffusion model of a painted world (bento boxes, toys, cake tables; 256 "
                "x 256 pixels). It ships with this pack, so that every example runs on any "
                "machine. Replace it by a checkpoint loader for real pictures."
            ),
            search_aliases=["demo checkpoint", "example model", "tiny model"],
            inputs=[
                io.Combo.Input(
                    "network",
                    options=[*NETWORKS],
                    default="unet",
                    optional=True,
                    tooltip=(
                        "unet: built like SD1.5. transformer: a flow-matching transformer built "
                        "like Lumina 2 and Z-Image, with 32 tokens of text in its own attention."
                    ),
                )
            ],
            outputs=[
                io.Model.Output("model", tooltip="Paints collages best at cfg 2; transformer: 4."),
                io.Clip.Output("clip", tooltip="Its text encoder."),
                io.Vae.Output("vae", tooltip="Its autoencoder."),
            ],
        )

    @classmethod
    def execute(cls, network: str = "unet") -> io.NodeOutput:
        return io.NodeOutput(*load_all(network))


class CollageDemoControlNet(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="CollageDemoControlNet",
            display_name="Collage Demo ControlNet",
            category=CATEGORY,
            description=(
                "The structure network of the demo model: a T2I adapter, trained on the edges of "
                "collages of the painted world. Replace it by Load ControlNet Model for other "
                "models."
            ),
            search_aliases=["demo canny", "example controlnet", "demo t2i adapter"],
            inputs=[],
            outputs=[io.ControlNet.Output("control_net", tooltip="The network, for edges.")],
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        return io.NodeOutput(load_control())
