"""Stage 3: the text encoder and the UNet together, on cached latents.

Velocity prediction (Salimans and Ho 2022) on SD1.5's noise schedule: it weights the noisiest
steps enough for colours and composition to follow the text after few pictures. The first part
sees latents at half size, four pictures in the time of one: what words mean is learned there,
and detail at full size. One caption in ten is dropped for guidance; what ships is a moving
average of the weights.

On a CPU every core runs a worker of its own with a share of the batch: convolutions this small
gain less from a second thread than from a second worker.
"""

from __future__ import annotations

import functools
import os
import tempfile
import threading
import time
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing.spawn as processes

from . import workshop
from .latents import Captions, Latents, Source
from .painter import Painter, keep, resume

BATCH = {16: 32, 32: 16}  # of all workers, by size of the latents
WARM_UP = 6400
COOL_DOWN = 0.3
REPORT = 3200  # pictures


@functools.cache
def alphas_cumprod(device: torch.device) -> torch.Tensor:
    """SD1.5's schedule: betas linear in their square roots, 0.00085 to 0.012, 1000 steps."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    return (1 - betas).cumprod(0).float().to(device)


def velocity_loss(painter: Painter, x, context, t, noise, control=None) -> torch.Tensor:
    """Mean squared error of the predicted velocity alpha^0.5 noise - (1 - alpha)^0.5 x, [B].

    control: what a structure network adds, as the host's UNet takes it.
    """
    alpha = alphas_cumprod(x.device)
    a, s = alpha[t].sqrt()[:, None, None, None], (1 - alpha[t]).sqrt()[:, None, None, None]
    predicted = painter.unet(a * x + s * noise, t.float(), context, control=control)
    return ((predicted - (a * noise - s * x)) ** 2).mean((1, 2, 3))


def rate_at(seen: int, total: int, peak: float, warm_up: int = WARM_UP) -> float:
    """Linear warm-up, constant, linear to zero over the last COOL_DOWN of all."""
    left = (1 - seen / total) / COOL_DOWN
    return peak * min(1.0, (seen + 64) / warm_up, max(left, 0.02))


@dataclass(frozen=True)
class Part:
    """One part of the training: at latent `size` until `until` of `images` pictures were seen.

    `images` is what all parts together will see: the learning rate follows it.
    """

    images: int
    size: int
    until: int
    peak_rate: float = 6e-4


def train(part: Part) -> None:
    """One worker on a GPU, one for each core on a CPU."""
    if torch.cuda.is_available():
        work(0, 1, part)
        return
    workers = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder:
        rendezvous = f"file://{folder}/workers"
        processes.spawn(_join, (workers, part, rendezvous), nprocs=workers)


def _join(rank: int, workers: int, part: Part, rendezvous: str) -> None:
    torch.set_num_threads(1)
    threading.Thread(target=_leave_with, args=(os.getppid(),), daemon=True).start()
    dist.init_process_group("gloo", init_method=rendezvous, rank=rank, world_size=workers)
    work(rank, workers, part)
    dist.destroy_process_group()


def _leave_with(parent: int) -> None:
    """A worker whose parent was killed would train on, unseen."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def work(rank: int, workers: int, part: Part) -> None:
    """Train on this worker's share of every batch; the first worker reports and keeps."""
    painter, optimizer = resume()
    data = Latents(workshop.WORKSHOP / "latents")
    data.refresh()
    rng = np.random.default_rng([painter.seen, rank])
    source = Source(data, Captions(), part.size, BATCH[part.size] // workers, rng)
    torch.manual_seed(painter.seen * workers + rank)
    started, losses = time.time(), []
    while painter.seen < part.until:
        for group in optimizer.param_groups:
            group["lr"] = rate_at(painter.seen, part.images, part.peak_rate)
        losses.append(step(painter, optimizer, *source.draw(), workers=workers))
        if painter.seen % REPORT == 0 and rank == 0:
            report(painter, losses, part.size, len(data.captions), time.time() - started)
            keep(painter, optimizer)
        if painter.seen % REPORT == 0:
            losses.clear()
            data.refresh()
    if rank == 0:
        keep(painter, optimizer)


def share_gradients(parameters: list[torch.nn.Parameter], workers: int) -> None:
    """Replace every gradient by its mean over the workers, in one exchange."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= workers
    parts = flat.split([gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def step(painter: Painter, optimizer: torch.optim.Optimizer, x, tokens, workers: int = 1) -> float:
    """One update on latents [B, 4, h, w] and token ids [B, 77] a worker; returns the loss."""
    batch = len(x)
    # stratified timesteps: every batch sees the whole schedule
    t = ((torch.arange(batch) + torch.rand(batch)) * (1000 / batch)).long().to(x.device)
    # the host's text encoder adds in place
    with torch.autograd.graph.allow_mutation_on_saved_tensors():
        context = painter.context(tokens)
        loss = velocity_loss(painter, x, context, t, torch.randn_like(x)).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
    if workers > 1:
        share_gradients(painter.parameters(), workers)
    torch.nn.utils.clip_grad_norm_(painter.parameters(), 1.0)
    optimizer.step()
    painter.seen += batch * workers
    painter.follow(batch * workers)
    return float(loss.detach())


def report(painter, losses: list[float], size: int, scenes: int, seconds: float) -> None:
    counts = {"images": painter.seen, "size": size, "scenes": scenes, "seconds": round(seconds)}
    workshop.log("diffusion", loss=round(float(np.mean(losses)), 4), **counts)
