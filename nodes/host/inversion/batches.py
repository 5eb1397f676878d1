"""Which view of the layer is looked at with which noise, in training and on the fixed set."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch

from ....collage_core.inversion.loss import own_generator, strata
from ....collage_core.inversion.settings import Settings
from .denoiser import PrivateDenoiser

FIXED = 16  # pictures of the fixed set
LEAST_NOISE = 0.02  # fraction of the schedule
BEYOND = 0.1  # how far above the layer's own noise


@dataclass(frozen=True, eq=False)
class Batch:
    """clean, noise: [B, C, h, w]; mask: [B, 1, h, w]; sigma: [B]."""

    clean: torch.Tensor
    mask: torch.Tensor
    sigma: torch.Tensor
    noise: torch.Tensor

    def part(self, rows: slice | torch.Tensor) -> Batch:
        return Batch(self.clean[rows], self.mask[rows], self.sigma[rows], self.noise[rows])


class TrainingPictures:
    """The latents [V, C, h, w] and masks [V, 1, h, w] of all views, on the denoiser's device."""

    def __init__(
        self,
        clean: torch.Tensor,
        masks: torch.Tensor,
        denoiser: PrivateDenoiser,
        settings: Settings,
        noise: float,
        seed: int,
    ) -> None:
        self.clean = clean.to(denoiser.device, copy=True)
        self.masks = masks.to(denoiser.device, copy=True)
        self.denoiser, self.batch, self.seed = denoiser, settings.batch, seed
        used = (LEAST_NOISE, min(1.0, noise + BEYOND))
        self.low, self.high = used if settings.used_sigmas else (0.0, 1.0)

    def drawn(self, step: int) -> Batch:
        """The batch of a step; the noise of every second one is that of the one before, turned."""
        dice = own_generator(self.seed, "batch", step)
        views = torch.randperm(len(self.clean), generator=dice).repeat(self.batch)[: self.batch]
        fractions = strata(self.batch, self.low, self.high, dice)
        sign = 1 - 2 * (step % 2)
        noise = self._noise(self.batch, own_generator(self.seed, "noise", step // 2))
        return self._batch(views, fractions, sign * noise)

    def fixed(self, numbers: torch.Tensor) -> Batch:
        """Some pictures of the fixed set, the same for every seed."""
        return self._fixed_set.part(numbers.to(self.clean.device))

    @cached_property
    def _fixed_set(self) -> Batch:
        numbers = torch.arange(FIXED)
        fractions = self.low + (self.high - self.low) * (numbers + 0.5) / FIXED
        noise = [self._noise(1, own_generator(0, "fixed", number)) for number in range(FIXED)]
        return self._batch(numbers % len(self.clean), fractions, torch.cat(noise))

    def _batch(self, views: torch.Tensor, fractions: torch.Tensor, noise: torch.Tensor) -> Batch:
        views = views.to(self.clean.device)
        sigma = self.denoiser.sigmas(fractions)
        return Batch(self.clean[views], self.masks[views], sigma, noise)

    def _noise(self, count: int, generator: torch.Generator) -> torch.Tensor:
        return torch.randn(count, *self.clean.shape[1:], generator=generator).to(self.clean)
