"""The families of models that this pack supports: their UNet blocks and their text encoders.

Blocks are named ("input" | "middle" | "output", number, index).

Host symbols:
    comfy.model_patcher.ModelPatcher: model
    comfy.model_base.BaseModel: diffusion_model, model_config
    comfy.supported_models.SD15: unet_config, "context_dim"
    comfy.model_detection.detect_unet_config: "use_temporal_attention"
    comfy.ldm.modules.diffusionmodules.openaimodel.UNetModel: input_blocks,
        middle_block, output_blocks
    comfy.ldm.modules.diffusionmodules.openaimodel.UNetModel: "input", "middle", "output"
    comfy.ldm.modules.diffusionmodules.openaimodel.Downsample: use_conv, out_channels
    comfy.ldm.modules.diffusionmodules.openaimodel.ResBlock: out_channels
    comfy.ldm.modules.attention.SpatialTransformer: transformer_blocks
    comfy.ldm.modules.attention.BasicTransformerBlock: "block", "block_index"
    comfy.sd.CLIP: tokenize(text)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from comfy.ldm.modules.attention import SpatialTransformer
from comfy.ldm.modules.diffusionmodules.openaimodel import Downsample, UNetModel

from ....collage_core.errors import CollageError

BlockKey = tuple[str, int, int]
Shape = tuple[int, int, int]  # channels, rows, columns
ENCODERS = ("l", "g", "h")  # CLIP-L of SD1.x and SDXL, CLIP-G of SDXL, OpenCLIP-H of SD2.x


def block_keys(unet: UNetModel) -> Iterator[BlockKey]:
    """The key of every transformer block that has cross-attention."""
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


def skip_shapes(unet: UNetModel, size: Sequence[int]) -> Iterator[Shape]:
    """The output shape of each input block for a latent of `size` cells, in order."""
    channels, (rows, columns) = 0, size
    for block in unet.input_blocks:
        for layer in block.children():
            channels = getattr(layer, "out_channels", channels)
            if isinstance(layer, Downsample):
                up = layer.use_conv  # a convolution rounds odd sides up, pooling down
                rows, columns = (rows + up) // 2, (columns + up) // 2
        yield channels, rows, columns


def block_sizes(
    unet: UNetModel, latent: Sequence[int]
) -> Iterator[tuple[BlockKey, tuple[int, int]]]:
    """The key of every such block, with its rows and columns for a latent of that size."""
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


def encoders_of(clip, node: str) -> tuple[str, ...]:
    """The keys of the CLIP's text encoders, sorted; CollageError for other families."""
    found = tuple(sorted(clip.tokenize("")))
    if not set(found) <= set(ENCODERS):
        raise other_family(found, node)
    return found


def other_family(encoders: tuple[str, ...], node: str) -> CollageError:
    return CollageError(
        f"{node}, input clip: a text encoder of {', '.join(encoders)} is not one of "
        "SD1.x, SD2.x or SDXL. Connect the CLIP of such a model."
    )


def check_width(found: int, wanted: int, node: str) -> None:
    """CollageError unless a CLIP gives as many numbers per token as the MODEL takes."""
    if found != wanted:
        raise CollageError(
            f"{node}, input clip: it gives {found} numbers per token, and the model takes "
            f"{wanted}. Connect the CLIP that was made for this model."
        )
