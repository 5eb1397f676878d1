"""The first painter as the teacher of the transformer.

Of a noisy picture the original can only be guessed, so noise - latent of one picture scatters
around what a network can learn, the mean. A painter that was trained longer knows this mean;
learning from its prediction needs fewer pictures (knowledge distillation, Hinton et al. 2015, arXiv
1503.02531).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch

from . import painter


@dataclass(frozen=True)
class Teacher:
    """A UNet and its text encoder, trained on latents of full size, as a flow."""

    painter: painter.Painter

    @staticmethod
    def trained() -> Teacher:
        first = painter.Painter.fresh()
        first.load(painter.trained()[0])
        return Teacher(first)

    @torch.no_grad()
    def targets(
        self, mixed: torch.Tensor, t: torch.Tensor, truth: torch.Tensor, tokens: torch.Tensor
    ) -> torch.Tensor:
        """Its guess of noise - latent, and beyond the noise it was trained on `truth`.

        mixed: (1 - t) latent + t noise, like truth [B, C, h, w]; t: [B]; tokens: ids [B, 77].
        """
        guess = velocity(self.painter.unet, mixed, t, self.painter.context(tokens)).to(truth)
        known = t < noisiest(t.device)
        return torch.where(known[:, None, None, None], guess, truth)


@functools.cache
def noisiest(device: torch.device) -> float:
    """The time of the flow whose share of noise is that of SD1.5's last step."""
    deviation = _deviations(device)[-1]
    return float(deviation / (1 + deviation))


def velocity(unet, mixed: torch.Tensor, t: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
    """noise - latent from the velocity of a network on SD1.5's schedule.

    The flow's time t and the schedule's step are the same where noise and latent have the same
    ratio, t / (1 - t); there one input is a multiple of the other.
    """
    logs = _deviations(t.device).log()
    ratio = (t.log() - (1 - t).log()).clamp(logs[0], logs[-1])
    after = torch.searchsorted(logs, ratio).clamp(min=1)
    step = after - (logs[after] - ratio) / (logs[after] - logs[after - 1])
    length = ((1 - t) ** 2 + t**2).sqrt()[:, None, None, None]
    a, s = (1 - t)[:, None, None, None] / length, t[:, None, None, None] / length
    x = mixed / length
    predicted = unet(x, step, context)
    return (s * x + a * predicted) - (a * x - s * predicted)


@functools.cache
def _deviations(device: torch.device) -> torch.Tensor:
    """Noise over signal at every step of SD1.5's schedule."""
    alpha = painter.alphas_cumprod(device)
    return ((1 - alpha) / alpha).sqrt()
