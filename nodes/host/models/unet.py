"""Which models this pack can steer, and the blocks in which words meet the picture.

Blocks are named ("input" | "middle" | "output", number, index).

Host symbols:
    comfy.model_patcher.ModelPatcher: model
    comfy.model_base.BaseModel: diffusion_model, model_config
    comfy.supported_models.SD15: unet_config, "context_dim"
    comfy.model_detection.detect_unet_config: "use_temporal_attention"
    comfy.ldm.modules.diffusionmodules.openaimodel.UNetModel: input_blocks,
        middle_block, output_blocks
    comfy.ldm.modules.diffusionmodules.openaimodel.UNetModel: "input", "middle", "output"
    comfy.ldm.modules.attention.SpatialTransformer: transformer_blocks
    comfy.ldm.modules.attention.BasicTransformerBlock: "block", "block_index"
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from comfy.ldm.modules.attention import SpatialTransformer
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

from ....collage_core.errors import CollageError
from ..control.checks import skip_shapes

BlockKey = tuple[str, int, int]


def block_keys(unet: UNetModel) -> Iterator[BlockKey]:
    """The key of every transformer block that attends to the words."""
    parts = {
        "input": unet.input_blocks,
        "middle": [unet.middle_block],
        "output": unet.output_blocks,
    }
    for name, blocks in parts.items():
        for number, layers in enumerate(blocks):
            for layer in layers:
                if isinstance(layer, SpatialTransformer):
                    for index in range(len(layer.transformer_blocks)):
                        yield name, number, index


def block_sizes(
    unet: UNetModel, latent: Sequence[int]
) -> Iterator[tuple[BlockKey, tuple[int, int]]]:
    """The key of every such block, and rows and columns of its cells for a latent of that size."""
    sizes = [(rows, columns) for _, rows, columns in skip_shapes(unet, latent)]
    where = {"input": sizes, "middle": sizes[-1:], "output": sizes[::-1]}
    for key in block_keys(unet):
        yield key, where[key[0]][key[1]]


def context_width(model, node: str) -> int:
    """Numbers per token that the MODEL's cross-attention takes; CollageError for other families."""
    unet = getattr(getattr(model, "model", None), "diffusion_model", None)
    if unet is None:
        raise CollageError(
            f"{node}, input model: {type(model).__name__} is no diffusion model. "
            "Connect the MODEL output of a checkpoint or diffusion model loader."
        )
    config = getattr(model.model.model_config, "unet_config", {})
    width = config.get("context_dim")
    if type(unet) is not UNetModel or not width or config.get("use_temporal_attention"):
        raise CollageError(
            f"{node}, input model: {type(model.model).__name__} is not supported; SD1.x, SD2.x "
            "and SDXL models are. Connect one of those."
        )
    return width
