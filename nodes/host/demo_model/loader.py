"""Loads the pack's own small model into ComfyUI's MODEL, CLIP, VAE and CONTROL_NET objects.

A T2IAdapter asks its model for .unshuffle_amount and for the outputs of an image.

Host symbols:
    comfy.controlnet.T2IAdapter(t2i_model, channels_in, compression_ratio, upscale_algorithm)
    comfy.controlnet.T2IAdapter: "unshuffle_amount"
    comfy.model_patcher.ModelPatcher: model
    comfy.sd: CLIP, VAE
"""

from __future__ import annotations

import comfy.controlnet
import comfy.model_patcher
import comfy.sd

from ....demo.architecture import EdgeAdapter
from .coders import load_clip, load_vae
from .diffusion import NETWORKS, load_model
from .weights import CONTROL_FILE, CONTROL_NODE, FILE, NODE, WeightFile


def load_all(
    network: str = "unet",
) -> tuple[comfy.model_patcher.ModelPatcher, comfy.sd.CLIP, comfy.sd.VAE]:
    """MODEL, CLIP and VAE as a checkpoint loader gives them.

    network: one of NETWORKS; both paint the latents of one autoencoder, which stands in the UNet's
    file. Raises CollageError when a weight file is missing or broken.
    """
    first = WeightFile.read(FILE, NODE)
    file = first if network == "unet" else WeightFile.read(NETWORKS[network][0], NODE)
    return load_model(file, network), load_clip(file, network), load_vae(first)


def load_control() -> comfy.controlnet.T2IAdapter:
    """The structure network, a CONTROL_NET; CollageError when its file is missing or broken."""
    file = WeightFile.read(CONTROL_FILE, CONTROL_NODE)
    adapter = EdgeAdapter()
    file.check_all_in(adapter, file.weights)
    adapter.load_state_dict(file.weights)
    return comfy.controlnet.T2IAdapter(adapter.float().eval(), 1, 8, "nearest-exact")
