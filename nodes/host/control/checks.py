"""Whether a control network was made for the model that it is sampled with.

ComfyUI notices late: tokens of another width end in an error about matrix sizes, and outputs that
do not fit the blocks of the UNet are left out with a line in the log.

apply_control takes outputs from the end of their lists.

Transformers add outputs [B, tokens, C] to the tokens of the picture, row by row. MADE_FOR names the
transformers that each class of networks was made for.

Host symbols:
    comfy.model_base.BaseModel: diffusion_model, model_config
    comfy.supported_models.SD15: unet_config, "context_dim"
    comfy.ldm.modules.diffusionmodules.openaimodel.apply_control(h, control, name)
    comfy.ldm.modules.diffusionmodules.openaimodel.UNetModel: "block", "input_block_patch",
        "middle_block_after_patch"
    comfy.samplers: "patches"
    comfy.controlnet.ControlNet: control_model
    comfy.controlnet.ControlLora: control_weights
    comfy.ldm.modules.attention.BasicTransformerBlock: attn2
    comfy.ldm.modules.attention.CrossAttention: to_k
    comfy.ldm.flux.controlnet: ControlNetFlux
    comfy.cldm.mmdit: ControlNet
    comfy.cldm.dit_embedder: ControlNetEmbedder
    comfy.ldm.qwen_image.controlnet: QwenImageControlNetModel, QwenImageFunControlNetModel
    comfy.ldm.flux.model.Flux: patch_size, txt_in, img_in, "control"
    comfy.ldm.chroma.model.Chroma: txt_in, img_in
    comfy.ldm.qwen_image.model.QwenImageTransformer2DModel: txt_in, img_in
    comfy.ldm.modules.diffusionmodules.mmdit.MMDiT: context_embedder, x_embedder
    comfy.ldm.modules.diffusionmodules.mmdit.PatchEmbed: proj
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from comfy.cldm import dit_embedder, mmdit
from comfy.ldm.flux.controlnet import ControlNetFlux
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from comfy.ldm.qwen_image import controlnet as qwen

from ....collage_core.errors import CollageError
from ..models.families import Shape
from ..models.transformers import token_grid

NODE = "CollageControlNet"
MADE_FOR = {
    ControlNetFlux: ("Flux", "Chroma"),
    mmdit.ControlNet: ("OpenAISignatureMMDITWrapper",),
    dit_embedder.ControlNetEmbedder: ("OpenAISignatureMMDITWrapper",),
    qwen.QwenImageControlNetModel: ("QwenImageTransformer2DModel",),
    qwen.QwenImageFunControlNetModel: ("QwenImageTransformer2DModel",),
}
PATCH = 2  # of all these transformers; Flux.2, of the same class as Flux.1, has another


def check_network(network: Any, model: Any) -> None:
    """Refuse models without such control, and a network that was made for another family."""
    painter = model.diffusion_model
    made_for = MADE_FOR.get(type(getattr(network, "control_model", None)))
    if not isinstance(painter, UNetModel) and not _takes_tokens(painter):
        raise CollageError(
            f"{NODE}, input control_net: a model of the kind {type(model).__name__} is not "
            "supported; SD1.x, SD2.x, SDXL, SD3, Flux.1, Chroma and Qwen-Image are. Use the nodes "
            "that were made to control this one."
        )
    if made_for is not None and type(painter).__name__ not in made_for:
        name = type(network.control_model).__name__
        raise CollageError(
            f"{NODE}, input control_net: a {name} was made for another family than "
            f"{type(model).__name__}. Load the network made for this model."
        )
    if not isinstance(painter, UNetModel):
        if made_for is None and token_width(network) is not None:
            raise CollageError(
                f"{NODE}, input control_net: the network was made for a UNet, and the model is of "
                f"the kind {type(model).__name__}. Load the network made for this model."
            )
        _check_width(_text_width(network.control_model), _text_width(painter))
        return
    known = " (SD1.x has 768, SD2.x 1024, SDXL 2048)"
    _check_width(token_width(network), model.model_config.unet_config.get("context_dim"), known)


def _check_width(found: int | None, wanted: int | None, known: str = "") -> None:
    if found is not None and found != wanted:
        raise CollageError(
            f"{NODE}, input control_net: the network takes {found} numbers per token, the model "
            f"{wanted}: it was made for another family{known}. Load the network made for this "
            "model."
        )


def _text_width(transformer: Any) -> int | None:
    """Numbers per token that a transformer takes; None for one that reads no prompt itself."""
    entry = getattr(transformer, "txt_in", None) or getattr(transformer, "context_embedder", None)
    return getattr(entry, "in_features", None)


def _inner_width(painter: Any) -> int:
    """Numbers that a transformer has for each token of the picture."""
    if hasattr(painter, "img_in"):
        return painter.img_in.out_features
    return painter.x_embedder.proj.out_channels


def token_width(network: Any) -> int | None:
    """Numbers per token that a ControlNet takes; None for networks that read no prompt."""
    control_model = getattr(network, "control_model", None)
    if isinstance(control_model, torch.nn.Module):
        for name, module in control_model.named_modules():
            if name.endswith("attn2.to_k"):
                return getattr(module, "in_features", None)
    for name, weight in getattr(network, "control_weights", {}).items():
        if name.endswith("attn2.to_k.down"):
            return weight.shape[-1]
    return None


def _takes_tokens(painter: Any) -> bool:
    """Whether it is a transformer that adds what a control network makes of each token."""
    named = any(type(painter).__name__ in names for names in MADE_FOR.values())
    return named and painter.patch_size == PATCH


def check_tokens(outputs: dict[str, list], painter: Any, x: torch.Tensor) -> None:
    """Refuse outputs for other tokens than those of a transformer's picture."""
    rows, columns = token_grid(painter, x)
    wanted = (rows * columns, _inner_width(painter))
    for found in (x for outs in outputs.values() for x in outs if x is not None):
        if found.shape[1:] != wanted:
            raise CollageError(
                f"{NODE}, input control_net: the network makes {_size(found.shape[1:])} where the "
                f"model has {columns} x {rows} tokens of {wanted[1]} numbers: it was made for "
                "another family or size of models. Load the network made for this one."
            )


