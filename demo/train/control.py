"""The structure network: a T2I adapter (Mou et al. 2024) that shows edges to the finished UNet.

The shipped weights are frozen. The loss is that of the velocity of finished pictures; the input
is the edges of the collage that each picture is made from, as in use. In some places the adapter's
outputs are set to 0, as a layer with control 0 does. Training is at full size only: at half size
the adapter learns to compensate for the UNet's weakness there, which harms full-size pictures.
"""

from __future__ import annotations

import time

import numpy as np
import torch
import torch.nn.functional as F

from ..architecture import EdgeAdapter
from . import packing, workshop
from .initial import initialise
from .painter import Painter
from .pairs import BATCH, UNSEEN, Batch, Pairs, prepare

PEAK_RATE, WARM_UP, COOL_DOWN = 1e-3, 800, 0.3
REPORT = 800  # pictures
SILENCED = 0.3  # share of the pictures of which a part is silenced
FILE = workshop.WEIGHTS / "demo_control.safetensors"


def train(scenes: int, images: int) -> None:
    """Train until `images` pictures have been seen in all, counting earlier runs; then pack."""
    pairs = Pairs(prepare(scenes))
    painter = Painter.fresh()
    painter.load(packing.shipped()[0])
    for network in (painter.unet, painter.text_encoder):
        network.requires_grad_(False)
    adapter, optimizer, seen = _resume()
    rng = np.random.default_rng([1, seen])
    torch.manual_seed(seen)
    started, losses = time.time(), []
    while seen < images:
        for group in optimizer.param_groups:
            group["lr"] = rate_at(seen, images)
        losses.append(step(painter, adapter, optimizer, pairs.draw(rng), rng))
        seen += BATCH
        if seen % REPORT == 0:
            record = {"images": seen, "loss": round(float(np.mean(losses)), 4)}
            seconds = round(time.time() - started)
            workshop.log("control", **record, **measure(painter, adapter, pairs), seconds=seconds)
            _keep(adapter, optimizer, seen)
            losses.clear()
    _keep(adapter, optimizer, seen)
    pack(adapter, seen)


def rate_at(seen: int, total: int) -> float:
    """Linear warm-up, constant, linear to zero over the last COOL_DOWN of all."""
    left = (1 - seen / total) / COOL_DOWN
    return PEAK_RATE * min(1.0, (seen + 64) / WARM_UP, max(left, 0.02))


def step(
    painter: Painter,
    adapter: EdgeAdapter,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    rng: np.random.Generator,
) -> float:
    """One update of the adapter; returns the loss."""
    control = silence(adapter(batch.edges), batch.x, rng)
    # the host's networks add in place
    with torch.autograd.graph.allow_mutation_on_saved_tensors():
        loss = velocity(painter, batch, _levels(len(batch.x)), control).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
    torch.nn.utils.clip_grad_norm_(adapter.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


def velocity(painter: Painter, batch: Batch, t: torch.Tensor, control: dict | None) -> torch.Tensor:
    """The loss of stage 3 for each picture, [B], with the adapter's outputs or without."""
    with torch.no_grad():
        context = painter.context(batch.tokens)
    return painter.velocity_loss(batch.x, context, t, torch.randn_like(batch.x), control)


def _levels(count: int) -> torch.Tensor:
    """Stratified noise levels, more of the high ones, where structure is made (Mou et al.)."""
    share = (torch.arange(count) + torch.rand(count)) / count
    return ((1 - share**3) * 1000).long().clamp(max=999).to(workshop.device())


def silence(control: dict[str, list], x: torch.Tensor, rng: np.random.Generator) -> dict:
    """The adapter's outputs, in some pictures without those of a rectangle or of all else."""
    B, _, H, W = x.shape
    kept = torch.ones(B, 1, H, W)
    for picture in np.flatnonzero(rng.random(B) < SILENCED):
        (top, bottom), (left, right) = (np.sort(rng.integers(0, n + 1, 2)) for n in (H, W))
        kept[picture, :, top:bottom, left:right] = 0
        if rng.random() < 0.5:
            kept[picture] = 1 - kept[picture]
    kept = kept.to(x.device)

    def quiet(level: torch.Tensor) -> torch.Tensor:
        return level * F.adaptive_avg_pool2d(kept, (level.shape[-2], level.shape[-1]))

    return {"input": [level if level is None else quiet(level) for level in control["input"]]}


@torch.no_grad()
def measure(painter: Painter, adapter: EdgeAdapter, pairs: Pairs) -> dict[str, float]:
    """Loss on unseen scenes, at the same noise each time, with the adapter and without."""
    losses = {"unseen": 0.0, "unseen_without": 0.0}
    with torch.random.fork_rng():
        for name in losses:
            torch.manual_seed(0)
            for batch in pairs.unseen():
                control = adapter(batch.edges) if name == "unseen" else None
                loss = velocity(painter, batch, _levels(len(batch.x)), control)
                losses[name] += float(loss.sum()) / UNSEEN
    return {name: round(loss, 4) for name, loss in losses.items()}


def pack(adapter: EdgeAdapter, seen: int) -> None:
    """Write the half-precision file that the pack ships."""
    weights = {name: value.half() for name, value in adapter.state_dict().items()}
    packing.write(FILE, weights, {"images": str(seen), "licence": "MIT"})
    workshop.log("control", images=seen, bytes=FILE.stat().st_size)


def _resume() -> tuple[EdgeAdapter, torch.optim.Optimizer, int]:
    adapter = EdgeAdapter()
    initialise(adapter, zero=("block2", *(f"exits.{n}" for n in range(3))))
    adapter.to(workshop.device())
    optimizer = torch.optim.AdamW(adapter.parameters(), betas=(0.9, 0.99), fused=True)
    kept = workshop.load("control")
    if kept is None:
        return adapter, optimizer, 0
    adapter.load_state_dict(kept["weights"])
    optimizer.load_state_dict(kept["optimizer"])
    return adapter, optimizer, kept["seen"]


def _keep(adapter: EdgeAdapter, optimizer: torch.optim.Optimizer, seen: int) -> None:
    state = {"weights": adapter.state_dict(), "optimizer": optimizer.state_dict(), "seen": seen}
    workshop.save("control", state)
