"""Tiny random models of the host's transformer classes, with conditioning and latents.

Import only where ComfyUI is at hand. Everything is on the CPU, in float32, and the same for the
same seed. Widths are as small as each class allows.
"""

from dataclasses import dataclass
from typing import Any

import comfy.model_base as base
import comfy.model_patcher
import comfy.supported_models as supported
import torch
from comfy.ldm.anima.model import LLMAdapter
from comfy.ops import disable_weight_init

CPU = torch.device("cpu")
WIDTH = 64  # of a text feature, where the class lets one choose
FLOAT = {"dtype": torch.float32}
AXES = (8, 12, 12)  # of the rotary embedding, 32 numbers a head

FLUX_BLOCKS = {"context_in_dim": WIDTH, "hidden_size": 128, "num_heads": 4, "depth": 2,
               "depth_single_blocks": 2}  # fmt: skip
COSMOS = {
    "max_img_h": 240, "max_img_w": 240, "max_frames": 128, "in_channels": 16, "out_channels": 16,
    "patch_spatial": 2, "patch_temporal": 1, "model_channels": 128, "concat_padding_mask": True,
    "crossattn_emb_channels": WIDTH, "pos_emb_cls": "rope3d", "pos_emb_learnable": True,
    "pos_emb_interpolation": "crop", "min_fps": 1, "max_fps": 30, "use_adaln_lora": True,
    "adaln_lora_dim": 32, "num_blocks": 2, "num_heads": 4, "extra_per_block_abs_pos_emb": False,
    "rope_h_extrapolation_ratio": 4.0, "rope_w_extrapolation_ratio": 4.0,
    "rope_t_extrapolation_ratio": 1.0, "extra_h_extrapolation_ratio": 1.0,
    "extra_w_extrapolation_ratio": 1.0, "extra_t_extrapolation_ratio": 1.0,
    "rope_enable_fps_modulation": False,
}  # fmt: skip
HUNYUAN = {**FLUX_BLOCKS, "mlp_ratio": 2.0, "theta": 256, "qkv_bias": True, "byt5": False,
           "meanflow": False, "use_cond_type_embedding": False, "vision_in_dim": None,
           "meanflow_sum": False}  # fmt: skip


@dataclass(frozen=True)
class Tiny:
    """A family: the host's model and description of it, the network's shapes, and its inputs.

    image_model: the host's name of the architecture, where the shapes name one; channels and
    frames: of its latents, frames where they have that axis; width: of a text feature.
    """

    model: type
    description: type
    image_model: str | None
    shapes: dict[str, Any]
    channels: int = 16
    frames: bool = False
    width: int = WIDTH

    def options(self) -> dict[str, Any]:
        named = {"image_model": self.image_model} if self.image_model else {}
        return {**named, **self.shapes, **FLOAT}


