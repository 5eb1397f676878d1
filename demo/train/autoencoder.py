"""Stage 1: the autoencoder, factor 8, on random crops of rendered pictures.

Loss: absolute error, and absolute error of the picture's gradients at three scales, which keeps
edges sharp without a pretrained critic. Training adds a little noise to the latents, so that the
decoder tolerates small errors of the UNet. Latents at half size must decode to the picture at half
size (Skorokhodov et al. 2025), so that latents hide no fine detail and the UNet can begin its
training at half size.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from ..architecture import AUTOENCODER, Autoencoder
from . import scenes, workshop
from .initial import initialise
from .muon import Muon

CROP, BATCH = 64, 16
UNSEEN = 50  # pictures of the first shard that only measure
NOISE = 0.1  # of latents, whose spread the loss holds near 1
HALF_SIZE = 0.25  # weight of decoding at half size
SPREAD = 1e-2  # weight of the latents' distance from a spread of 1
MUON_RATE, ADAM_RATE = 0.01, 5e-4
WARM_UP, COOL_DOWN = 3_200, 0.3
REPORT = 8_000  # crops


class Trained:
    """The autoencoder with its optimisers, and how many crops it has seen."""

    def __init__(self) -> None:
        self.model = Autoencoder(**AUTOENCODER).to(workshop.device())
        initialise(self.model, zero=(".second",))
        ends = ("encoder.1.weight", f"decoder.{len(self.model.decoder) - 2}.weight")
        named = dict(self.model.named_parameters())
        matrices = [p for name, p in named.items() if p.ndim > 1 and name not in ends]
        others = [p for name, p in named.items() if p.ndim == 1 or name in ends]
        self.optimizers = {
            MUON_RATE: Muon(matrices, MUON_RATE),
            ADAM_RATE: torch.optim.AdamW(others, ADAM_RATE, betas=(0.9, 0.99)),
        }
        self.seen = 0
        kept = workshop.load("autoencoder")
        if kept is not None:
            self.model.load_state_dict(kept["weights"])
            self.seen = kept["seen"]
            for optimizer, state in zip(self.optimizers.values(), kept["optimizers"], strict=False):
                optimizer.load_state_dict(state)

    def keep(self) -> None:
        optimizers = [optimizer.state_dict() for optimizer in self.optimizers.values()]
        state = {"weights": self.model.state_dict(), "seen": self.seen, "optimizers": optimizers}
        workshop.save("autoencoder", state)

    def set_rates(self, crops: int) -> None:
        left = (1 - self.seen / crops) / COOL_DOWN
        share = min(1.0, (self.seen + BATCH) / WARM_UP, max(left, 0.01))
        for rate, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = rate * share

    def step(self, loss: torch.Tensor) -> None:
        for optimizer in self.optimizers.values():
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers.values():
            optimizer.step()


def train(crops: int, *, freeze_encoder: bool = False) -> None:
    """Train until `crops` crops have been seen in all, counting earlier runs."""
    trained = Trained()
    trained.model.encoder.requires_grad_(not freeze_encoder)
    torch.manual_seed(trained.seen)
    source = draw_crops(np.random.default_rng(trained.seen))
    started, window = time.process_time(), []
    while trained.seen < crops:
        trained.set_rates(crops)
        loss, error = step_loss(trained.model, next(source).to(workshop.device()))
        trained.step(loss)
        trained.seen += BATCH
        window.append(error)
        if trained.seen % REPORT == 0:
            record = {"crops": trained.seen, "error_255": round(float(np.mean(window)) * 127.5, 2)}
            seconds = round(time.process_time() - started)
            unseen = round(unseen_error(trained.model) * 127.5, 2)
            workshop.log("autoencoder", **record, unseen_255=unseen, cpu_seconds=seconds)
            window.clear()
            trained.keep()
    trained.keep()


def step_loss(model: Autoencoder, x: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Loss of one batch [B, 3, H, W] in [-1, 1], and its mean absolute error."""
    with workshop.autocast():
        z = model.encode(x).float()
        small = model.decode(F.avg_pool2d(z, 2)).float()
        restored = model.decode(z + NOISE * torch.randn_like(z)).float()
    spread = ((z**2).mean((0, 2, 3)) - 1).abs().mean()
    loss = picture_loss(restored, x) + HALF_SIZE * picture_loss(small, F.avg_pool2d(x, 2))
    return loss + SPREAD * spread, float((restored - x).detach().abs().mean())


def picture_loss(restored: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Absolute error, and that of horizontal and vertical gradients at full, 1/2 and 1/4 size."""
    difference = restored - x
    total = difference.abs().mean()
    for weight in (1.0, 0.5, 0.5):
        slopes = difference.diff(dim=2).abs().mean() + difference.diff(dim=3).abs().mean()
        total = total + weight * slopes
        difference = F.avg_pool2d(difference, 2)
    return total


def draw_crops(rng: np.random.Generator) -> Iterator[torch.Tensor]:
    """Batches [BATCH, 3, CROP, CROP] in [-1, 1]: parts of pictures, half of them mirrored.

    One shard after the other is in memory; new shards are taken in as they come.
    """
    while True:
        paths = scenes.paths()
        pictures = np.load(paths[rng.integers(len(paths))])["pictures"][UNSEEN:]
        for _ in range(500):
            crops = np.empty((BATCH, CROP, CROP, 3), np.uint8)
            for crop in crops:
                top, left = rng.integers(0, pictures.shape[1] - CROP + 1, 2)
                picture = pictures[rng.integers(len(pictures))]
                crop[:] = picture[top : top + CROP, left : left + CROP][:, :: rng.choice((-1, 1))]
            yield to_tensor(crops)


def to_tensor(pictures: np.ndarray) -> torch.Tensor:
    """uint8 [N, H, W, 3] -> float [N, 3, H, W] in [-1, 1]."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def unseen_error(model: Autoencoder) -> float:
    """Mean absolute error over held-out pictures, with weights rounded to half precision."""
    pictures = np.load(scenes.path_of(0))["pictures"][:UNSEEN]
    errors = []
    for batch in np.array_split(pictures, 5):
        x = to_tensor(batch).to(workshop.device())
        errors.append((model.decode(model.encode(x)).clamp(-1, 1) - x).abs().mean())
    return float(torch.stack(errors).mean())


def load_model() -> Autoencoder:
    """The autoencoder as trained so far."""
    return Trained().model.eval()


@torch.no_grad()
def finish_encoder() -> None:
    """Normalise the latents to mean 0 and standard deviation 1, as diffusion expects them.

    From here on the encoder must not change.
    """
    trained = Trained()
    pictures = np.load(scenes.path_of(0))["pictures"][UNSEEN::4]
    z = trained.model.encode(to_tensor(pictures).to(workshop.device()))
    normalise(trained.model, z)
    trained.keep()


@torch.no_grad()
def normalise(model: Autoencoder, z: torch.Tensor) -> None:
    """Fold mean and spread of every channel of z into the convolutions around the latent.

    Decoding still inverts encoding, except at the border, which is padded with
    zeros of the new latents.
    """
    shift, scale = z.mean((0, 2, 3)), 1 / z.std((0, 2, 3))
    before: Any = model.encoder[-1]
    after: Any = model.decoder[0]
    before.weight *= scale[:, None, None, None]
    before.bias.copy_((before.bias - shift) * scale)
    after.bias += after.weight.sum((2, 3)) @ shift
    after.weight /= scale[None, :, None, None]
