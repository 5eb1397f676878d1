"""The families of models that this pack supports: their UNet blocks and their text encoders.

Blocks are named ("input" | "middle" | "output", number, index). A transformer needs a row in the
LAYOUTS of `transformers` and one in TEXTS for each text encoder that it is used with.

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
    comfy.sd.CLIP: tokenize(text), tokenizer
    comfy.sd1_clip.SD1Tokenizer: "clip_{}"
    comfy.text_encoders.flux: FluxTokenizer, Flux2Tokenizer, KleinTokenizer, KleinTokenizer8B
    comfy.text_encoders.longcat_image: LongCatImageTokenizer
    comfy.text_encoders.ovis: OvisTokenizer
    comfy.text_encoders.pixart_t5: PixArtTokenizer
    comfy.text_encoders.genmo: MochiT5Tokenizer
    comfy.text_encoders.sd3_clip: SD3Tokenizer
    comfy.text_encoders.qwen_image: QwenImageTokenizer
    comfy.text_encoders.z_image: ZImageTokenizer
    comfy.text_encoders.lumina2: LuminaTokenizer
    comfy.text_encoders.wan: WanT5Tokenizer
    comfy.text_encoders.anima: AnimaTokenizer
    comfy.text_encoders.cosmos: CosmosT5Tokenizer
    comfy.text_encoders.aura_t5: AuraT5Tokenizer
    comfy.text_encoders.hunyuan_image: HunyuanImageTokenizer
    comfy.text_encoders.hunyuan_video: HunyuanVideoTokenizer, HunyuanVideo15Tokenizer
    comfy.text_encoders.krea2: Krea2Tokenizer
    comfy.text_encoders.omnigen2: Omnigen2Tokenizer
    comfy.text_encoders.gpt_oss: LensTokenizer
    comfy.text_encoders.joyimage: JoyImageTokenizer
    comfy.text_encoders.lt: LTXVT5Tokenizer
    comfy.text_encoders.kandinsky5: Kandinsky5Tokenizer, Kandinsky5TokenizerImage
    comfy.model_detection.detect_unet_config: "context_in_dim", "cap_feat_dim"
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from comfy.ldm.modules.attention import SpatialTransformer
from comfy.ldm.modules.diffusionmodules.openaimodel import Downsample, UNetModel

from ....collage_core.errors import CollageError
from .transformers import is_transformer

BlockKey = tuple[str, int, int]
Shape = tuple[int, int, int]  # channels, rows, columns
ENCODERS = ("l", "g", "h")  # CLIP-L of SD1.x and SDXL, CLIP-G of SDXL, OpenCLIP-H of SD2.x
UNETS = ("SD1.x", "SD2.x", "SDXL")
# where the host's description of a network says how many numbers a token has
WIDTHS = ("context_dim", "context_in_dim", "cap_feat_dim", "cond_seq_dim", "text_feat_dim")


@dataclass(frozen=True)
class Text:
    """The tokens of a CLIP that its model's text features are made of.

    family: as people call it; networks: classes of LAYOUTS that take these features; parts: the
    encoders in the order of their features, those that share places joined. The features end with
    the last token but for `cut` tokens, which the encoder drops behind the prompt; adapter: the
    network makes features of the tokens itself, from the first on.

        Text("SD3", ("OpenAISignatureMMDITWrapper",), (("l", "g"), ("t5xxl",)))
    """

    family: str
    networks: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...]
    cut: int = 0
    adapter: bool = False


T5 = (("t5xxl",),)
QWEN = (("qwen25_7b",),)
LLAMA = (("llama",),)
# the class of a CLIP's tokenizer -> the text of its model
TEXTS: dict[str, Text] = {
    "FluxTokenizer": Text("Flux.1", ("Flux", "Chroma"), T5),
    "Flux2Tokenizer": Text("Flux.2", ("Flux",), (("mistral3_24b",),)),
    "KleinTokenizer": Text("Flux.2 Klein", ("Flux",), (("qwen3_4b",),)),
    "KleinTokenizer8B": Text("Flux.2 Klein", ("Flux",), (("qwen3_8b",),)),
    "LongCatImageTokenizer": Text("LongCat-Image", ("Flux",), QWEN, cut=5),
    "OvisTokenizer": Text("Ovis-Image", ("Flux",), (("qwen3_2b",),)),
    "PixArtTokenizer": Text("Chroma", ("Chroma",), T5),
    "SD3Tokenizer": Text("SD3", ("OpenAISignatureMMDITWrapper",), (("l", "g"), *T5)),
    "QwenImageTokenizer": Text("Qwen-Image", ("QwenImageTransformer2DModel",), QWEN),
    "ZImageTokenizer": Text("Z-Image", ("NextDiT",), (("qwen3_4b",),)),
    "LuminaTokenizer": Text("Lumina Image 2", ("NextDiT",), (("gemma2_2b",),)),
    "WanT5Tokenizer": Text("Wan", ("WanModel",), (("umt5xxl",),)),
    "AnimaTokenizer": Text("Anima", ("Anima",), T5, adapter=True),
    "CosmosT5Tokenizer": Text("Cosmos-Predict2", ("MiniTrainDIT",), T5),
    "AuraT5Tokenizer": Text("AuraFlow", ("MMDiT",), (("pile_t5xl",),)),
    "HunyuanImageTokenizer": Text("HunyuanImage 2.1", ("HunyuanVideo",), QWEN),
    "HunyuanVideoTokenizer": Text("HunyuanVideo", ("HunyuanVideo",), LLAMA),
    "HunyuanVideo15Tokenizer": Text("HunyuanVideo 1.5", ("HunyuanVideo",), QWEN),
    "Krea2Tokenizer": Text("Krea 2", ("SingleStreamDiT",), (("qwen3vl_4b",),)),
    "Omnigen2Tokenizer": Text("OmniGen2", ("OmniGen2Transformer2DModel",), (("qwen25_3b",),)),
    "LensTokenizer": Text("Lens", ("LensTransformer2DModel",), (("gpt_oss",),)),
    "JoyImageTokenizer": Text("JoyImage", ("JoyImageTransformer3DModel",), (("qwen3vl_8b",),)),
    "LTXVT5Tokenizer": Text("LTXV", ("LTXVModel",), T5),
    "MochiT5Tokenizer": Text("LTXV", ("LTXVModel",), T5),
    "DemoTransformerTokenizer": Text("the demo model's transformer", ("NextDiT",), (("l",),)),
    "Kandinsky5Tokenizer": Text("Kandinsky 5", ("Kandinsky5",), QWEN),
    "Kandinsky5TokenizerImage": Text("Kandinsky 5", ("Kandinsky5",), QWEN),
}


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


def context_width(model, node: str, supported: Sequence[str] = UNETS) -> int:
    """Numbers per token that the MODEL's UNet takes; CollageError for other networks."""
    unet = getattr(getattr(model, "model", None), "diffusion_model", None)
    if unet is None:
        raise CollageError(
            f"{node}, input model: {type(model).__name__} is no diffusion model. "
            "Connect the MODEL output of a checkpoint or diffusion model loader."
        )
    config = getattr(model.model.model_config, "unet_config", {})
    width = config.get("context_dim")
    if type(unet) is not UNetModel or not width or config.get("use_temporal_attention"):
        *others, last = supported
        network = "" if type(unet) is UNetModel else f" with the network {type(unet).__name__}"
        raise CollageError(
            f"{node}, input model: {type(model.model).__name__} is not supported{network}; "
            f"{', '.join(others)} and {last} models are. Connect one of those."
        )
    return width