FAMILIES: dict[str, Tiny] = {
    "flux": Tiny(base.Flux, supported.Flux, "flux", {
        **FLUX_BLOCKS, "in_channels": 16, "out_channels": 16, "vec_in_dim": 32, "mlp_ratio": 2.0,
        "axes_dim": [*AXES], "theta": 10000, "patch_size": 2, "qkv_bias": True,
        "guidance_embed": True, "txt_ids_dims": [],
    }),
    "flux2": Tiny(base.Flux2, supported.Flux2, "flux2", {
        **FLUX_BLOCKS, "in_channels": 128, "out_channels": 128, "vec_in_dim": None,
        "mlp_ratio": 3.0, "axes_dim": [8, 8, 8, 8], "theta": 2000, "patch_size": 1,
        "qkv_bias": False, "guidance_embed": False, "txt_ids_dims": [3],
        "global_modulation": True, "mlp_silu_act": True, "ops_bias": False,
        "default_ref_method": "index", "ref_index_scale": 10.0,
    }, channels=128),
    "chroma": Tiny(base.Chroma, supported.Chroma, "chroma", {
        **FLUX_BLOCKS, "in_channels": 64, "out_channels": 64, "mlp_ratio": 2.0,
        "axes_dim": [*AXES], "theta": 10000, "patch_size": 2, "qkv_bias": True, "in_dim": 64,
        "out_dim": 128, "hidden_dim": 128, "n_layers": 1, "vec_in_dim": None, "txt_ids_dims": [],
    }),
    "sd3": Tiny(base.SD3, supported.SD3, None, {
        "in_channels": 16, "depth": 2, "patch_size": 2, "pos_embed_scaling_factor": None,
        "pos_embed_max_size": 64, "num_patches": 4096, "adm_in_channels": 2048, "qk_norm": "rms",
        "x_block_self_attn_layers": [0], "context_size": 4096,
        "context_embedder_config": {
            "target": "torch.nn.Linear", "params": {"in_features": 4096, "out_features": 128},
        },
    }, width=4096),
    "qwen_image": Tiny(base.QwenImage, supported.QwenImage, "qwen_image", {
        "num_layers": 2, "attention_head_dim": 32, "num_attention_heads": 4,
        "joint_attention_dim": WIDTH, "axes_dims_rope": AXES,
    }, frames=True),
    "zimage": Tiny(base.Lumina2, supported.ZImage, "lumina2", {
        "patch_size": 2, "in_channels": 16, "dim": 256, "cap_feat_dim": WIDTH, "n_layers": 2,
        "n_heads": 4, "n_kv_heads": 4, "axes_dims": [16, 24, 24], "axes_lens": [1536, 512, 512],
        "rope_theta": 256.0, "ffn_dim_multiplier": 2.0, "qk_norm": True,
        "z_image_modulation": True, "time_scale": 1000.0, "pad_tokens_multiple": 32,
    }),
    "lumina2": Tiny(base.Lumina2, supported.Lumina2, "lumina2", {
        "patch_size": 2, "in_channels": 16, "dim": 96, "cap_feat_dim": WIDTH, "n_layers": 2,
        "n_heads": 4, "n_kv_heads": 2, "axes_dims": [8, 8, 8], "axes_lens": [300, 512, 512],
        "rope_theta": 10000.0, "ffn_dim_multiplier": 2.0, "qk_norm": True,
    }),
    "wan": Tiny(base.WAN21, supported.WAN21_T2V, "wan2.1", {
        "model_type": "t2v", "dim": 128, "ffn_dim": 256, "num_heads": 4, "num_layers": 2,
        "in_dim": 16, "out_dim": 16, "text_dim": WIDTH,
    }, frames=True),
    "wan22": Tiny(base.WAN22, supported.WAN22_T2V, "wan2.1", {
        "model_type": "t2v", "dim": 128, "ffn_dim": 256, "num_heads": 4, "num_layers": 2,
        "in_dim": 48, "out_dim": 48, "text_dim": WIDTH,
    }, channels=48, frames=True),
    "cosmos_predict2": Tiny(
        base.CosmosPredict2, supported.CosmosT2IPredict2, "cosmos_predict2", COSMOS, frames=True
    ),
    "anima": Tiny(base.Anima, supported.Anima, "anima", COSMOS, frames=True),
    "aura_flow": Tiny(base.AuraFlow, supported.AuraFlow, None, {
        "cond_seq_dim": WIDTH, "dim": 128, "n_layers": 4, "n_double_layers": 2, "n_heads": 4,
        "global_conddim": 128, "max_seq": 32 * 32,
    }, channels=4),
    "ltxv": Tiny(base.LTXV, supported.LTXV, "ltxv", {
        "in_channels": 128, "cross_attention_dim": 128, "attention_head_dim": 32,
        "num_attention_heads": 4, "caption_channels": WIDTH, "num_layers": 2,
    }, channels=128, frames=True),
    "hunyuan_image": Tiny(base.HunyuanImage21, supported.HunyuanImage21, "hunyuan_video", {
        **HUNYUAN, "in_channels": 64, "out_channels": 64, "patch_size": [1, 1],
        "vec_in_dim": None, "axes_dim": [16, 16], "guidance_embed": False,
    }, channels=64),
    "hunyuan_video": Tiny(base.HunyuanVideo, supported.HunyuanVideo, "hunyuan_video", {
        **HUNYUAN, "in_channels": 16, "out_channels": 16, "patch_size": [1, 2, 2],
        "vec_in_dim": 768, "axes_dim": [*AXES], "guidance_embed": True,
    }, frames=True),
    "hunyuan_video15": Tiny(base.HunyuanVideo15, supported.HunyuanVideo15, "hunyuan_video", {
        **HUNYUAN, "in_channels": 65, "out_channels": 32, "patch_size": [1, 1, 1],
        "vec_in_dim": None, "axes_dim": [*AXES], "guidance_embed": False, "byt5": True,
        "use_cond_type_embedding": True, "vision_in_dim": 16,
    }, channels=32, frames=True),
    "kandinsky5": Tiny(base.Kandinsky5Image, supported.Kandinsky5Image, "kandinsky5", {
        "in_text_dim": WIDTH, "in_text_dim2": 768, "time_dim": 64, "model_dim": 96, "ff_dim": 128,
        "visual_embed_dim": 64, "out_visual_dim": 16, "in_visual_dim": 16, "num_text_blocks": 1,
        "num_visual_blocks": 2, "axes_dims": (8, 8, 8),
    }),
    "omnigen2": Tiny(base.Omnigen2, supported.Omnigen2, "omnigen2", {
        "in_channels": 16, "hidden_size": 96, "num_layers": 2, "num_refiner_layers": 1,
        "num_attention_heads": 4, "num_kv_heads": 2, "multiple_of": 32,
        "axes_dim_rope": (8, 8, 8), "axes_lens": (300, 512, 512), "text_feat_dim": WIDTH,
    }),
    "lens": Tiny(base.Lens, supported.Lens, "lens", {
        "num_layers": 2, "attention_head_dim": 32, "num_attention_heads": 4,
        "enc_hidden_dim": 16, "axes_dims_rope": AXES,
    }, channels=128),
    "joyimage": Tiny(base.JoyImage, supported.JoyImage, "joyimage", {
        "hidden_size": 256, "num_attention_heads": 2, "num_layers": 2, "text_dim": WIDTH,
    }, frames=True),
    "krea2": Tiny(base.Krea2, supported.Krea2, "krea2", {
        "features": 128, "tdim": 32, "txtdim": 64, "heads": 4, "kvheads": 2, "layers": 2,
        "txtlayers": 2, "txtheads": 4, "txtkvheads": 4,
    }, frames=True, width=128),
    "hidream": Tiny(base.HiDream, supported.HiDream, "hidream", {
        "attention_head_dim": 32, "num_attention_heads": 4, "num_layers": 2,
        "num_single_layers": 2, "caption_channels": [WIDTH, WIDTH], "text_emb_dim": 2048,
        "axes_dims_rope": [*AXES], "llama_layers": [0, 1, 0, 1], "in_channels": 16,
        "out_channels": 16, "patch_size": 2, "num_routed_experts": 4,
        "num_activated_experts": 2,
    }),
    "pixart": Tiny(base.PixArt, supported.PixArtSigma, "pixart_sigma", {
        "hidden_size": 96, "depth": 2, "num_heads": 4, "caption_channels": WIDTH,
        "model_max_length": 300, "micro_condition": False, "pe_interpolation": 2,
        "qk_norm": False,
    }, channels=4),
    "ernie": Tiny(base.ErnieImage, supported.ErnieImage, "ernie", {
        "hidden_size": 128, "num_attention_heads": 4, "num_layers": 2, "ffn_hidden_size": 128,
        "text_in_dim": WIDTH, "rope_axes_dim": AXES,
    }, channels=128),
}  # fmt: skip


