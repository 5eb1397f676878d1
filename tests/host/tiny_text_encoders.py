"""CLIPs of the transformer families: real tokenizers before tiny random text encoders.

Import only where ComfyUI is at hand. Everything is on the CPU, in float32, and the same for the
same seed. Llama, Gemma, Mistral and gpt-oss come with checkpoints, so they are not here.
"""

from dataclasses import dataclass, field
from typing import Any

import comfy.sd
import comfy.supported_models_base
import comfy.text_encoders.anima as anima
import comfy.text_encoders.aura_t5 as aura_t5
import comfy.text_encoders.cosmos as cosmos
import comfy.text_encoders.flux as flux
import comfy.text_encoders.genmo as genmo
import comfy.text_encoders.hunyuan_image as hunyuan_image
import comfy.text_encoders.joyimage as joyimage
import comfy.text_encoders.kandinsky5 as kandinsky5
import comfy.text_encoders.krea2 as krea2
import comfy.text_encoders.longcat_image as longcat_image
import comfy.text_encoders.lt as lt
import comfy.text_encoders.omnigen2 as omnigen2
import comfy.text_encoders.ovis as ovis
import comfy.text_encoders.pixart_t5 as pixart_t5
import comfy.text_encoders.qwen_image as qwen_image
import comfy.text_encoders.sd3_clip as sd3_clip
import comfy.text_encoders.z_image as z_image
import torch

WIDTH = 64
CLIP = {"hidden_size": 32, "intermediate_size": 32, "num_attention_heads": 4,
        "num_hidden_layers": 3, "projection_dim": 32}  # fmt: skip
T5 = {"d_model": WIDTH, "d_ff": 64, "d_kv": 16, "num_heads": 4, "num_layers": 0}
LANGUAGE_MODEL = {"hidden_size": WIDTH, "intermediate_size": 64, "num_hidden_layers": 3,
                  "num_attention_heads": 4, "num_key_value_heads": 2}  # fmt: skip


@dataclass(frozen=True)
class Tiny:
    """A family's tokenizer and text encoder, and what makes the encoder tiny.

    causal: whether a token's features depend on those before it; else on the token alone.
    """

    tokenizer: Any
    encoder: Any
    configs: dict[str, Any] = field(default_factory=dict)
    causal: bool = False

    @classmethod
    def qwen(cls, tokenizer: Any, encoder: Any, key: str, **more: int) -> "Tiny":
        return cls(tokenizer, encoder, {key: {**LANGUAGE_MODEL, **more}}, causal=True)


FAMILIES: dict[str, Tiny] = {
    "flux": Tiny(flux.FluxTokenizer, flux.flux_clip(), {"clip_l": CLIP, "t5xxl": T5}),
    "klein": Tiny.qwen(flux.KleinTokenizer, flux.klein_te(), "qwen3_4b", num_hidden_layers=28),
    "longcat": Tiny.qwen(longcat_image.LongCatImageTokenizer, longcat_image.te(), "qwen25_7b"),
    "ovis": Tiny.qwen(ovis.OvisTokenizer, ovis.te(), "qwen3_2b"),
    "chroma": Tiny(pixart_t5.PixArtTokenizer, pixart_t5.pixart_te(), {"t5xxl": T5}),
    "sd3": Tiny(sd3_clip.SD3Tokenizer, sd3_clip.sd3_clip(), {
        "clip_l": CLIP, "clip_g": CLIP, "t5xxl": {**T5, "d_model": 4096},
    }),
    "sd3 without T5": Tiny(
        sd3_clip.SD3Tokenizer, sd3_clip.sd3_clip(t5=False), {"clip_l": CLIP, "clip_g": CLIP}
    ),
    "qwen_image": Tiny.qwen(qwen_image.QwenImageTokenizer, qwen_image.te(), "qwen25_7b"),
    "zimage": Tiny.qwen(z_image.ZImageTokenizer, z_image.te(), "qwen3_4b"),
    "anima": Tiny.qwen(anima.AnimaTokenizer, anima.te(), "qwen3_06b"),
    "cosmos_predict2": Tiny(cosmos.CosmosT5Tokenizer, cosmos.te(), {"t5xxl": T5}),
    "aura_flow": Tiny(aura_t5.AuraT5Tokenizer, aura_t5.AuraT5Model, {"pile_t5xl": T5}),
    "ltxv": Tiny(lt.LTXVT5Tokenizer, genmo.mochi_te(), {"t5xxl": T5}),
    "hunyuan_image": Tiny.qwen(
        hunyuan_image.HunyuanImageTokenizer, hunyuan_image.te(byt5=False), "qwen25_7b",
        num_hidden_layers=4,
    ),
    "kandinsky5": Tiny(kandinsky5.Kandinsky5TokenizerImage, kandinsky5.te(), {
        "qwen25_7b": LANGUAGE_MODEL, "clip_l": CLIP,
    }, causal=True),
    "omnigen2": Tiny.qwen(omnigen2.Omnigen2Tokenizer, omnigen2.te(), "qwen25_3b"),
    "joyimage": Tiny.qwen(joyimage.JoyImageTokenizer, joyimage.te(), "qwen3vl_8b"),
    "krea2": Tiny.qwen(krea2.Krea2Tokenizer, krea2.te(), "qwen3vl_4b", num_hidden_layers=36),
}  # fmt: skip


def tiny_text_encoder(
    family: str, *, seed: int = 1, folder: Any = None, **configs: Any
) -> comfy.sd.CLIP:
    """A CLIP of this family; folder: where it looks for embeddings; configs: of its encoders."""
    tiny = FAMILIES[family]
    own = {**tiny.configs, **configs}
    configs = {f"{key}_model_config": config for key, config in own.items()}
    clip = comfy.sd.CLIP(
        comfy.supported_models_base.ClipTarget(tiny.tokenizer, tiny.encoder),
        embedding_directory=folder,
        model_options={"dtype": torch.float32, **configs},
    )
    for module in [*clip.cond_stage_model.modules()]:  # text alone: eyes have a billion weights
        if hasattr(module, "visual"):
            module.visual = None
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in clip.cond_stage_model.parameters():
            flat = weight.ndim < 2  # a bias or the gain of a norm
            torch.nn.init.normal_(
                weight, 0.5 if flat else 0.0, 0.1 if flat else weight[0].numel() ** -0.5, generator
            )
    return clip
