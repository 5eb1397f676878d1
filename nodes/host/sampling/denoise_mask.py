"""Setting latent cells free at their own step, through the host's denoise mask.

The function is called by KSamplerX0Inpaint as (sigma, denoise_mask, extra_options), where
extra_options["model"].inner_model is the loaded model; a mask of 1 lets a cell change.

Host symbols:
    comfy.model_patcher.ModelPatcher: clone(), model_options
    comfy.model_patcher.ModelPatcher: set_model_denoise_mask_function(denoise_mask_function)
    comfy.samplers.KSamplerX0Inpaint: "denoise_mask_function", "extra_options", "model", "sigmas"
    comfy.samplers.CFGGuider: inner_model
    comfy.model_base.BaseModel: latent_format
    comfy.latent_formats.LatentFormat: spacial_downscale_ratio
    comfy.model_sampling.ModelSamplingDiscrete: sigmas
"""

from __future__ import annotations

import torch

from ....collage_core.noise.release import PAPER_GROWTH, free_cells, schedule_fraction


def apply_free_cells(model, cells: torch.Tensor, start: float, growth: int = PAPER_GROWTH):
    """A clone of the MODEL that frees every cell of the noise map [B, 1, h, w] at its own step.

    The host has one slot for such a function. A function that is already there is called too, and
    a cell changes only as far as both allow.
    """
    previous = model.model_options.get("denoise_mask_function")

    def denoise_mask_function(sigma, denoise_mask, extra_options):
        inner = extra_options["model"].inner_model
        fraction = schedule_fraction(sigma, inner.model_sampling.sigmas)
        cell = inner.latent_format.spacial_downscale_ratio
        free = free_cells(cells.to(denoise_mask), fraction, start, cell, growth)
        if previous is not None:
            denoise_mask = previous(sigma, denoise_mask, extra_options=extra_options)
        return denoise_mask * free

    patched = model.clone()
    patched.set_model_denoise_mask_function(denoise_mask_function)
    return patched
