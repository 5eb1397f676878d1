"""The loss of a prediction, and random numbers that depend on a seed and a step alone."""

from __future__ import annotations

import hashlib
from typing import Literal

import torch

MAX_SNR_WEIGHT = 5.0  # min-SNR, arXiv 2303.09556


def masked_loss(
    denoised: torch.Tensor,
    clean: torch.Tensor,
    mask: torch.Tensor,
    sigma: torch.Tensor,
    kind: Literal["min_snr", "plain", "plain_velocity"],
) -> torch.Tensor:
    """Predicted and true latents [B, C, H, W], mask [B, 1, H, W], sigma [B] -> losses [B].

    min_snr: the error of the latent, weighted with min(1 / sigma^2, 5), mean over the mask.
    plain: the masked error of the noise, mean over all cells, as the paper trains.
    plain_velocity: the same for the velocity.
    """
    error = mask * (denoised.float() - clean) ** 2
    snr = sigma.float() ** -2
    if kind == "min_snr":
        area = clean.shape[1] * mask.sum((1, 2, 3))
        return snr.clamp(max=MAX_SNR_WEIGHT) * error.sum((1, 2, 3)) / area
    weight = snr if kind == "plain" else 1 + snr
    return weight * error.mean((1, 2, 3))


def stratified(count: int, low: float, high: float, rng: torch.Generator) -> torch.Tensor:
    """[count] random numbers: one from each of `count` equal parts of the range low to high."""
    inside = torch.rand(count, generator=rng)
    return low + (high - low) * (torch.arange(count) + inside) / count


def seeded_generator(seed: int, name: str, step: int = 0) -> torch.Generator:
    """A generator that depends on its arguments alone, so that no state has to be saved."""
    digest = hashlib.sha256(f"{seed}/{name}/{step}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7]))
