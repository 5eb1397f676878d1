"""CollageLayerLora: a LoRA that acts in one layer only."""

from __future__ import annotations

from dataclasses import replace

from comfy_api.latest import io

from ..collage_core.collage.layer import LayerLora
from ..collage_core.errors import CollageError
from .host.loras.files import list_key, lora_key, lora_names, lora_path
from .sockets import CATEGORY, CollageLayerSocket

NODE = "CollageLayerLora"
MOST = 10.0  # of either strength


def _strength(name: str, tooltip: str) -> io.Float.Input:
    return io.Float.Input(
        name, default=1.0, min=-MOST, max=MOST, step=0.05, round=0.001, tooltip=tooltip
    )


class CollageLayerLora(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=NODE,
            display_name="Collage Layer LoRA",
            category=CATEGORY,
            description=(
                "Gives a layer a LoRA that acts where the layer can be seen and on its words, and "
                "nowhere else. A layer may have several; all LoRAs of a collage run in one pass of "
                "the model. Masked Cross-Attention Patch applies them. It reads safetensors files "
                "only."
            ),
            search_aliases=["regional lora", "character", "style", "lora mask", "load lora"],
            inputs=[
                CollageLayerSocket.Input("layer", tooltip="The layer that gets the LoRA."),
                io.Combo.Input(
                    "lora_name",
                    options=lora_names(),
                    tooltip="A LoRA, LoHa or LoKr in models/loras, made for the model you sample "
                    "with.",
                ),
                _strength(
                    "strength_model",
                    "How strongly it changes the model where the layer can be seen. 0 switches it "
                    "off there, negative values turn it around.",
                ),
                _strength(
                    "strength_clip",
                    "How strongly it changes the layer's words in the text encoder. 0 switches it "
                    "off there.",
                ),
            ],
            outputs=[CollageLayerSocket.Output("layer", tooltip="The layer with the LoRA.")],
        )

    @classmethod
    def validate_inputs(cls, lora_name) -> None:
        if lora_name is not None:  # else it comes over a link
            _check(lora_name)

    @classmethod
    def fingerprint_inputs(cls, lora_name, **_) -> str:
        return list_key() if lora_name is None else lora_key(lora_name)

    @classmethod
    def execute(cls, layer, lora_name, strength_model, strength_clip) -> io.NodeOutput:
        _check(lora_name)
        lora = LayerLora(name=lora_name, strength_model=strength_model, strength_clip=strength_clip)
        return io.NodeOutput(replace(layer, loras=(*layer.loras, lora)))


def _check(name: str) -> None:
    try:
        lora_path(name)
    except CollageError as error:
        raise CollageError(f"{NODE}, input lora_name: {error}") from error
