"""SD1.5 and SDXL from ComfyUI's own classes, at full size, with random weights; a short Flux."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from typing import Any

import comfy.model_management
import comfy.model_patcher
import comfy.supported_models
import torch

NARROW = {"model_channels": 32}  # with --tiny: every block, each a tenth as wide

COMMON = {
    "image_size": 32,
    "in_channels": 4,
    "out_channels": 4,
    "model_channels": 320,
    "use_spatial_transformer": True,
    "use_temporal_attention": False,
    "legacy": False,
}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A model: ComfyUI's description of it, its shape, and the side of its pictures in pixels."""

    name: str
    description: type
    size: int
    quick_size: int  # on a CPU, where a round at `size` would take an hour
    unet: dict[str, Any] = field(repr=False)
    narrow: dict[str, Any] = field(repr=False, default_factory=lambda: NARROW)


KINDS = {
    "sd15": Kind(
        name="SD1.5",
        description=comfy.supported_models.SD15,
        size=512,
        quick_size=512,
        unet={
            **COMMON,
            "num_res_blocks": [2, 2, 2, 2],
            "channel_mult": [1, 2, 4, 4],
            "transformer_depth": [1, 1, 1, 1, 1, 1, 0, 0],
            "transformer_depth_middle": 1,
            "transformer_depth_output": [1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0],
            "use_linear_in_transformer": False,
            "context_dim": 768,
            "adm_in_channels": None,
        },
    ),
    "sdxl": Kind(
        name="SDXL",
        description=comfy.supported_models.SDXL,
        size=1024,
        quick_size=512,
        unet={
            **COMMON,
            "num_res_blocks": [2, 2, 2],
            "channel_mult": [1, 2, 4],
            "transformer_depth": [0, 0, 2, 2, 10, 10],
            "transformer_depth_middle": 10,
            "transformer_depth_output": [0, 0, 0, 2, 2, 2, 10, 10, 10],
            "use_linear_in_transformer": True,
            "context_dim": 2048,
            "num_classes": "sequential",
            "adm_in_channels": 2816,
            "num_head_channels": 64,
        },
    ),
}


# four of Flux's 57 blocks, a third as wide: on one core a call of it takes seconds
SHORT_FLUX = Kind(
    name="Flux of 4 blocks, 8 x 128",
    description=comfy.supported_models.Flux,
    size=512,
    quick_size=512,
    unet={
        "image_model": "flux",
        "in_channels": 16,
        "out_channels": 16,
        "context_in_dim": 4096,
        "vec_in_dim": 768,
        "hidden_size": 1024,
        "num_heads": 8,
        "mlp_ratio": 4.0,
        "depth": 1,
        "depth_single_blocks": 3,
        "axes_dim": [16, 56, 56],
        "theta": 10000,
        "patch_size": 2,
        "qkv_bias": True,
        "guidance_embed": True,
        "txt_ids_dims": [],
    },
    narrow={"hidden_size": 256, "num_heads": 2},
)


def build(kind: Kind, *, tiny: bool) -> comfy.model_patcher.ModelPatcher:
    """A MODEL with random weights, on the device and in the dtype that ComfyUI chooses."""
    device = comfy.model_management.get_torch_device()
    shape = {**kind.unet, **kind.narrow} if tiny else kind.unet
    description = kind.description(shape)
    dtype = comfy.model_management.unet_dtype(
        device, supported_dtypes=description.supported_inference_dtypes
    )
    description.set_inference_dtype(dtype, None)
    model = description.get_model({}, device=device).to(device)
    randomize(model.diffusion_model)
    return comfy.model_patcher.ModelPatcher(model, load_device=device, offload_device=device)


def randomize(unet: torch.nn.Module) -> None:
    """In place, as SDXL would not fit twice. Every layer preserves the variance of its input."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, parameter in unet.named_parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, parameter[0].numel() ** -0.5)
            else:
                parameter.fill_(float(name.endswith("weight")))


def millions(model: comfy.model_patcher.ModelPatcher) -> float:
    return sum(parameter.numel() for parameter in model.model.parameters()) / 1e6


def let_go() -> None:
    """Free the memory of models without references."""
    comfy.model_management.unload_all_models()
    gc.collect()
    comfy.model_management.soft_empty_cache(force=True)