def text_width(model, node: str) -> int | None:
    """Numbers per token that the MODEL takes, None where the host does not say it.

    Raises CollageError for other networks than UNets and those of LAYOUTS.
    """
    network = getattr(getattr(model, "model", None), "diffusion_model", None)
    if not is_transformer(network):
        return context_width(model, node, (*UNETS, *families()))
    config = model.model.model_config.unet_config
    return next((config[name] for name in WIDTHS if config.get(name)), None)


def text_of(model, clip, node: str) -> Text:
    """The text that the MODEL gets of the CLIP; CollageError where it is that of another family."""
    network = model.model.diffusion_model
    if not is_transformer(network):
        return Text("", (), (encoders_of(clip, node),))
    tokenizer, taken = type(clip.tokenizer).__name__, type(network).__name__
    found = TEXTS.get(tokenizer)
    if found is None or taken not in found.networks:
        what = f"a CLIP with the tokenizer {tokenizer}" if found is None else found.family
        raise CollageError(
            f"{node}, input clip: it is that of {what}, and the model, {taken}, takes that of "
            f"{' or '.join(families(taken))}. Load the CLIP that was made for this model."
        )
    return found


def families(network: str = "") -> list[str]:
    """The families of transformers by name, all or those of one network."""
    rows = [text for text in TEXTS.values() if not network or network in text.networks]
    return [*dict.fromkeys(text.family for text in rows)]


def tokenizer_of(clip, encoder: str) -> Any:
    """The tokenizer of one text encoder of a CLIP."""
    own = clip.tokenizer
    return getattr(own, f"clip_{encoder}", None) or getattr(own, encoder)


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


def check_width(found: int, wanted: int | None, node: str) -> None:
    """CollageError unless a CLIP gives as many numbers per token as the MODEL takes, if known."""
    if wanted is not None and found != wanted:
        raise CollageError(
            f"{node}, input clip: it gives {found} numbers per token, and the model takes "
            f"{wanted}. Connect the CLIP that was made for this model."
        )