def check_outputs(outputs: dict[str, list], skips: list[Shape]) -> None:
    """Refuse outputs that do not fit the UNet's blocks: ComfyUI would leave them out."""
    wanted = {"input": skips, "middle": skips[-1:], "output": skips[::-1]}
    for key, found in outputs.items():
        for x, shape in zip(reversed(found), wanted.get(key, []), strict=False):
            if x is not None and tuple(x.shape[1:]) != shape:
                raise CollageError(
                    f"{NODE}, input control_net: the network makes {_size(x.shape[1:])} where "
                    f"the model has {_size(shape)}: it was made for another family of models. "
                    "Load the network made for this one."
                )


def watch_blocks(options: dict, outputs: dict[str, list], skips: list[Shape], rows: int) -> None:
    """Let the model refuse a block whose size differs from that of the output added to it.

    ComfyUI would leave the output out, with a line in the log. Another patch of the model may
    change sizes between blocks. options: the transformer_options of this call; they get two
    patches, behind all others, that change nothing.
    """
    last = len(skips) - 1
    added_to = [i for i, x in enumerate(reversed(outputs.get("input", []))) if x is not None]
    added_to += [
        last - i for i, x in enumerate(reversed(outputs.get("output", []))) if x is not None
    ]

    def input_block(h, transformer_options):
        number = transformer_options["block"][1]
        if number in added_to:
            _check_block(f"input block {number}", h, rows, skips[number])
        return h

    def middle_block(args):
        if any(x is not None for x in outputs.get("middle", [])):
            _check_block("the middle block", args["h"], rows, skips[last])
        return args

    patches = dict(options.get("patches", {}))
    for name, patch in (
        ("input_block_patch", input_block),
        ("middle_block_after_patch", middle_block),
    ):
        patches[name] = [*patches.get(name, []), patch]
    options["patches"] = patches


def _check_block(name: str, h: torch.Tensor, rows: int, shape: Shape) -> None:
    found, wanted = (len(h), *h.shape[-2:]), (rows, *shape[1:])
    if found != wanted:
        raise CollageError(
            f"{NODE}, input control_net: another patch of the model makes {name} {_size(found)} "
            f"(pictures, rows, columns) in place of {_size(wanted)}, so control would be left out "
            "there, as with PatchModelAddDownscale (Deep Shrink). Take one of the two out, or let "
            "this node begin (start_percent) where the patch has ended."
        )


def _size(shape: Sequence[int]) -> str:
    return " x ".join(str(side) for side in shape)
