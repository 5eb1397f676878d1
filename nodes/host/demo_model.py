"""Loads the pack's own small model into ComfyUI's MODEL, CLIP, VAE and CONTROL_NET objects.

A T2IAdapter asks its model for .unshuffle_amount and for the outputs of an image.

Host symbols:
    comfy.controlnet.T2IAdapter(t2i_model, channels_in, compression_ratio, upscale_algorithm)
    comfy.controlnet.T2IAdapter: "unshuffle_amount"
    comfy.sd.CLIP: cond_stage_model
    comfy.sd.CLIP(target, embedding_directory, *, tokenizer_data, parameters, state_dict,
        model_options)
    comfy.sd.VAE(sd, *, config): first_stage_model
    comfy.supported_models_base.ClipTarget(tokenizer, clip)
    comfy.supported_models.SD15(unet_config): unet_extra_config, latent_format
    comfy.supported_models.SD15: model_type(state_dict, prefix), supported_inference_dtypes
    comfy.supported_models.SD15: set_inference_dtype(dtype, manual_cast_dtype)
    comfy.supported_models.SD15: get_model(state_dict, *, device)
    comfy.latent_formats.LatentFormat: latent_rgb_factors, latent_rgb_factors_bias
    comfy.latent_formats.LatentFormat: taesd_decoder_name
    comfy.model_base.ModelType: V_PREDICTION
    comfy.model_base.BaseModel: load_model_weights(sd, unet_prefix, *, assign), diffusion_model
    comfy.model_patcher.ModelPatcher(model, load_device, offload_device): is_dynamic()
    comfy.model_patcher.ModelPatcher: cached_patcher_init
    comfy.model_patcher.CoreModelPatcher(model, load_device, offload_device)
    comfy.model_management: get_torch_device(), unet_dtype(*, model_params, supported_dtypes)
    comfy.model_management: unet_manual_cast(weight_dtype, inference_device, supported_dtypes)
    comfy.model_management: unet_inital_load_device(parameters, dtype), unet_offload_device()
    comfy.sd1_clip.SDTokenizer: embedding_size
    comfy.sd1_clip.SD1Tokenizer: "{}_tokenizer_class"
    comfy.sd1_clip.SD1ClipModel: "clip_{}"
    comfy.sd1_clip.SDClipModel: "{}_model_config"
    folder_paths.get_folder_paths(folder_name)
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import comfy.controlnet
import comfy.latent_formats
import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.sd
import comfy.sd1_clip
import comfy.supported_models
import comfy.supported_models_base
import folder_paths
import torch
from safetensors import SafetensorError, safe_open

from ...collage_core.errors import CollageError
from ...demo.architecture import AUTOENCODER, TEXT_ENCODER, TEXT_WIDTH, UNET, EdgeAdapter

WEIGHTS = Path(__file__).resolve().parents[2] / "demo" / "weights"
FILE, NODE = WEIGHTS / "demo_model.safetensors", "CollageDemoModel"
CONTROL_FILE, CONTROL_NODE = WEIGHTS / "demo_control.safetensors", "CollageDemoControlNet"

Weights = dict[str, torch.Tensor]


class DemoConfig(comfy.supported_models.SD15):
    """SD1.5's configuration with this model's shapes; it predicts velocity."""

    unet_extra_config: ClassVar[dict] = {}

    def __init__(self, preview: list[list[float]]):
        super().__init__({**UNET, **{k: list(v) for k, v in UNET.items() if isinstance(v, list)}})
        latent_format: Any = self.latent_format
        latent_format.latent_rgb_factors = preview[:4]
        latent_format.latent_rgb_factors_bias = preview[4]
        latent_format.taesd_decoder_name = None

    def model_type(self, state_dict, prefix=""):  # noqa: ARG002
        return comfy.model_base.ModelType.V_PREDICTION


def load_all() -> tuple[comfy.model_patcher.ModelPatcher, comfy.sd.CLIP, comfy.sd.VAE]:
    """MODEL, CLIP and VAE as a checkpoint loader gives them.

    Raises CollageError when the weight file is missing or broken.
    """
    weights, preview = _read()
    return load_model(weights, preview), load_clip(weights), load_vae(weights)


def load_model(
    weights: Weights, preview: list[list[float]], *, disable_dynamic: bool = False
) -> comfy.model_patcher.ModelPatcher:
    management = comfy.model_management
    state = _part(weights, "unet.")
    config = DemoConfig(preview)
    device = management.get_torch_device()
    size = sum(value.numel() for value in state.values())
    supported = config.supported_inference_dtypes
    dtype = management.unet_dtype(model_params=size, supported_dtypes=supported)
    config.set_inference_dtype(dtype, management.unet_manual_cast(dtype, device, supported))
    model = config.get_model(state, device=management.unet_inital_load_device(size, dtype))
    require_all(model.diffusion_model, state, FILE, NODE)
    patchers = comfy.model_patcher
    patcher_class = patchers.ModelPatcher if disable_dynamic else patchers.CoreModelPatcher
    patcher = patcher_class(
        model, load_device=device, offload_device=management.unet_offload_device()
    )
    model.load_model_weights(state, "", assign=patcher.is_dynamic())
    patcher.cached_patcher_init = (reload_model, ())
    return patcher


def reload_model(disable_dynamic: bool = False) -> comfy.model_patcher.ModelPatcher:
    """The model read anew from its file, for clones and trainings that must not share weights."""
    return load_model(*_read(), disable_dynamic=disable_dynamic)


def load_clip(weights: Weights) -> comfy.sd.CLIP:
    state = _part(weights, "text.")
    state["text_model.embeddings.token_embedding.weight"] = _word_table(weights)
    tokenizer = partial(comfy.sd1_clip.SDTokenizer, embedding_size=TEXT_WIDTH)
    clip = comfy.sd.CLIP(
        comfy.supported_models_base.ClipTarget(
            comfy.sd1_clip.SD1Tokenizer, comfy.sd1_clip.SD1ClipModel
        ),
        embedding_directory=folder_paths.get_folder_paths("embeddings"),
        tokenizer_data={"clip_l_tokenizer_class": tokenizer},
        parameters=sum(value.numel() for value in state.values()),
        state_dict=[state],
        model_options={"clip_l_model_config": dict(TEXT_ENCODER)},
    )
    require_all(clip.cond_stage_model.clip_l.transformer, state, FILE, NODE)
    return clip


def load_vae(weights: Weights) -> comfy.sd.VAE:
    state = _part(weights, "vae.")
    vae = comfy.sd.VAE(sd=state, config={"params": dict(AUTOENCODER)})
    require_all(vae.first_stage_model, state, FILE, NODE)
    return vae


def load_control() -> comfy.controlnet.T2IAdapter:
    """The structure network, a CONTROL_NET; CollageError when its file is missing or broken."""
    weights, _ = read_weights(CONTROL_FILE, CONTROL_NODE)
    adapter = EdgeAdapter()
    require_all(adapter, weights, CONTROL_FILE, CONTROL_NODE)
    adapter.load_state_dict(weights)
    return comfy.controlnet.T2IAdapter(adapter.float().eval(), 1, 8, "nearest-exact")


def require_all(network: Any, state: Weights, file: Path, node: str) -> None:
    """CollageError for a missing weight: ComfyUI logs it and would use uninitialised memory."""
    missing = network.state_dict().keys() - state.keys()
    if missing:
        raise CollageError(
            f"{node}: the weight file demo/weights/{file.name} does not fit this pack "
            f"({len(missing)} weights are missing, {min(missing)} among them). "
            "Install the pack again, or use a loader of ComfyUI instead."
        )


def _word_table(weights: Weights) -> torch.Tensor:
    """[49408, width]: the trained words, and for every other word their mean."""
    table = weights["words.rest"].repeat(49408, 1)
    table[weights["words.rows"].long()] = weights["words.vectors"]
    return table


def _part(weights: Weights, prefix: str) -> Weights:
    return {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}


def _read() -> tuple[Weights, list[list[float]]]:
    weights, metadata = read_weights(FILE, NODE)
    return weights, json.loads(metadata["preview"])


def read_weights(file: Path, node: str) -> tuple[Weights, dict[str, str]]:
    """Weights and metadata of a file of the pack; CollageError, naming `node`, for a bad file."""
    try:
        with safe_open(file, framework="pt") as opened:
            weights = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
            return weights, opened.metadata()
    except (OSError, SafetensorError) as error:
        raise CollageError(
            f"{node}: the weight file demo/weights/{file.name} of this pack is missing or broken "
            f"({error}). Install the pack again, or use a loader of ComfyUI instead."
        ) from error
