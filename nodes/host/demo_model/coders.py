"""The demo model's CLIP and VAE.

Host symbols:
    comfy.sd.CLIP: cond_stage_model
    comfy.sd.CLIP(target, embedding_directory, *, tokenizer_data, parameters, state_dict,
        model_options)
    comfy.supported_models_base.ClipTarget(tokenizer, clip)
    comfy.sd1_clip.SDTokenizer: embedding_size
    comfy.sd1_clip.SD1Tokenizer: "{}_tokenizer_class"
    comfy.sd1_clip.SD1ClipModel: "clip_{}"
    comfy.sd1_clip.SDClipModel: "{}_model_config"
    folder_paths.get_folder_paths(folder_name)
    comfy.sd.VAE(sd, *, dtype): first_stage_model, patcher, device, size, model_size(),
        latent_channels
    comfy.sd.VAE: "taesd_decoder.1.weight"
    comfy.taesd.taesd.TAESD(*, latent_channels)
    comfy.model_patcher.CoreModelPatcher(model, load_device, offload_device): is_dynamic()
    comfy.model_patcher.ModelPatcher: offload_device
    comfy.model_management.archive_model_dtypes(model)
"""

from __future__ import annotations

from functools import partial
from typing import Any

import comfy.model_management
import comfy.model_patcher
import comfy.sd
import comfy.sd1_clip
import comfy.supported_models_base
import folder_paths
import torch
from comfy.taesd.taesd import TAESD

from ....demo.architecture import (
    AUTOENCODER,
    LATENT_CHANNELS,
    TEXT_ENCODER,
    TEXT_WIDTH,
    Autoencoder,
)
from .weights import WeightFile


class DemoTransformerTokenizer(comfy.sd1_clip.SD1Tokenizer):
    """By this name `families.TEXTS` knows the text of the demo model's transformer."""


def load_clip(file: WeightFile, network: str = "unet") -> comfy.sd.CLIP:
    """The text encoder of a file; it reads as many tokens at once as it has places for."""
    state = file.part("text.")
    state["text_model.embeddings.token_embedding.weight"] = file.words()
    places = len(state["text_model.embeddings.position_embedding.weight"])
    tokenizer = partial(comfy.sd1_clip.SDTokenizer, embedding_size=TEXT_WIDTH, max_length=places)
    own = {"unet": comfy.sd1_clip.SD1Tokenizer, "transformer": DemoTransformerTokenizer}
    clip = comfy.sd.CLIP(
        comfy.supported_models_base.ClipTarget(own[network], comfy.sd1_clip.SD1ClipModel),
        embedding_directory=folder_paths.get_folder_paths("embeddings"),
        tokenizer_data={"clip_l_tokenizer_class": tokenizer},
        parameters=sum(value.numel() for value in state.values()),
        state_dict=[state],
        model_options={"clip_l_model_config": {**TEXT_ENCODER, "max_position_embeddings": places}},
    )
    file.check_all_in(clip.cond_stage_model.clip_l.transformer, state)
    return clip


def load_vae(file: WeightFile) -> comfy.sd.VAE:
    """The autoencoder inside ComfyUI's VAE.

    A VAE chooses its network by the weights that it is given. It is made around the tiny
    autoencoder that the host has for any number of latent channels, whose place ours takes.
    """
    state = file.part("vae.")
    coder = Autoencoder(**AUTOENCODER).eval()
    file.check_all_in(coder, state)
    vae: Any = comfy.sd.VAE(
        TAESD(latent_channels=LATENT_CHANNELS).state_dict(), dtype=torch.float32
    )
    coder.to(vae.vae_dtype)
    comfy.model_management.archive_model_dtypes(coder)
    offload = vae.patcher.offload_device
    patcher = comfy.model_patcher.CoreModelPatcher(coder, vae.device, offload)
    coder.load_state_dict(state, assign=patcher.is_dynamic())
    vae.first_stage_model, vae.patcher, vae.size = coder, patcher, None
    vae.model_size()
    return vae
