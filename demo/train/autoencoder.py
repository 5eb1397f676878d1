"""Stage 1: the KL autoencoder, factor 8, on random crops of pictures and collages.

Loss: absolute error at full and at latent size (colours), absolute error of the picture's
gradients at three scales (which keeps edges crisp without a pretrained critic), and a small KL
term (Kingma and Welling 2014).
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from comfy.ldm.models.autoencoder import AutoencoderKL

from ..architecture import AUTOENCODER
from . import pictures, workshop
from .initial import initialise, start_as_box_filter

SCENES = 400
CROP = 64
BATCH = 16
LATENT_STD = 1 / 0.18215  # the spread SD1.5's latent format expects


def train(crops: int, *, freeze_encoder: bool = False, peak_rate: float = 3e-4) -> None:
    """Train until `crops` crops have been seen in all, counting earlier runs."""
    data = pictures.autoencoder_set(workshop.WORKSHOP, SCENES)
    model, optimizer, seen = _resume(peak_rate)
    torch.manual_seed(seen)
    model.encoder.requires_grad_(not freeze_encoder)
    model.quant_conv.requires_grad_(not freeze_encoder)
    rng = np.random.default_rng(seen)
    started, window = time.time(), []
    while seen < crops:
        for group in optimizer.param_groups:
            group["lr"] = peak_rate * min(1.0, (seen + BATCH) / 1600, 4 * (1 - seen / crops) + 0.02)
        x = random_crops(data, rng).to(workshop.device())
        loss, error = step_loss(model, x)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        seen += BATCH
        window.append(error)
        if seen % (BATCH * 100) == 0:
            seconds = round(time.time() - started)
            mean = round(float(np.mean(window)), 5)
            window.clear()
            workshop.log("autoencoder", crops=seen, mean_error=mean, seconds=seconds)
            _keep(model, optimizer, seen)
    _keep(model, optimizer, seen)


def step_loss(model: AutoencoderKL, x: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Loss of one batch [B, 3, H, W] in [-1, 1], and its mean absolute error."""
    moments = model.quant_conv(model.encoder(x))
    mean, log_variance = moments.chunk(2, dim=1)
    log_variance = log_variance.clamp(-20, 10)
    z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
    restored = model.decoder(model.post_quant_conv(z))
    kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).mean()
    error = (restored - x).abs().mean()
    tint = F.avg_pool2d(restored - x, 8).abs().mean()
    loss = 2 * error + 2 * tint + 0.7 * gradient_error(restored, x) + 1e-3 * kl
    return loss, float(error)


def gradient_error(restored: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of horizontal and vertical gradients at full, 1/2, 1/4 size."""
    total = restored.new_zeros(())
    for _ in range(3):
        difference = restored - x
        total = total + difference.diff(dim=2).abs().mean() + difference.diff(dim=3).abs().mean()
        restored, x = F.avg_pool2d(restored, 2), F.avg_pool2d(x, 2)
    return total


def random_crops(data: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
    """[BATCH, 3, CROP, CROP] in [-1, 1], mirrored half of the time."""
    out = np.empty((BATCH, CROP, CROP, 3), np.uint8)
    for index in range(BATCH):
        top, left = rng.integers(0, 256 - CROP + 1, 2)
        picture = data[rng.integers(len(data))]
        out[index] = picture[top : top + CROP, left : left + CROP][:, :: rng.choice((-1, 1))]
    return pictures.to_tensor(out)


def keep_weights(state: dict[str, torch.Tensor]) -> None:
    """Go on from these weights, with a fresh optimiser and the count of crops as it is."""
    model, _, seen = _resume(0.0)
    model.load_state_dict(state)
    _keep(model, torch.optim.AdamW(model.parameters(), betas=(0.9, 0.99)), seen)


def load_model() -> AutoencoderKL:
    """The autoencoder as trained so far."""
    return _resume(0.0)[0].eval()


def scaled_latent(model: Any, x: torch.Tensor) -> torch.Tensor:
    """Pictures [B, 3, H, W] in [-1, 1] -> latents [B, 4, H/8, W/8] as the UNet sees them."""
    return model.quant_conv(model.encoder(x)).chunk(2, dim=1)[0] / LATENT_STD


def finish_encoder() -> None:
    """Give the latents their final spread; from here on the encoder must not change."""
    model, _, seen = _resume(0.0)
    data = pictures.autoencoder_set(workshop.WORKSHOP, SCENES)
    normalise(model, pictures.to_tensor(np.array(data[:200:5])).to(workshop.device()))
    fresh = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.99))
    _keep(model, fresh, seen)


@torch.no_grad()
def normalise(model: Any, x: torch.Tensor) -> None:
    """Fold each latent channel's mean and spread over x into the 1 x 1 convolutions around it.

    SD1.5's latent format then fits unchanged; encoding and decoding stay each other's inverse.
    """
    mean = model.quant_conv(model.encoder(x)).chunk(2, dim=1)[0]
    shift = mean.mean((0, 2, 3))
    scale = LATENT_STD / mean.std((0, 2, 3))
    channels = len(shift)
    before, after = model.quant_conv, model.post_quant_conv
    after.bias += after.weight[:, :, 0, 0] @ shift
    after.weight /= scale[None, :, None, None]
    before.bias[:channels] = (before.bias[:channels] - shift) * scale
    before.weight[:channels] *= scale[:, None, None, None]
    before.bias[channels:] += 2 * scale.log()


def _resume(rate: float) -> tuple[AutoencoderKL, torch.optim.Optimizer, int]:
    model = AutoencoderKL(**AUTOENCODER).to(workshop.device())
    initialise(model, zero=("conv2", "attn_1.proj_out"))
    start_as_box_filter(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.99))
    kept = workshop.load("autoencoder")
    if kept is None:
        return model, optimizer, 0
    model.load_state_dict(kept["model"])
    optimizer.load_state_dict(kept["optimizer"])
    return model, optimizer, kept["seen"]


def _keep(model: AutoencoderKL, optimizer: torch.optim.Optimizer, seen: int) -> None:
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "seen": seen}
    workshop.save("autoencoder", state)
