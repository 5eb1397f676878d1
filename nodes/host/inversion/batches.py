"""Which view of the layer is noised how, in training and on the fixed set."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch

from ....collage_core.inversion.loss import seeded_generator, stratified
from .networks import TrainableDenoiser
from .task import Task

FIXED_PICTURES = 16  # of the fixed set
# fractions of the noise schedule
MIN_NOISE = 0.02
NOISE_MARGIN = 0.1  # above the layer's own noise


@dataclass(frozen=True, eq=False)
class Batch:
    """B noised views, for example `pictures.drawn(step=0)`.

    clean, noise: [B, C, h, w]; mask: [B, 1, h, w]; sigma: [B].
    """

    clean: torch.Tensor
    mask: torch.Tensor
    sigma: torch.Tensor
    noise: torch.Tensor

    def part(self, rows: slice | torch.Tensor) -> Batch:
        return Batch(self.clean[rows], self.mask[rows], self.sigma[rows], self.noise[rows])


class TrainingPictures:
    """The latents [V, C, h, w] and masks [V, 1, h, w] of all views, on the denoiser's device."""

    def __init__(self, task: Task, latents: torch.Tensor, denoiser: TrainableDenoiser) -> None:
        self.clean = latents.to(denoiser.device, copy=True)
        self.masks = task.views.cells(task.family.cell).to(denoiser.device, copy=True)
        self.denoiser, self.batch, self.seed = denoiser, task.settings.batch, task.seed
        used = (MIN_NOISE, min(1.0, task.layer.noise + NOISE_MARGIN))
        self.low, self.high = used if task.settings.used_sigmas else (0.0, 1.0)

    def drawn(self, step: int) -> Batch:
        """The batch of a step. Two steps in turn have opposite noise, so that it cancels out."""
        rng = seeded_generator(self.seed, "batch", step)
        views = torch.randperm(len(self.clean), generator=rng).repeat(self.batch)[: self.batch]
        fractions = stratified(self.batch, self.low, self.high, rng)
        sign = 1 - 2 * (step % 2)
        noise = self._noise(self.batch, seeded_generator(self.seed, "noise", step // 2))
        return self._batch(views, fractions, sign * noise)

    def fixed(self, numbers: torch.Tensor) -> Batch:
        """Pictures of the fixed set by number [N]; they are the same for every seed."""
        return self._fixed_set.part(numbers.to(self.clean.device))

    @cached_property
    def _fixed_set(self) -> Batch:
        numbers = torch.arange(FIXED_PICTURES)
        fractions = self.low + (self.high - self.low) * (numbers + 0.5) / FIXED_PICTURES
        noise = [self._noise(1, seeded_generator(0, "fixed", n)) for n in range(FIXED_PICTURES)]
        return self._batch(numbers % len(self.clean), fractions, torch.cat(noise))

    def _batch(self, views: torch.Tensor, fractions: torch.Tensor, noise: torch.Tensor) -> Batch:
        views = views.to(self.clean.device)
        sigma = self.denoiser.sigmas(fractions)
        return Batch(self.clean[views], self.masks[views], sigma, noise)

    def _noise(self, count: int, rng: torch.Generator) -> torch.Tensor:
        return torch.randn(count, *self.clean.shape[1:], generator=rng).to(self.clean)
