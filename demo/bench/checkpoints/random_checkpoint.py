"""SD1.5 as files, every weight random: a checkpoint and a ControlNet of full architecture.

Host symbols: comfy.supported_models.SD15, comfy.sd1_clip.SD1ClipModel, the host's AutoencoderKL
and ControlNet classes, and the names that a checkpoint of Stability's has for their weights.
"""

from __future__ import annotations

from pathlib import Path

import comfy.cldm.cldm
import comfy.ldm.models.autoencoder
import comfy.sd1_clip
import torch
from safetensors.torch import save_file

from ..attention.full_size import KINDS, build, randomize

AUTOENCODER = {
    "double_z": True,
    "z_channels": 4,
    "resolution": 256,
    "in_channels": 3,
    "out_ch": 3,
    "ch": 128,
    "ch_mult": [1, 2, 4, 4],
    "num_res_blocks": 2,
    "attn_resolutions": [],
    "dropout": 0.0,
}


def write_checkpoint(path: Path) -> None:
    """UNet, text encoder and autoencoder in half precision: 2 GB."""
    coder = comfy.ldm.models.autoencoder.AutoencoderKL(embed_dim=4, ddconfig=AUTOENCODER)
    text = comfy.sd1_clip.SD1ClipModel()
    for part in (coder, text):
        randomize(part)
    parts = {
        "model.diffusion_model.": build(KINDS["sd15"], tiny=False).model.diffusion_model,
        "cond_stage_model.": text.clip_l,
        "first_stage_model.": coder,
    }
    write_weights(parts, path)


def write_control_net(path: Path) -> None:
    """The UNet's encoder once more, in half precision: 0.7 GB."""
    kind = KINDS["sd15"]
    shape = {**kind.unet, **kind.description.unet_extra_config}
    network = comfy.cldm.cldm.ControlNet(hint_channels=3, **shape)
    randomize(network)
    write_weights({"control_model.": network}, path)


def write_weights(
    parts: dict[str, torch.nn.Module], path: Path, more: dict[str, torch.Tensor] | None = None
) -> None:
    """A file in half precision; names begin with the key of their part. `more`: other tensors."""
    weights = {
        f"{prefix}{name}": value.half().contiguous()
        for prefix, part in parts.items()
        for name, value in part.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights | (more or {}), path)
