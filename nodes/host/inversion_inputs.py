"""Which MODEL, CLIP and VAE a layer's look can be learned with, and what identifies them.

Host symbols: ModelPatcher.get_key_patches and .patches, .model with .latent_format,
.diffusion_model and .concat_keys; CLIP.tokenize, .cond_stage_model with clip_<encoder>; VAE
.latent_channels, .spacial_compression_encode and .encode.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ...collage_core.errors import CollageError
from ...collage_core.inversion.settings import NODE, Settings
from .demo_model import DemoConfig
from .unet import context_width

KINDS = {("l",): "SD1.x", ("h",): "SD2.x", ("g", "l"): "SDXL"}
SAMPLES = 1024  # numbers per weight matrix in a fingerprint
MATRICES = 64


@dataclass(frozen=True)
class Family:
    """kind: the base model's; encoders: of its text; cell: pixels of a latent cell's edge."""

    kind: str
    encoders: tuple[str, ...]
    cell: int
    largest: int  # pixels of the pictures it was made for

    def resolution(self, settings: Settings) -> int:
        return min(settings.resolution[self.kind == "SDXL"], self.largest)

    def vectors(self, settings: Settings) -> int:
        return settings.vectors[self.kind == "SDXL"]


def check_inputs(model, clip, vae) -> Family:
    """Raises CollageError unless the three go together and can be trained with."""
    for name, value in (("clip", clip), ("vae", vae)):
        if value is None:
            raise CollageError(
                f"{NODE}, input {name}: nothing arrived (None). The checkpoint holds none; "
                f"connect a {name.upper()} loader with the one made for this model."
            )
    width = context_width(model, NODE)
    encoders = tuple(sorted(clip.tokenize("")))
    if encoders not in KINDS:
        raise CollageError(
            f"{NODE}, input clip: a text encoder of {', '.join(encoders)} is not one of "
            "SD1.x, SD2.x or SDXL. Connect the CLIP of such a model."
        )
    found = sum(_table(clip, encoder).shape[1] for encoder in encoders)
    if found != width:
        raise CollageError(
            f"{NODE}, input clip: it gives {found} numbers per token, and the model takes "
            f"{width}. Connect the CLIP that was made for this model."
        )
    largest = 256 if isinstance(model.model.model_config, DemoConfig) else 8192
    return Family(KINDS[encoders], encoders, _cell(model, vae), largest)


def _table(clip, encoder: str) -> torch.Tensor:
    encoders = clip.cond_stage_model
    return getattr(encoders, f"clip_{encoder}").transformer.get_input_embeddings().weight


def _cell(model, vae) -> int:
    latent_format = model.model.latent_format
    channels, edge = latent_format.latent_channels, latent_format.spacial_downscale_ratio
    taken = model.model.model_config.unet_config.get("in_channels", channels)
    if taken != channels or model.model.concat_keys:
        raise CollageError(
            f"{NODE}, input model: it takes {taken} channels, as inpainting and editing models "
            "do, and cannot be asked for the object alone. Connect a model for text to image."
        )
    found = (vae.latent_channels, vae.spacial_compression_encode())
    if found != (channels, edge):
        raise CollageError(
            f"{NODE}, input vae: it makes latents of {found[0]} channels, one cell per {found[1]} "
            f"pixels; the model wants {channels} channels, one cell per {edge} pixels. "
            "Connect the VAE made for this model."
        )
    return edge


def encoded(model, vae, pictures: torch.Tensor) -> torch.Tensor:
    """[B, H, W, 3] -> the latents [B, C, h, w] that the diffusion model knows, in float32."""
    with torch.inference_mode():
        latents = torch.cat([vae.encode(picture) for picture in pictures.split(1)])
        latents = model.model.process_latent_in(latents.float())
    if not latents.isfinite().all():
        raise CollageError(
            f"{NODE}, input vae: the encoded layer holds NaN or infinite values, as the "
            "half-precision VAE of SDXL makes them. Use its fp16-fix version or start ComfyUI "
            "with --fp32-vae."
        )
    return latents


def fingerprint(patcher) -> dict:
    """What tells the weights of a ModelPatcher and its patches from others: samples of them."""
    weights = {key: found[0][0] for key, found in patcher.get_key_patches().items()}
    matrices = sorted(key for key, weight in weights.items() if weight.ndim > 1)
    chosen = matrices[:: -(-len(matrices) // MATRICES)]
    return {
        "shapes": {key: [*weight.shape, str(weight.dtype)] for key, weight in weights.items()},
        "samples": {key: _sample(weights[key]) for key in chosen},
        "patches": {key: _plain(patch) for key, patch in sorted(patcher.patches.items())},
        "objects": {key: _plain_object(o) for key, o in sorted(patcher.object_patches.items())},
    }


def _sample(weight: torch.Tensor) -> torch.Tensor:
    flat = weight.detach().flatten()
    return flat[:: max(1, len(flat) // SAMPLES)].float().cpu()


def _plain(patch):
    """A LoRA patch as nested lists of samples, numbers and strings."""
    if isinstance(patch, torch.Tensor):
        return [*patch.shape, _sample(patch)]
    if isinstance(patch, (list, tuple)):
        return [_plain(part) for part in patch]
    if isinstance(patch, (int, float, str, bool, type(None))):
        return patch
    return [type(patch).__name__, _plain(getattr(patch, "weights", None))]


def _plain_object(value):
    if isinstance(value, torch.nn.Module):
        state = value.state_dict().items()
        return [type(value).__name__, {key: _sample(tensor) for key, tensor in state}]
    plain = isinstance(value, (int, float, str, bool, torch.dtype, type(None)))
    return str(value) if plain else type(value).__name__
