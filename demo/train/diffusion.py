"""Stage 3: the text encoder and the UNet together, on cached latents.

Velocity prediction (Salimans and Ho 2022) on SD1.5's noise schedule gives the noisiest steps
enough weight for colours and composition to follow the text after few pictures. The first part
trains on latents at half size, four pictures in the time of one: it learns what words mean, and the
rest learns detail at full size. One caption in ten is dropped for guidance; a moving average of the
weights ships.

The learning rate stays constant, so that training can always be resumed. `cool_down` anneals a copy
to rate zero, and this copy ships.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import numpy as np
import torch

from . import workshop
from .latents import Batch, Scenes
from .painter import Painter, Training

WARM_UP = 3_200
REPORT = 6_400  # pictures
LAST = 0.1  # of a cooling run: what its moving average remembers at the end
LABELS, GROUNDING = 0.3, 0.3  # weights of the two losses from inside


@functools.cache
def alphas_cumprod(device: torch.device) -> torch.Tensor:
    """SD1.5's schedule: betas linear in their square roots, 0.00085 to 0.012, 1000 steps."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    return (1 - betas).cumprod(0).float().to(device)


def velocity_loss(painter: Painter, x, context, t, noise, control=None, **options) -> torch.Tensor:
    """Mean squared error of the predicted velocity alpha^0.5 noise - (1 - alpha)^0.5 x, [B].

    control: what a structure network adds, as the host's UNet takes it.
    """
    alpha = alphas_cumprod(x.device)
    a, s = alpha[t].sqrt()[:, None, None, None], (1 - alpha[t]).sqrt()[:, None, None, None]
    predicted = painter.unet(a * x + s * noise, t.float(), context, control=control, **options)
    return ((predicted.float() - (a * noise - s * x)) ** 2).mean((1, 2, 3))


def train(images: int, size: int) -> None:
    """Train at latent `size` until `images` pictures have been seen in all, at constant rate."""
    run(Training("diffusion"), images, size, warmed_up, step, unseen_loss)


def cool_down(images: int, size: int) -> None:
    """Take a copy of what `train` kept through `images` more pictures, to rate zero."""
    training = Training("cooled", start="diffusion")
    training.painter.memory = images * LAST
    kept = workshop.load("diffusion")
    assert kept is not None
    share_at = cooling(kept["seen"], images)
    run(training, kept["seen"] + images, size, share_at, step, unseen_loss)


def warmed_up(seen: int) -> float:
    """The share of the peak rates after `seen` pictures: constant after a short rise."""
    return min(1.0, (seen + 64) / WARM_UP)


def cooling(first: int, images: int) -> Callable[[int], float]:
    """The share of the peak rates, falling to zero over `images` pictures after the `first`."""
    return lambda seen: 1 - (seen - first) / images


def run(training: Training, images: int, size: int, share_at, step, unseen_loss) -> None:
    """Steps until `images` pictures have been seen; the state is kept every REPORT pictures."""
    painter, data = training.painter, Scenes()
    count = painter.batch[size]
    data.refresh()
    rng = np.random.default_rng([painter.seen, size])
    torch.manual_seed(painter.seen)
    started, losses = time.process_time(), []
    while painter.seen < images:
        losses.append(step(training, data.draw(rng, size, count), share_at(painter.seen)))
        if painter.seen % REPORT < count:
            record = {"images": painter.seen, "size": size, "scenes": len(data.captions)}
            means = np.mean(losses, 0).round(4).tolist()
            record |= dict(zip(("loss", "labels", "grounding"), means, strict=True))
            seconds = round(time.process_time() - started)
            unseen = round(unseen_loss(painter, data, size), 4)
            workshop.log(training.name, **record, unseen=unseen, cpu_seconds=seconds)
            training.keep()
            losses.clear()
            data.refresh()
    training.keep()


def step(training: Training, batch: Batch, share: float) -> tuple[float, float, float]:
    """One update; returns the loss of the velocity, of the labels and of the grounding."""
    painter, inside, count = training.painter, training.inside, len(batch.x)
    # stratified timesteps: every batch sees the whole schedule
    t = ((torch.arange(count) + torch.rand(count)) * (1000 / count)).long().to(batch.x.device)
    # the host's text encoder adds in place
    with torch.autograd.graph.allow_mutation_on_saved_tensors():
        with workshop.autocast():
            options = {"transformer_options": inside.transformer_options()}
            context, noise = painter.context(batch.tokens), torch.randn_like(batch.x)
            velocity = velocity_loss(painter, batch.x, context, t, noise, **options).mean()
            labels, grounding = inside.label_loss(batch), inside.grounding_loss(batch)
        training.step(velocity + LABELS * labels + GROUNDING * grounding, share)
    painter.seen += count
    painter.follow(count)
    return float(velocity.detach()), float(labels.detach()), float(grounding.detach())


@torch.no_grad()
def unseen_loss(painter: Painter, data: Scenes, size: int) -> float:
    """The average's loss on scenes that only measure, at the same noise every time."""
    trained = {name: value.clone() for name, value in painter.state().items()}
    painter.load(painter.average)
    batch = data.unseen(size)
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(batch.x.shape, generator=generator).to(batch.x)
    t = ((torch.arange(len(noise)) + 0.5) * (1000 / len(noise))).long().to(noise.device)
    losses = []
    with workshop.autocast():
        for part in torch.arange(len(noise)).split(50):
            context = painter.context(batch.tokens[part])
            losses.append(velocity_loss(painter, batch.x[part], context, t[part], noise[part]))
    painter.load(trained)
    return float(torch.cat(losses).mean())
