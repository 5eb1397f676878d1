"""Runs in parts: a latent that a sampler left noisy, and the clean one that kept cells come from.

A sampler that stops early hands on both, the clean one under a key of its own in the LATENT, since
only it knows what it began with. Where the key got lost, by saving for one, the composite serves.

A sampler function gets a KSamplerX0Inpaint as its model.

Host symbols:
    comfy.utils.repeat_to_batch_size(tensor, batch_size)
    comfy.samplers.KSAMPLER: "latent_image", "noise"
    comfy.samplers.KSamplerX0Inpaint: inner_model
    comfy.samplers.CFGGuider: inner_model
    comfy.model_base.BaseModel: process_latent_in(latent), model_sampling
    comfy.model_sampling.EPS: noise_scaling(sigma, noise, latent_image)
"""

from __future__ import annotations

import comfy.utils
import torch

from ...collage_core.errors import CollageError
from .latent import NODE, start_latent

ORIGINAL = "collage_original"
LEAST_NOISE = 0.5  # of what is due: what falls below was not left by a sampler at that step


def start_latents(
    model,
    vae,
    image: torch.Tensor,
    latent_image: dict | None,
    cells: torch.Tensor,
    *,
    goes_on: bool,
) -> tuple[dict, torch.Tensor | None]:
    """The LATENT to sample, clean, and the noisy samples to go on from, or None to begin.

    A run goes on when it is told to and gets a `latent_image`; for the rest see `start_latent`.
    Raises CollageError for a latent with nothing in it and for other pictures than it began with.
    """
    latent = start_latent(model, vae, image, latent_image, cells)
    original = latent.pop(ORIGINAL, None)
    if not goes_on or latent_image is None:
        return latent, None
    noisy = latent["samples"]
    if not noisy.any():
        raise CollageError(
            f"{NODE}, input latent_image: it is empty, so there is no step to go on from. Connect "
            "the latent of the sampler that took the steps before start_at_step, or set that to 0."
        )
    if original is None:
        original = start_latent(model, vae, image, None, cells)["samples"]
    if original.shape[1:] != noisy.shape[1:] or len(original) not in (1, len(noisy)):
        raise CollageError(
            f"{NODE}, input latent_image: a batch of {len(noisy)} under way does not agree with "
            f"the {len(original)} that were begun. Connect the latent of the sampler before."
        )
    return {**latent, "samples": comfy.utils.repeat_to_batch_size(original, len(noisy))}, noisy


def state_to_go_on_from(model, noisy: torch.Tensor, x: torch.Tensor, sigma) -> torch.Tensor:
    """What a sampler function steps on from at `sigma` instead of `x`, the original under noise.

    The same as KSamplerAdvanced with add_noise disabled. Raises CollageError for samples with far
    less noise than this step starts with, a finished picture most likely.
    """
    inner = model.inner_model.inner_model
    nothing = torch.zeros_like(x)
    state = inner.process_latent_in(noisy.to(x))
    state = inner.model_sampling.noise_scaling(sigma, nothing, state)
    clean = inner.model_sampling.noise_scaling(sigma, nothing, model.latent_image)
    due = inner.model_sampling.noise_scaling(sigma, model.noise, nothing).std()
    if (state - clean).std() < LEAST_NOISE * due:
        raise CollageError(
            f"{NODE}, input latent_image: it holds far less noise than the step start_at_step "
            "begins with. Connect the latent that a sampler left at that step (end_at_step); to "
            "refine a finished picture leave start_at_step at 0 and lower the noise of its layers."
        )
    return state
