"""The noise of a collage, where an edit may have a say in place of the sampler's inputs."""

from __future__ import annotations

import torch

from ..collage.collage import Collage
from .noise_map import noise_map


def noise_inputs(collage: Collage, base_noise: float, feather: float) -> tuple[float, float]:
    """`base_noise` and `feather` as given, or after an edit those of the edit."""
    edit = collage.edit
    return (base_noise, feather) if edit is None else (edit.base_noise, edit.feather)


def with_least_noise(noise: torch.Tensor, collage: Collage) -> torch.Tensor:
    """[B, 1, H, W] -> the same, raised to what an edit asks for in any case."""
    if collage.edit is None or collage.edit.least_noise is None:
        return noise
    return torch.maximum(noise, collage.edit.least_noise.to(noise))


def collage_noise(
    collage: Collage, base_noise: float, feather: float, halo: int = 0
) -> torch.Tensor:
    """Noise of every pixel [B, 1, H, W] as the sampler makes it with these inputs."""
    noises = [layer.noise for layer in collage.shown]
    visible, inputs = collage.composite.visible_alpha, noise_inputs(collage, base_noise, feather)
    return with_least_noise(noise_map(visible, noises, *inputs, halo), collage)
