"""Kept cells under the noise of their level, on models that would show them without it.

Some models of videos show what is kept clean, and get the denoise mask to tell their network so: a
cell that is set free later would start without the noise that is due then, and one level for a
whole frame would be that of its mean. In our runs they do as all other models.

Host symbols:
    comfy.model_base.BaseModel: scale_latent_inpaint(*, sigma, noise, latent_image)
    comfy.model_base.BaseModel: apply_model(x, t, c_concat, c_crossattn, control,
        transformer_options)
    comfy.model_base.LTXV: "denoise_mask", process_timestep(timestep, x, denoise_mask)
    comfy.model_patcher.ModelPatcher: clone(), model, get_wrappers(wrapper_type, key)
    comfy.model_patcher.ModelPatcher: add_wrapper_with_key(wrapper_type, key, wrapper)
    comfy.patcher_extension.WrappersMP: APPLY_MODEL
    comfy.samplers.KSamplerX0Inpaint(model, sigmas): inner_model, sigmas, "noise", "latent_image"
    comfy.samplers.KSamplerX0Inpaint: __call__(x, sigma, denoise_mask, *, model_options, seed)
    comfy.samplers.KSamplerX0Inpaint: "denoise_mask_function"
    comfy.samplers.CFGGuider: inner_model, __call__()
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import comfy.samplers
import torch
from comfy.model_base import BaseModel
from comfy.patcher_extension import WrappersMP

KEY = "collage_kept_cells"


def under_noise(model):
    """A MODEL whose network takes every cell of the picture for one of the same level."""
    if type(model.model).scale_latent_inpaint is BaseModel.scale_latent_inpaint:
        return model
    patched = model.clone()
    patched.add_wrapper_with_key(WrappersMP.APPLY_MODEL, KEY, _without_mask)
    return patched


def is_under_noise(model) -> bool:
    """Whether `under_noise` changed it, so that its sampler needs `KeptUnderNoise`."""
    return bool(model.get_wrappers(WrappersMP.APPLY_MODEL, KEY))


def _without_mask(executor, *args, **kwargs):
    return executor(*args, **{k: value for k, value in kwargs.items() if k != "denoise_mask"})


class KeptUnderNoise(comfy.samplers.KSamplerX0Inpaint):
    """The host's, with kept cells shown as BaseModel shows them."""

    def __init__(self, host) -> None:
        super().__init__(host.inner_model, host.sigmas)
        self.latent_image, self.noise = host.latent_image, host.noise

    def __call__(self, x, sigma, denoise_mask, model_options=None, seed=None):
        options = model_options or {}
        free = changing(self, denoise_mask, options)(sigma)
        noise, original = self.noise, self.latent_image
        kept = BaseModel.scale_latent_inpaint(
            self.inner_model.inner_model, sigma=sigma, noise=noise, latent_image=original
        )
        x = x * free + kept * (1 - free)
        out = self.inner_model(x, sigma, model_options=options, seed=seed)
        return out * free + original * (1 - free)


def changing(
    model, mask: torch.Tensor, options: dict[str, Any]
) -> Callable[[torch.Tensor], torch.Tensor]:
    """What a KSamplerX0Inpaint does with its denoise mask: at a level, 1 where a cell is free."""
    function = options.get("denoise_mask_function", lambda _sigma, same, **_: same)
    seen = {"model": model.inner_model, "sigmas": model.sigmas}
    return lambda sigma: function(sigma, mask, extra_options=seen)
