"""The host's own way to give every pixel a noise: SetLatentNoiseMask and DifferentialDiffusion."""

from __future__ import annotations

from typing import Any

import torch
from comfy_extras.nodes_differential_diffusion import DifferentialDiffusion

from .placement import Painter


def paint_by_mask(
    painter: Painter,
    picture: torch.Tensor,
    told: tuple[Any, list],
    noise_map: torch.Tensor,
    seed: int,
) -> torch.Tensor:
    """What the host's KSampler at denoise 1 makes of a picture [256, 256, 3], as large.

    noise_map: [1, 256, 256]; the model, words, sampler and settings are those of `painter.paint`.
    """
    model, positive = told
    nodes = painter.nodes
    latent = nodes.VAEEncode().encode(painter.vae, picture[None])[0]
    masked = nodes.SetLatentNoiseMask().set_mask(latent, noise_map)[0]
    sampled = nodes.KSampler().sample(
        model=DifferentialDiffusion.execute(model).args[0],
        seed=seed,
        steps=painter.steps,
        cfg=painter.cfg,
        sampler_name="euler_ancestral",
        scheduler="normal",
        positive=positive,
        negative=painter.negative,
        latent_image=masked,
        denoise=1.0,
    )[0]
    return painter.vae.decode(sampled["samples"])[0]
