"""The demo model's MODEL: a UNet that predicts velocity, or a transformer that is a flow.

Host symbols:
    comfy.supported_models.SD15(unet_config): unet_extra_config, latent_format
    comfy.supported_models.SD15: model_type(state_dict, prefix), supported_inference_dtypes
    comfy.supported_models.SD15: set_inference_dtype(dtype, manual_cast_dtype)
    comfy.supported_models.SD15: get_model(state_dict, *, device), inpaint_model()
    comfy.supported_models.Lumina2(unet_config): unet_extra_config, latent_format
    comfy.supported_models.Lumina2: sampling_settings, supported_inference_dtypes
    comfy.supported_models.Lumina2: set_inference_dtype(dtype, manual_cast_dtype)
    comfy.supported_models.Lumina2: get_model(state_dict, *, device)
    comfy.latent_formats.LatentFormat: latent_rgb_factors, latent_rgb_factors_bias
    comfy.latent_formats.LatentFormat: latent_channels
    comfy.model_base.ModelType: V_PREDICTION
    comfy.model_base.BaseModel: load_model_weights(sd, unet_prefix, *, assign), diffusion_model
    comfy.model_patcher.ModelPatcher(model, load_device, offload_device): is_dynamic()
    comfy.model_patcher.ModelPatcher: cached_patcher_init
    comfy.model_patcher.CoreModelPatcher(model, load_device, offload_device)
    comfy.model_management: get_torch_device(), unet_dtype(*, model_params, supported_dtypes)
    comfy.model_management: unet_manual_cast(weight_dtype, inference_device, supported_dtypes)
    comfy.model_management: unet_inital_load_device(parameters, dtype), unet_offload_device()
"""

from __future__ import annotations

from typing import ClassVar

import comfy.latent_formats
import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.supported_models

from ....demo.architecture import LATENT_CHANNELS, TRANSFORMER, UNET
from .weights import FILE, NODE, TRANSFORMER_FILE, WeightFile


class DemoLatent(comfy.latent_formats.LatentFormat):
    """Latents as the autoencoder makes them, with the colours of their preview."""

    latent_channels = LATENT_CHANNELS

    def __init__(self, preview: list[list[float]]):
        self.latent_rgb_factors = preview[:LATENT_CHANNELS]
        self.latent_rgb_factors_bias = preview[LATENT_CHANNELS]


class UNetConfig(comfy.supported_models.SD15):
    """SD1.5's configuration with the demo model's shapes; it predicts velocity."""

    unet_extra_config: ClassVar[dict] = {}

    def __init__(self, preview: list[list[float]]):
        super().__init__({**UNET, **{k: list(v) for k, v in UNET.items() if isinstance(v, list)}})
        self.latent_format = DemoLatent(preview)

    def model_type(self, state_dict, prefix=""):  # noqa: ARG002
        return comfy.model_base.ModelType.V_PREDICTION

    def inpaint_model(self) -> bool:
        return False  # more than four channels would tell the host so


class TransformerConfig(comfy.supported_models.Lumina2):
    """Lumina 2's configuration with the demo transformer's shapes."""

    unet_extra_config: ClassVar[dict] = {}
    sampling_settings: ClassVar[dict] = {"multiplier": 1.0, "shift": 1.0}

    def __init__(self, preview: list[list[float]]):
        super().__init__(dict(TRANSFORMER))
        self.latent_format = DemoLatent(preview)


# network -> its file, the prefix of its weights, and its configuration
NETWORKS = {
    "unet": (FILE, "unet.", UNetConfig),
    "transformer": (TRANSFORMER_FILE, "flow.", TransformerConfig),
}


def load_model(
    file: WeightFile, network: str = "unet", *, disable_dynamic: bool = False
) -> comfy.model_patcher.ModelPatcher:
    """Raises CollageError for a file that does not fit."""
    management = comfy.model_management
    _, prefix, configuration = NETWORKS[network]
    state, config = file.part(prefix), configuration(file.preview())
    device = management.get_torch_device()
    size = sum(value.numel() for value in state.values())
    supported = config.supported_inference_dtypes
    dtype = management.unet_dtype(model_params=size, supported_dtypes=supported)
    config.set_inference_dtype(dtype, management.unet_manual_cast(dtype, device, supported))
    model = config.get_model(state, device=management.unet_inital_load_device(size, dtype))
    file.check_all_in(model.diffusion_model, state)
    patchers = comfy.model_patcher
    patcher_class = patchers.ModelPatcher if disable_dynamic else patchers.CoreModelPatcher
    patcher = patcher_class(
        model, load_device=device, offload_device=management.unet_offload_device()
    )
    model.load_model_weights(state, "", assign=patcher.is_dynamic())
    patcher.cached_patcher_init = (reload_model, (network,))
    return patcher


def reload_model(
    network: str = "unet", disable_dynamic: bool = False
) -> comfy.model_patcher.ModelPatcher:
    """The model read anew from its file, for clones and trainings that must not share weights."""
    file = WeightFile.read(NETWORKS[network][0], NODE)
    return load_model(file, network, disable_dynamic=disable_dynamic)
