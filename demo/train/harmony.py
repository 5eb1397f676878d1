"""The recogniser of pasted objects: trained on pairs of a scene and its collage.

Both pictures of a pair show the same objects at the same places after the autoencoder, so that
neither sharpness nor content distinguishes them.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save

from collage_core.storage.atomic_write import write_whole

from .. import world
from ..evaluate.collages import LEAST_SHARE, SCENERY
from ..judges import harmony
from ..pack import load_pack
from . import workshop
from .judge import spoil

PAIRS, UNSEEN = 480, 100
PATCH = harmony.WINDOW + 32  # what goes through the autoencoder, for windows that move in it
BATCH = 16  # pairs
FIRST_SEED = 2_500_000

Autoencode = Callable[[torch.Tensor], torch.Tensor]


def pair(seed: int) -> torch.Tensor | None:
    """[2, 128, 128, 3] around the largest toy of a scene: coherent, pasted; None without one."""
    scene = world.scene(seed, "toys")
    shares = [
        0.0 if layer.kind in SCENERY else shown.mean()
        for layer, shown in zip(scene.layers, scene.visible, strict=True)
    ]
    if max(shares) < LEAST_SHARE:
        return None
    place = harmony.around(torch.from_numpy(scene.visible[np.argmax(shares)]), PATCH)
    return torch.stack([torch.from_numpy(p[place]) for p in (scene.picture, world.flatten(scene))])


def pairs(first_seed: int, count: int, autoencode: Autoencode) -> torch.Tensor:
    """`count` pairs [count, 2, 3, 128, 128] in bytes."""
    found: list[torch.Tensor] = []
    seed = first_seed
    while len(found) < count:
        both = pair(seed)
        if both is not None:
            found.append((autoencode(both).clamp(0, 1) * 255).round().byte().movedim(-1, 1))
        seed += 1
    return torch.stack(found)


@torch.inference_mode()
def examples() -> torch.Tensor:
    vae = load_pack().nodes.host.demo_model.loader.load_all()[2]
    return pairs(FIRST_SEED, PAIRS + UNSEEN, lambda both: vae.decode(vae.encode(both)))


def train(batches: int = 700) -> None:
    """Train from nothing and write the weights with their accuracy logged."""
    torch.manual_seed(0)
    started = time.process_time()
    data = examples().clone()
    model, rng = harmony.Harmony().to(workshop.device()), np.random.default_rng(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=batches)
    for batch in range(1, batches + 1):
        rows = rng.choice(PAIRS, BATCH, replace=False)
        windows = spoil(window(data[rows], rng).movedim(2, -1).flatten(0, 1), rng)
        logits = model(windows.movedim(-1, 1).to(workshop.device()))
        truth = torch.tensor([1.0, 0.0]).repeat(BATCH).to(logits.device)
        loss = F.binary_cross_entropy_with_logits(logits, truth)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if batch % 100 == 0:
            seconds = round(time.process_time() - started)
            workshop.log("harmony", batches=batch, loss=round(loss.item(), 4), cpu_seconds=seconds)
    workshop.log("harmony", **accuracy(model.cpu().eval(), data[PAIRS:]))
    weights = {k: v.half().contiguous() for k, v in model.state_dict().items()}
    write_whole(harmony.FILE, save(weights), replace=True)


def window(pairs: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """The same window out of patches [..., 128, 128] of bytes -> [0, 1], half of them mirrored."""
    top, left = rng.integers(0, PATCH - harmony.WINDOW + 1, 2)
    cut = pairs[..., top : top + harmony.WINDOW, left : left + harmony.WINDOW].float() / 255
    return cut.flip(-1) if rng.random() < 0.5 else cut


@torch.inference_mode()
def accuracy(model: harmony.Harmony, unseen: torch.Tensor) -> dict[str, float]:
    """Share of windows told rightly, and of pairs in which the scene scores above its collage."""
    edge = (PATCH - harmony.WINDOW) // 2
    middle = unseen[..., edge:-edge, edge:-edge].float() / 255
    logits = model(middle.flatten(0, 1)).unflatten(0, (-1, 2))
    right = torch.stack((logits[:, 0] > 0, logits[:, 1] < 0)).float()
    return {
        "unseen_pairs": len(unseen),
        "windows_right": round(right.mean().item(), 4),
        "pairs_right": round((logits[:, 0] > logits[:, 1]).float().mean().item(), 4),
    }
