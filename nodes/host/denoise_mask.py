"""Setting latent cells free at their own step, through the host's denoise mask.

Host symbols: ModelPatcher.clone, .model_options and .set_model_denoise_mask_function, and the
call of that function by comfy.samplers.KSamplerX0Inpaint: (sigma, denoise_mask, extra_options),
where extra_options["model"].inner_model is the loaded model and a mask of 1 lets a cell change.
"""

from __future__ import annotations

import torch

from ...collage_core.noise import free_cells, schedule_fraction


def apply_free_cells(model, cells: torch.Tensor, start: float):
    """A clone of the MODEL that frees the cells of the noise map [B, 1, h, w] one by one.

    The host has one slot for such a function. Whoever holds it already is asked as well, and a
    cell changes only as far as both allow.
    """
    previous = model.model_options.get("denoise_mask_function")

    def denoise_mask_function(sigma, denoise_mask, extra_options):
        model_sampling = extra_options["model"].inner_model.model_sampling
        fraction = schedule_fraction(sigma, model_sampling.sigmas)
        free = free_cells(cells.to(denoise_mask), fraction, start)
        if previous is not None:
            denoise_mask = previous(sigma, denoise_mask, extra_options=extra_options)
        return denoise_mask * free

    patched = model.clone()
    patched.set_model_denoise_mask_function(denoise_mask_function)
    return patched
