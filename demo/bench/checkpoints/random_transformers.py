"""Flux, Z-Image and Qwen-Image as files, every weight random and in half precision.

Width, heads, vocabulary and autoencoder are those of the real models, so that ComfyUI's loaders
recognise the files; blocks are few: 1 + 2 of Flux's 19 + 38, 2 of Z-Image's 30, 2 of Qwen-Image's
60, and of the text encoders what `shallow_encoders` says. 2 to 4 GB a family.

Host symbols: the classes built below, and the names that the published files have for weights.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import comfy.ldm.flux.model
import comfy.ldm.lumina.model
import comfy.ldm.models.autoencoder
import comfy.ldm.qwen_image.model
import comfy.ldm.wan.vae
import comfy.ops
import comfy.sd1_clip
import comfy.text_encoders.qwen_image
import comfy.text_encoders.sd3_clip
import comfy.text_encoders.z_image
import torch

from ...examples.variants import FILES
from ..attention.full_size import randomize
from .random_checkpoint import AUTOENCODER, write_weights
from .shallow_encoders import SHALLOW

HALF = {"dtype": torch.float16, "device": "cpu"}
NETWORK = {**HALF, "operations": comfy.ops.disable_weight_init}
FLUX = {
    "in_channels": 16,
    "out_channels": 16,
    "vec_in_dim": 768,
    "context_in_dim": 4096,
    "hidden_size": 3072,
    "mlp_ratio": 4.0,
    "num_heads": 24,
    "depth": 1,
    "depth_single_blocks": 2,
    "axes_dim": [16, 56, 56],
    "theta": 10000,
    "patch_size": 2,
    "qkv_bias": True,
    "guidance_embed": True,
    "txt_ids_dims": [],
}
ZIMAGE = {
    "in_channels": 16,
    "dim": 3840,
    "n_layers": 2,
    "n_heads": 30,
    "n_kv_heads": 30,
    "cap_feat_dim": 2560,
    "axes_dims": [32, 48, 48],
    "axes_lens": [1536, 512, 512],
    "rope_theta": 256.0,
    "ffn_dim_multiplier": 8.0 / 3.0,
    "qk_norm": True,
    "z_image_modulation": True,
    "time_scale": 1000.0,
    "pad_tokens_multiple": 32,
}
WAN_AUTOENCODER = {
    "dim": 96,
    "z_dim": 16,
    "dim_mult": [1, 2, 4, 4],
    "num_res_blocks": 2,
    "attn_scales": [],
    "temperal_downsample": [False, True, True],
    "dropout": 0.0,
}
# by its shape ComfyUI knows T5-XXL; nothing reads it, as the block is not there
T5_MARK = {"encoder.block.23.layer.1.DenseReluDense.wi_1.weight": torch.zeros(10240, 1)}


def flux() -> torch.nn.Module:
    return comfy.ldm.flux.model.Flux(**FLUX, **NETWORK)


def z_image() -> torch.nn.Module:
    return comfy.ldm.lumina.model.NextDiT(**ZIMAGE, **NETWORK)


def qwen_image() -> torch.nn.Module:
    return comfy.ldm.qwen_image.model.QwenImageTransformer2DModel(num_layers=2, **NETWORK)


def clip_l() -> Any:
    encoder: Any = comfy.sd1_clip.SD1ClipModel(**HALF)
    return encoder.clip_l.transformer


def t5_xxl() -> torch.nn.Module:
    return comfy.text_encoders.sd3_clip.T5XXLModel(**HALF, model_options=SHALLOW).transformer


def qwen3_4b() -> Any:
    encoder: Any = comfy.text_encoders.z_image.te()(**HALF, model_options=SHALLOW)
    return encoder.qwen3_4b.transformer


def qwen25_7b() -> Any:
    """Without its eye, which a workflow without reference pictures does not use."""
    encoder: Any = comfy.text_encoders.qwen_image.te()(**HALF, model_options=SHALLOW)
    encoder.qwen25_7b.transformer.visual = torch.nn.Module()
    return encoder.qwen25_7b.transformer


def flux_autoencoder() -> torch.nn.Module:
    kind = "comfy.ldm.modules.diffusionmodules.model"
    shape: dict[str, Any] = {**AUTOENCODER, "z_channels": 16}
    return comfy.ldm.models.autoencoder.AutoencodingEngine(
        regularizer_config={"target": "comfy.ldm.models.autoencoder.DiagonalGaussianRegularizer"},
        encoder_config={"target": f"{kind}.Encoder", "params": shape},
        decoder_config={"target": f"{kind}.Decoder", "params": shape},
    )


def wan_autoencoder() -> torch.nn.Module:
    return comfy.ldm.wan.vae.WanVAE(**WAN_AUTOENCODER)


BUILT: dict[str, Callable[[], torch.nn.Module]] = {
    "flux1-dev.safetensors": flux,
    "clip_l.safetensors": clip_l,
    "t5xxl_fp16.safetensors": t5_xxl,
    "ae.safetensors": flux_autoencoder,
    "z_image_turbo_bf16.safetensors": z_image,
    "qwen_3_4b.safetensors": qwen3_4b,
    "qwen_image_fp8_e4m3fn.safetensors": qwen_image,
    "qwen_2.5_vl_7b_fp8_scaled.safetensors": qwen25_7b,
    "qwen_image_vae.safetensors": wan_autoencoder,
}


def marks(name: str) -> dict[str, torch.Tensor]:
    """What a file has beside its module's weights."""
    return T5_MARK if BUILT[name] is t5_xxl else {}


def write_file(name: str, models: Path) -> None:
    """The model file of this name, in its folder below `models`."""
    module = BUILT[name]()
    randomize(module)
    write_weights({"": module}, models / FILES[name][0] / name, marks(name))
