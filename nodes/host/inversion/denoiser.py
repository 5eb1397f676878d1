"""A diffusion model to send gradients through, called as the host's samplers call it.

The functions of forward_timestep_embed_patch are pairs of a block's class and
handler(block, x, emb, context, options, ...).

Host symbols:
    comfy.model_base.BaseModel: apply_model(x, t, *, transformer_options), extra_conds()
    comfy.model_base.BaseModel: "cross_attn", "noise", "device"
    comfy.model_base.sdxl_pooled: "pooled_output"
    comfy.model_base.SDXL: "width", "height"
    comfy.model_base.BaseModel: get_dtype_inference(), model_sampling, latent_format
    comfy.conds.CONDRegular: process_cond(*, batch_size), cond
    comfy.model_sampling.ModelSamplingDiscrete: sigma(timestep), sigmas
    comfy.model_sampling.EPS: noise_scaling(sigma, noise, latent_image)
    comfy.model_sampling.V_PREDICTION
    comfy.latent_formats.LatentFormat: latent_rgb_factors, latent_rgb_factors_bias
    comfy.ldm.modules.attention.SpatialTransformer: forward(x, context, transformer_options)
    comfy.ldm.modules.attention.attention_pytorch(q, k, v, heads)
    comfy.ldm.modules.attention: "optimized_attention_override"
    comfy.ldm.modules.diffusionmodules.openaimodel.ResBlock: forward(x, emb)
    comfy.ldm.modules.diffusionmodules.openaimodel: "forward_timestep_embed_patch"
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from comfy.ldm.modules.attention import SpatialTransformer, attention_pytorch
from comfy.ldm.modules.diffusionmodules.openaimodel import ResBlock
from comfy.model_sampling import V_PREDICTION
from torch.utils.checkpoint import checkpoint

from .trainable_copy import private_copy


def _differentiable(_, *args, **kwargs):
    """In place of the attention the host was started with, which may have no backward."""
    return attention_pytorch(*args, **kwargs)


def _twice(block, x, emb, context, options, *_):
    """A block that keeps nothing for its gradient but computes it all again when asked for it."""
    given = (emb,) if isinstance(block, ResBlock) else (context, options)
    return checkpoint(block, x, *given, use_reentrant=False, preserve_rng_state=False)


TWICE = {"forward_timestep_embed_patch": [(ResBlock, _twice), (SpatialTransformer, _twice)]}


class PrivateDenoiser:
    """checkpointing: whether gradients take a third of the memory, a third more time and the
    same value to the bit (Chen et al., arXiv 1604.06174)."""

    def __init__(self, model, where: str) -> None:
        self.model: Any = private_copy(model, where)
        self.device = model.load_device
        self.half = self.model.get_dtype_inference() == torch.float16
        self.checkpointing = False

    @property
    def predicts_velocity(self) -> bool:
        return isinstance(self.model.model_sampling, V_PREDICTION)

    def sigmas(self, fractions: torch.Tensor) -> torch.Tensor:
        """The sigmas at fractions of the noise schedule, 0 the least noise and 1 the most."""
        last = len(self.model.model_sampling.sigmas) - 1
        return self.model.model_sampling.sigma(fractions.to(self.device) * last)

    def noised(self, clean: torch.Tensor, sigma: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        return self.model.model_sampling.noise_scaling(sigma, noise, clean)

    def denoised(self, x, sigma, features, pooled) -> torch.Tensor:
        """x [B, C, h, w], sigma [B], text features [1, T, width] -> predicted clean latent."""
        conds = self.model.extra_conds(
            cross_attn=features.to(self.device),
            pooled_output=None if pooled is None else pooled.to(self.device),
            noise=x,
            width=x.shape[3] * 8,
            height=x.shape[2] * 8,
            prompt_type="positive",
            device=self.device,
        )
        given = {name: c.process_cond(batch_size=len(x)).cond for name, c in conds.items()}
        options = {"optimized_attention_override": _differentiable, "sigmas": sigma}
        options["patches"] = TWICE if self.checkpointing else {}
        return self.model.apply_model(x, sigma, transformer_options=options, **given)

    def look(self, denoised: torch.Tensor) -> torch.Tensor:
        """Clean latents [B, C, h, w] as a small IMAGE, as the host's own previews show them."""
        latent_format = self.model.latent_format
        colours = denoised[:, :3]
        if latent_format.latent_rgb_factors is not None:
            factors = torch.tensor(latent_format.latent_rgb_factors).to(denoised)
            colours = torch.einsum("bchw,cr->brhw", denoised, factors)
        if latent_format.latent_rgb_factors_bias is not None:
            bias = torch.tensor(latent_format.latent_rgb_factors_bias).to(denoised)
            colours = colours + bias.view(1, 3, 1, 1)
        picture = F.interpolate((colours + 1) / 2, scale_factor=4.0, mode="bilinear")
        return picture.clamp(0, 1).movedim(1, -1).cpu()
