"""How far a prediction of the clean latent is from the object's, and which noise to ask with."""

from __future__ import annotations

import hashlib
from typing import Literal

import torch

MOST_WEIGHT = 5.0  # min-SNR, arXiv 2303.09556


def masked_loss(
    denoised: torch.Tensor,
    clean: torch.Tensor,
    mask: torch.Tensor,
    sigma: torch.Tensor,
    kind: Literal["min_snr", "plain", "plain_velocity"],
) -> torch.Tensor:
    """Predicted and true latents [B, C, H, W], mask [B, 1, H, W], sigma [B] -> [B].

    min_snr: weighted min(1 / sigma^2, 5), mean over the mask. plain: mean over all cells of the
    masked error of the noise, as the paper trains; plain_velocity: the same of the velocity.
    """
    error = mask * (denoised.float() - clean) ** 2
    snr = sigma.float() ** -2
    if kind == "min_snr":
        area = clean.shape[1] * mask.sum((1, 2, 3))
        return snr.clamp(max=MOST_WEIGHT) * error.sum((1, 2, 3)) / area
    weight = snr if kind == "plain" else 1 + snr
    return weight * error.mean((1, 2, 3))


def strata(count: int, low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    """[count] numbers between low and high, one in each of as many equal parts."""
    inside = torch.rand(count, generator=generator)
    return low + (high - low) * (torch.arange(count) + inside) / count


def own_generator(seed: int, what: str, step: int = 0) -> torch.Generator:
    """A generator that depends on nothing but its arguments, so no state needs keeping."""
    digest = hashlib.sha256(f"{seed}/{what}/{step}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7]))
