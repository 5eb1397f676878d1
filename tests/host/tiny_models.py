"""Random SD1-style models, text encoder, VAE and control networks of the host's own classes.

All small and quick. Import only where ComfyUI is at hand. Everything is on the CPU, in float32,
and the same for the same seed.
"""

from __future__ import annotations

import comfy.cldm.cldm
import comfy.controlnet
import comfy.latent_formats
import comfy.ldm.models.autoencoder
import comfy.model_base
import comfy.model_patcher
import comfy.sd
import comfy.sd1_clip
import comfy.supported_models
import comfy.supported_models_base
import comfy.t2i_adapter.adapter
import torch

CONTEXT = 64
CPU = torch.device("cpu")

UNET = {
    "image_size": 32,
    "in_channels": 4,
    "out_channels": 4,
    "model_channels": 32,
    "num_res_blocks": [1, 1],
    "channel_mult": (1, 2),
    "transformer_depth": [1, 1],
    "transformer_depth_middle": 1,
    "transformer_depth_output": [1, 1, 1, 1],
    "use_spatial_transformer": True,
    "context_dim": CONTEXT,
    "use_linear_in_transformer": False,
    "adm_in_channels": None,
    "use_temporal_attention": False,
    "legacy": False,
    "dtype": torch.float32,
}

QWEN_IMAGE = {
    "image_model": "qwen_image",
    "num_layers": 1,
    "attention_head_dim": 16,
    "num_attention_heads": 2,
    "joint_attention_dim": CONTEXT,
    "axes_dims_rope": (4, 6, 6),
    "dtype": torch.float32,
}

CLIP_TEXT = {
    "hidden_size": CONTEXT,
    "intermediate_size": 128,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "projection_dim": CONTEXT,
}

VAE = {
    "double_z": True,
    "z_channels": 4,
    "resolution": 64,
    "in_channels": 3,
    "out_ch": 3,
    "ch": 32,
    "ch_mult": [1, 1, 1, 1],
    "num_res_blocks": 1,
    "attn_resolutions": [],
    "dropout": 0.0,
}


def randomize(module: torch.nn.Module, seed: int) -> None:
    """Fill every parameter: the host leaves weights unset until a checkpoint is loaded."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.ndim > 1:
                parameter.copy_(noise * parameter[0].numel() ** -0.5)
            else:  # a bias or the gain of a norm
                parameter.copy_(0.5 + 0.1 * noise)


def config() -> comfy.supported_models.SD15:
    """The host's description of the tiny UNet."""
    description = comfy.supported_models.SD15(UNET)
    description.unet_config["num_heads"] = 4
    return description


def tiny_model(
    *,
    seed: int = 0,
    model_type: comfy.model_base.ModelType = comfy.model_base.ModelType.EPS,
    latent_format: comfy.latent_formats.LatentFormat | None = None,
) -> comfy.model_patcher.ModelPatcher:
    """A MODEL: a UNet with cross-attention at two resolutions, 1.1 M parameters."""
    model = comfy.model_base.BaseModel(config(), model_type=model_type, device=CPU)
    if latent_format is not None:
        model.latent_format = latent_format
    randomize(model.diffusion_model, seed)
    with torch.no_grad():  # predicted noise no larger than noise is
        model.diffusion_model.out.get_submodule("2").get_parameter("weight").mul_(0.1)
    return comfy.model_patcher.ModelPatcher(model, load_device=CPU, offload_device=CPU)


def tiny_qwen_image(*, seed: int = 0) -> comfy.model_patcher.ModelPatcher:
    """A MODEL of another family: a transformer whose latents have a frame axis, and a flow."""
    model = comfy.model_base.QwenImage(comfy.supported_models.QwenImage(QWEN_IMAGE), device=CPU)
    randomize(model.diffusion_model, seed)
    return comfy.model_patcher.ModelPatcher(model, load_device=CPU, offload_device=CPU)


def tiny_clip(*, seed: int = 1) -> comfy.sd.CLIP:
    """A CLIP: the real tokenizer of SD1 before a text encoder of two layers."""
    clip = comfy.sd.CLIP(
        comfy.supported_models_base.ClipTarget(
            comfy.sd1_clip.SD1Tokenizer, comfy.sd1_clip.SD1ClipModel
        ),
        model_options={"clip_l_model_config": CLIP_TEXT, "dtype": torch.float32},
    )
    randomize(clip.cond_stage_model, seed)
    return clip


def tiny_vae(*, seed: int = 2, latent_channels: int = 4, cell: int = 8) -> comfy.sd.VAE:
    """A VAE: the host's KL autoencoder, `cell` pixels to a cell."""
    levels = [1] * cell.bit_length()
    ddconfig = {**VAE, "z_channels": latent_channels, "ch_mult": levels}
    params = {"ddconfig": ddconfig, "embed_dim": latent_channels}
    weights = comfy.ldm.models.autoencoder.AutoencoderKL(**params)
    randomize(weights, seed)
    vae = comfy.sd.VAE(weights.state_dict(), CPU, {"params": params}, torch.float32)
    vae.latent_channels = latent_channels
    vae.downscale_ratio = vae.upscale_ratio = cell
    return vae


def conditioning(*, seed: int = 3, tokens: int = 77) -> list:
    """A CONDITIONING without a text encoder, for tests that need any prompt."""
    generator = torch.Generator().manual_seed(seed)
    return [[torch.randn(1, tokens, CONTEXT, generator=generator), {}]]


def control_network(*, seed: int = 5, **unet) -> comfy.cldm.cldm.ControlNet:
    """The network inside a ControlNet for the tiny UNet, or for one changed by `unet`."""
    options = {**UNET, "num_heads": -1, "num_head_channels": 16, "hint_channels": 3, **unet}
    network = comfy.cldm.cldm.ControlNet(**options)
    randomize(network, seed)
    return network


def tiny_control_net(*, seed: int = 5, **unet) -> comfy.controlnet.ControlNet:
    """A CONTROL_NET that the model's prompts reach as well."""
    return comfy.controlnet.ControlNet(control_network(seed=seed, **unet), load_device=CPU)


def tiny_control_lora(*, seed: int = 5, **unet) -> comfy.controlnet.ControlLora:
    """A CONTROL_NET of zero convolutions and two low-rank changes of the model's own weights."""
    own = ("input_hint_block.", "zero_convs.", "middle_block_out.")
    network = control_network(seed=seed, **unet)
    weights = {name: value for name, value in network.state_dict().items() if name.startswith(own)}
    generator = torch.Generator().manual_seed(seed)
    for name, width in (("time_embed.0", 32), ("input_blocks.1.1.proj_in", 32)):
        shape = network.get_submodule(name).get_parameter("weight").shape
        weights[f"{name}.up"] = torch.randn(shape[0], 4, generator=generator) / 4
        weights[f"{name}.down"] = torch.randn(4, width, *shape[2:], generator=generator) / 4
    return comfy.controlnet.ControlLora({"lora_controlnet": torch.zeros(()), **weights})


def tiny_adapter(*, seed: int = 6, channels: tuple[int, ...] = (32, 64), xl: bool = False):
    """A CONTROL_NET that runs once a sampling, for UNets of two residual blocks a level."""
    cin = 3 * (256 if xl else 64)
    network = comfy.t2i_adapter.adapter.Adapter(
        [*channels], nums_rb=2, cin=cin, ksize=1, sk=True, use_conv=False, xl=xl
    )
    randomize(network, seed)
    return comfy.controlnet.T2IAdapter(network, 3, 8, "nearest-exact", device=CPU)
