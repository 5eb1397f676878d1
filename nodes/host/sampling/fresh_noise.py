"""Kept cells under fresh noise at every step, as in the paper; the host takes one noise for all.

Samplers call it so; it shows the model `latent_image` under `noise` where the mask is 0.

Host symbols:
    comfy.samplers.KSamplerX0Inpaint(model, sigmas): inner_model, sigmas, "noise", "latent_image"
    comfy.samplers.KSamplerX0Inpaint: __call__(x, sigma, denoise_mask, model_options, seed)
    comfy.samplers.KSAMPLER: "noise", "latent_image"
    comfy.sample.prepare_noise_inner(latent_image, generator, noise_inds)
"""

from __future__ import annotations

from collections.abc import Callable

import comfy.sample
import comfy.samplers
import torch

from ....collage_core.noise.seeds import NoiseSeeds, seed_at

Draw = Callable[[torch.Tensor], torch.Tensor]  # noise [B, C, ..., h, w] for a noise level [B]


def fresh_noise(latent: dict, seeds: NoiseSeeds) -> Draw:
    """Noise that hangs on nothing but the seeds and the level.

    So a sampler may ask for a level as often as it likes and in any order, and the same seed
    makes the same picture.
    """

    def draw(sigma: torch.Tensor) -> torch.Tensor:
        level = sigma.max().item()

        def alone(seed: int) -> torch.Tensor:
            generator = torch.Generator().manual_seed(seed_at(seed, level))
            samples, batch_index = latent["samples"], latent.get("batch_index")
            return comfy.sample.prepare_noise_inner(samples, generator, batch_index)

        return seeds.mixed(alone)

    return draw


class FreshNoise(comfy.samplers.KSamplerX0Inpaint):
    """The host's, with another noise at every level."""

    def __init__(self, kept, draw: Draw) -> None:
        super().__init__(kept.inner_model, kept.sigmas)
        self.latent_image = kept.latent_image
        self.draw = draw

    def __call__(self, x, sigma, *args, **kwargs):
        self.noise = self.draw(sigma).to(x)
        return super().__call__(x, sigma, *args, **kwargs)
