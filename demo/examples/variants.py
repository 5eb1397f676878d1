"""The model of an example: the one that ships with the pack, or one that users have.

Files, loaders and settings of a family are those of ComfyUI's own templates, named beside it;
`tests/server/test_families.py` compares them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from collage_core.attention.bias import DEFAULT_SCHEDULE
from launcher.demo import CHECKPOINT_SAMPLING, DEMO_CFG, DEMO_SAMPLER

from ..world.scene import SIZE

Kind = tuple[str, dict[str, Any]]  # class_type and inputs of a node


@dataclass(frozen=True, kw_only=True)
class Variant:
    """Everything in which the variants of an example differ.

    model: gives MODEL, and CLIP and VAE too where `clip` and `vae` have no loaders of their own.
    size: of the canvas, in pixels; layers grow with it. noise: of every layer, where an example
    gives all the same. share: of the noises, where it gives each its own. sampling: stands above
    the example's own. feather: of an edit, in pixels. strength, schedule: of the words. shift: of
    the noise schedule; guidance: told to a distilled model.

        FLUX.model == ("UNETLoader", {"unet_name": "flux1-dev.safetensors", ...})
    """

    model: Kind
    clip: Kind | None = None
    vae: Kind | None = None
    network: Kind | None = None
    size: int
    noise: float = 0.8
    share: float = 1.0
    negative: str = ""
    sampling: dict[str, Any] = field(default_factory=dict)
    feather: float = 4.0
    strength: float = 1.0
    schedule: str = DEFAULT_SCHEDULE
    shift: float | None = None
    guidance: float | None = None


def _unet(name: str) -> Kind:
    return "UNETLoader", {"unet_name": name, "weight_dtype": "default"}


def _clip(name: str, kind: str) -> Kind:
    return "CLIPLoader", {"clip_name": name, "type": kind, "device": "default"}


# A small model errs a little at every step. This sampler throws all noise anew each time, so the
# errors do not add up: shapes come out whole and clean. What is rare goes with them (a pattern, a
# learned look), so the examples of these keep Euler ancestral.
CLEAN = {"sampler_name": DEMO_SAMPLER}

DEMO = Variant(
    model=("CollageDemoModel", {}),
    network=("CollageDemoControlNet", {}),
    size=SIZE,
    noise=0.5,
    share=2 / 3,  # its sampler changes more at the same noise
    sampling={"cfg": DEMO_CFG},  # more frays edges and bleaches floors where a collage is painted
)

# the transformer of the painted world, with a flow's sampler
TRANSFORMER = replace(
    DEMO,
    model=("CollageDemoModel", {"network": "transformer"}),
    network=None,
    sampling={**CLEAN, "scheduler": "simple", "cfg": 3.0},
)

# The settings of the paper (Sarukkai et al. 2024, section 5). Another checkpoint of SD1.5, or one
# of SD2.1 with a structure network that fits it, goes into the loaders.
CHECKPOINT = Variant(
    model=("CheckpointLoaderSimple", {"ckpt_name": "v1-5-pruned-emaonly.safetensors"}),
    network=("ControlNetLoader", {"control_net_name": "control_v11p_sd15_canny.safetensors"}),
    size=512,
    negative="collage",
    schedule="paper",
    sampling={
        **CHECKPOINT_SAMPLING,
        "base_noise": 0.8,
        "feather": 10.0,
    },
    feather=10.0,
)

# flux_dev_full_text_to_image; the guidance is the model's own, as in flux_redux_model_example
FLUX = Variant(
    model=_unet("flux1-dev.safetensors"),
    clip=(
        "DualCLIPLoader",
        {
            "clip_name1": "clip_l.safetensors",
            "clip_name2": "t5xxl_fp16.safetensors",
            "type": "flux",
            "device": "default",
        },
    ),
    vae=("VAELoader", {"vae_name": "ae.safetensors"}),
    size=1024,
    sampling={
        "steps": 20,
        "cfg": 1.0,
        "sampler_name": "euler",
        "scheduler": "simple",
        "feather": 16.0,
    },
    feather=16.0,
    strength=2.0,  # at cfg 1 nothing amplifies what the words change
    guidance=3.5,
)

# image_z_image_turbo
ZIMAGE = Variant(
    model=_unet("z_image_turbo_bf16.safetensors"),
    clip=_clip("qwen_3_4b.safetensors", "lumina2"),
    vae=("VAELoader", {"vae_name": "ae.safetensors"}),
    size=1024,
    sampling={
        "steps": 8,
        "cfg": 1.0,
        "sampler_name": "res_multistep",
        "scheduler": "simple",
        "feather": 16.0,
    },
    feather=16.0,
    strength=2.0,
    shift=3.0,
)

# image_qwen_image, without its LoRA
QWEN = Variant(
    model=_unet("qwen_image_fp8_e4m3fn.safetensors"),
    clip=_clip("qwen_2.5_vl_7b_fp8_scaled.safetensors", "qwen_image"),
    vae=("VAELoader", {"vae_name": "qwen_image_vae.safetensors"}),
    size=1328,
    sampling={
        "steps": 20,
        "cfg": 4.0,
        "sampler_name": "euler",
        "scheduler": "simple",
        "feather": 20.0,
    },
    feather=20.0,
    shift=3.1,
)

_FIGURES = ("bento_box_steps", "toy_box", "cake_table", "trade_off", "iterative_edit")
_PLACES = ("bento_box", "toy_box", "iterative_edit")
# end of a workflow's name -> the variant, and the examples that come in it
VARIANTS: dict[str, tuple[Variant, tuple[str, ...]]] = {
    "checkpoint": (CHECKPOINT, _FIGURES),
    "flux": (FLUX, _PLACES),
    "zimage": (ZIMAGE, _PLACES),
    "qwen": (QWEN, _PLACES),
}

_HUB = "https://huggingface.co/Comfy-Org"
_FLUX_TEXT = "https://huggingface.co/comfyanonymous/flux_text_encoders/resolve/main"
_ZIMAGE_FILES = f"{_HUB}/z_image_turbo/resolve/main/split_files"
_QWEN_FILES = f"{_HUB}/Qwen-Image_ComfyUI/resolve/main/split_files"
# file -> folder of models/, and the address at which ComfyUI's page offers it when it is missing
FILES = {
    name: (folder, f"{address}/{name}")
    for name, folder, address in (
        ("flux1-dev.safetensors", "diffusion_models", f"{_HUB}/flux1-dev/resolve/main"),
        ("clip_l.safetensors", "text_encoders", _FLUX_TEXT),
        ("t5xxl_fp16.safetensors", "text_encoders", _FLUX_TEXT),
        ("ae.safetensors", "vae", f"{_ZIMAGE_FILES}/vae"),
        ("z_image_turbo_bf16.safetensors", "diffusion_models", f"{_ZIMAGE_FILES}/diffusion_models"),
        ("qwen_3_4b.safetensors", "text_encoders", f"{_ZIMAGE_FILES}/text_encoders"),
        (
            "qwen_image_fp8_e4m3fn.safetensors",
            "diffusion_models",
            f"{_QWEN_FILES}/diffusion_models",
        ),
        ("qwen_2.5_vl_7b_fp8_scaled.safetensors", "text_encoders", f"{_QWEN_FILES}/text_encoders"),
        ("qwen_image_vae.safetensors", "vae", f"{_QWEN_FILES}/vae"),
    )
}
