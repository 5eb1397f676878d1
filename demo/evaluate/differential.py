"""ComfyUI's own noise map: SetLatentNoiseMask with DifferentialDiffusion."""

from __future__ import annotations

from typing import Any

import torch
from comfy_extras.nodes_differential_diffusion import DifferentialDiffusion

from .painter import Painter


def paint_by_mask(
    painter: Painter,
    picture: torch.Tensor,
    conditioned: tuple[Any, list],
    noise_map: torch.Tensor,
    seed: int,
) -> torch.Tensor:
    """ComfyUI's KSampler at denoise 1: picture [256, 256, 3] -> [256, 256, 3].

    noise_map: [1, 256, 256]. Model, prompts, sampler and settings are those of `painter.paint`.
    """
    model, positive = conditioned
    nodes = painter.nodes
    latent = nodes.VAEEncode().encode(painter.vae, picture[None])[0]
    masked = nodes.SetLatentNoiseMask().set_mask(latent, noise_map)[0]
    sampled = nodes.KSampler().sample(
        model=DifferentialDiffusion.execute(model).args[0],
        seed=seed,
        steps=painter.sampling.steps,
        cfg=painter.sampling.cfg,
        sampler_name=painter.sampling.sampler,
        scheduler="normal",
        positive=positive,
        negative=painter.negative,
        latent_image=masked,
        denoise=1.0,
    )[0]
    return painter.vae.decode(sampled["samples"])[0]
