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

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from . import workshop
from .latents import Batch, Scenes
from .painter import Training

WARM_UP = 3_200
REPORT = 6_400  # pictures
LAST = 0.1  # of a cooling run: what its moving average remembers at the end
LABELS, GROUNDING = 0.3, 0.3  # weights of the two losses from inside


def train(images: int, size: int) -> None:
    """Train at latent `size` until `images` pictures have been seen in all, at constant rate."""
    run(Training("diffusion"), images, size, warmed_up)


def cool_down(images: int, size: int, seconds: float = math.inf, peak: float = 1.0) -> None:
    """Take a copy of what `train` kept through `images` more pictures, to rate zero."""
    cool(Training("cooled", start="diffusion"), "diffusion", images, size, seconds, peak)


def cool(
    training: Training,
    start: str,
    images: int,
    size: int,
    seconds: float = math.inf,
    peak: float = 1.0,
) -> None:
    """Train through `images` pictures more than the state `start` has seen, to rate zero.

    Where `seconds` are over first, the rate is zero by then. peak: the share of the peak rates at
    the beginning; 1 after a training at constant rate, less for a state that was cooled before.
    """
    training.painter.memory = images * LAST
    kept = workshop.load(start)
    assert kept is not None
    share_at = cooling(kept["seen"], images, seconds)
    run(training, kept["seen"] + images, size, lambda seen: peak * share_at(seen))


def warmed_up(seen: int) -> float:
    """The share of the peak rates after `seen` pictures: constant after a short rise."""
    return min(1.0, (seen + 64) / WARM_UP)


def cooling(first: int, images: int, seconds: float = math.inf) -> Callable[[int], float]:
    """The share of the peak rates: zero after `images` pictures more than `first`, or `seconds`."""
    begun = time.monotonic()
    return lambda seen: (
        1 - min(1.0, max((seen - first) / images, (time.monotonic() - begun) / seconds))
    )


def run(training: Training, images: int, size: int, share_at: Callable[[int], float]) -> None:
    """Steps until `images` pictures have been seen or the rate is zero; kept at every report."""
    painter, data = training.painter, Scenes()
    count = painter.pictures_a_step(size)
    report = REPORT * max(1, count // 32)
    data.refresh()
    rng = np.random.default_rng([painter.seen, size])
    torch.manual_seed(painter.seen)
    started, losses = time.process_time(), []
    while painter.seen < images and (share := share_at(painter.seen)) > 0:
        losses.append(step(training, data.draw(rng, size, count), share))
        if painter.seen % report < count:
            record = {"images": painter.seen, "size": size, "scenes": len(data.captions)}
            means = torch.stack(losses).mean(0).tolist()
            names = ("loss", "labels", "grounding")
            record |= {name: round(mean, 4) for name, mean in zip(names, means, strict=True)}
            seconds = round(time.process_time() - started)
            unseen = round(unseen_loss(painter, data, size), 4)
            workshop.log(training.name, **record, unseen=unseen, cpu_seconds=seconds)
            training.keep()
            losses.clear()
            data.refresh()
    training.keep()


def step(training: Training, batch: Batch, share: float) -> torch.Tensor:
    """One update; returns the losses of the velocity, of the labels and of the grounding, [3]."""
    painter, inside, count = training.painter, training.inside, len(batch.x)
    device = batch.x.device
    # stratified: every batch sees the whole schedule; rounded up, t would be beyond its end
    t = (torch.arange(count, device=device) + torch.rand(count, device=device)) / count
    t = t.clamp(max=1 - 1e-6)
    with workshop.autocast():
        options = {"transformer_options": inside.transformer_options()}
        if painter.teacher is not None:
            options["targets"] = partial(painter.teacher.targets, tokens=batch.tokens)
        context, noise = painter.context(batch.tokens), torch.randn_like(batch.x)
        losses = painter.velocity_loss(batch.x, context, t * painter.last, noise, **options)
        velocity = losses.mean()
        labels, grounding = inside.label_loss(batch), inside.grounding_loss(batch)
    training.step(velocity + LABELS * labels + GROUNDING * grounding, share)
    painter.seen += count
    painter.follow(count)
    return torch.stack([velocity, labels, grounding]).detach()


@torch.no_grad()
def unseen_loss(painter: Any, data: Scenes, size: int) -> float:
    """The average's loss on scenes that only measure, at the same noise every time."""
    trained = {name: value.clone() for name, value in painter.state().items()}
    painter.load(painter.average)
    batch = data.unseen(size)
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(batch.x.shape, generator=generator).to(batch.x)
    t = ((torch.arange(len(noise)) + 0.5) * (painter.last / len(noise))).to(noise)
    losses = []
    with workshop.autocast():
        for part in torch.arange(len(noise)).split(50):
            context = painter.context(batch.tokens[part])
            losses.append(painter.velocity_loss(batch.x[part], context, t[part], noise[part]))
    painter.load(trained)
    return float(torch.cat(losses).mean())
