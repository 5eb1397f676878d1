"""What is learned with which MODEL, CLIP and VAE, and what identifies these.

Host symbols:
    comfy.model_patcher.ModelPatcher: model, get_key_patches(), patches, object_patches
    comfy.ldm.modules.diffusionmodules.openaimodel.UNetModel: __class__
    comfy.model_base.BaseModel: diffusion_model
    comfy.model_base.BaseModel: latent_format, model_config, concat_keys, process_latent_in(latent)
    comfy.latent_formats.LatentFormat: latent_channels
    comfy.supported_models.SD15: unet_config
    comfy.model_detection.detect_unet_config: "in_channels"
    comfy.sd.CLIP: cond_stage_model
    comfy.sd1_clip.SD1ClipModel: "clip_{}"
    comfy.sd1_clip.SDClipModel: transformer
    comfy.clip_model.CLIPTextModel: get_input_embeddings()
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

from ....collage_core.collage.collage import Collage
from ....collage_core.collage.layer import Layer
from ....collage_core.errors import CollageError
from ....collage_core.inversion.settings import NODE, Settings
from ....collage_core.inversion.views import Views, layer_views
from ..demo_model.diffusion import UNetConfig
from ..models.families import check_width, context_width, encoders_of, other_family
from ..models.latents import cell_size, encode

KINDS = {("l",): "SD1.x", ("h",): "SD2.x", ("g", "l"): "SDXL"}
SAMPLES = 1024  # numbers per weight matrix in a fingerprint
MATRICES = 64  # in a fingerprint, at most
# The demo model has seen most pictures at this size. Learning from it takes half the time of its
# full 256 pixels, and the result is as good.
DEMO_SIZE = 128  # pixels


@dataclass(frozen=True)
class Family:
    """The base model: Family(kind="SD1.x", cell=8, largest=8192).

    cell: pixels of a latent cell's side; largest: pixels of a training picture's side.
    """

    kind: str
    cell: int
    largest: int

    def resolution(self, settings: Settings) -> int:
        return min(settings.resolution[self.kind == "SDXL"], self.largest)

    def vectors(self, settings: Settings) -> int:
        return settings.vectors[self.kind == "SDXL"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """The inputs of a training: what is learned, from what, and how.

        task = Task(model=model, clip=clip, vae=vae, layer=layer, collage=None,
                    settings=preset_settings("default"), seed=0)
        Trainer(task)

    `family` and `views` raise CollageError for inputs that nothing can be learned with.
    """

    model: Any
    clip: Any
    vae: Any
    layer: Layer
    collage: Collage | None
    settings: Settings
    seed: int

    @cached_property
    def family(self) -> Family:
        return check_inputs(self.model, self.clip, self.vae)

    @cached_property
    def views(self) -> Views:
        size = self.family.resolution(self.settings)
        return layer_views(self.layer, self.collage, size, self.family.cell)


def check_inputs(model, clip, vae) -> Family:
    """Raise CollageError unless the three belong together and gradients can pass through them."""
    _check_network(model)
    width = context_width(model, NODE)
    encoders = encoders_of(clip, NODE)
    if encoders not in KINDS:
        raise other_family(encoders, NODE)
    check_width(sum(_table(clip, encoder).shape[1] for encoder in encoders), width, NODE)
    largest = DEMO_SIZE if isinstance(model.model.model_config, UNetConfig) else 8192
    _check_channels(model)
    return Family(KINDS[encoders], cell_size(model, vae, NODE), largest)


def _check_network(model) -> None:
    network = getattr(getattr(model, "model", None), "diffusion_model", None)
    if network is not None and not isinstance(network, UNetModel):
        raise CollageError(
            f"{NODE}, input model: {type(model.model).__name__} is not supported; SD1.x, SD2.x and "
            "SDXL models learn a look. Keep the look of this layer with a low noise, or, where the "
            "text encoder of the model reads embeddings, give it one with CollageEmbeddingLoad."
        )


def _table(clip, encoder: str) -> torch.Tensor:
    encoders = clip.cond_stage_model
    return getattr(encoders, f"clip_{encoder}").transformer.get_input_embeddings().weight


def _check_channels(model) -> None:
    channels = model.model.latent_format.latent_channels
    taken = model.model.model_config.unet_config.get("in_channels", channels)
    if taken != channels or model.model.concat_keys:
        raise CollageError(
            f"{NODE}, input model: it takes {taken} channels, as inpainting and editing models "
            "do, and cannot be asked for the object alone. Connect a model for text to image."
        )


def encoded(model, vae, pictures: torch.Tensor) -> torch.Tensor:
    """Pictures [B, H, W, 3] -> scaled latents [B, C, h, w] in float32, as the UNet takes them."""
    with torch.inference_mode():
        latents = torch.cat([encode(vae, one, NODE, "layer") for one in pictures.split(1)])
        return model.model.process_latent_in(latents.float())


def fingerprint(patcher) -> dict:
    """Samples of a ModelPatcher's weights and patches, which differ where these differ."""
    weights = {key: found[0][0] for key, found in patcher.get_key_patches().items()}
    matrices = sorted(key for key, weight in weights.items() if weight.ndim > 1)
    chosen = matrices[:: -(-len(matrices) // MATRICES)]
    return {
        "shapes": {key: [*weight.shape, str(weight.dtype)] for key, weight in weights.items()},
        "samples": {key: _sample(weights[key]) for key in chosen},
        "patches": {key: _plain_patch(patch) for key, patch in sorted(patcher.patches.items())},
        "objects": {key: _plain_object(o) for key, o in sorted(patcher.object_patches.items())},
    }


def _sample(weight: torch.Tensor) -> torch.Tensor:
    flat = weight.detach().flatten()
    return flat[:: max(1, len(flat) // SAMPLES)].float().cpu()


def _plain_patch(patch):
    """A LoRA patch as nested lists of samples, numbers and strings."""
    if isinstance(patch, torch.Tensor):
        return [*patch.shape, _sample(patch)]
    if isinstance(patch, (list, tuple)):
        return [_plain_patch(part) for part in patch]
    if isinstance(patch, (int, float, str, bool, type(None))):
        return patch
    return [type(patch).__name__, _plain_patch(getattr(patch, "weights", None))]


def _plain_object(value):
    if isinstance(value, torch.nn.Module):
        state = value.state_dict().items()
        return [type(value).__name__, {key: _sample(tensor) for key, tensor in state}]
    plain = isinstance(value, (int, float, str, bool, torch.dtype, type(None)))
    return str(value) if plain else type(value).__name__