def tiny_transformer(family: str, *, seed: int = 0, **shapes: Any):
    """A MODEL of this family, or one whose shapes are changed by `shapes`."""
    tiny = FAMILIES[family]
    model = tiny.model(tiny.description({**tiny.options(), **shapes}), device=CPU)
    network = model.diffusion_model
    if family == "anima":  # no shape reaches its adapter, of 135 M weights
        network.llm_adapter = LLMAdapter(
            WIDTH, WIDTH, WIDTH, num_layers=1, dtype=torch.float32, operations=disable_weight_init
        )
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():  # what the host allocates and a checkpoint would fill
        for weight in network.parameters():
            noise = torch.randn(weight.shape, generator=generator)
            flat = weight.ndim < 2  # a bias or the gain of a norm
            weight.copy_(0.5 + noise / 10 if flat else noise * weight[0].numel() ** -0.5)
        table = getattr(network, "pos_embed", None)
        if torch.is_tensor(table) and not isinstance(table, torch.nn.Parameter):
            table.copy_(torch.randn(table.shape, generator=generator) / 10)
        for buffer in network.buffers():
            if buffer.is_floating_point() and not buffer.isfinite().all():
                buffer.copy_(torch.randn(buffer.shape, generator=generator))
    return comfy.model_patcher.ModelPatcher(model, load_device=CPU, offload_device=CPU)


def latents(family: str, height: int, width: int, *, batch: int = 1, seed: int = 4) -> torch.Tensor:
    """[batch, C, height, width], with one frame where the family's latents have that axis."""
    tiny = FAMILIES[family]
    frame = (1,) if tiny.frames else ()
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, tiny.channels, *frame, height, width, generator=generator)


def text(family: str, tokens: int = 20, *, seed: int = 3) -> list:
    """A CONDITIONING as the family's text encoder would give it, of random features."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    width = FAMILIES[family].width
    features = random(1, tokens, width)
    pooled = {"sd3": 2048, "flux": 32, "hidream": 2048, "kandinsky5": 768, "hunyuan_video": 768}
    pooled["hunyuan_video15"] = 768
    options: dict[str, Any] = {}
    if family in pooled:
        options["pooled_output"] = random(1, pooled[family])
    if family == "hidream":
        options["conditioning_llama3"] = random(1, 2, tokens, width)
    if family == "anima":
        ids = torch.randint(0, 32000, (tokens + 5,), generator=generator)
        options |= {"t5xxl_ids": ids.int(), "t5xxl_weights": torch.ones(tokens + 5)}
    if family in ("omnigen2", "ltxv"):
        options["attention_mask"] = torch.ones(1, tokens).int()
    return [[features, options]]
