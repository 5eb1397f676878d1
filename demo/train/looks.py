"""The recogniser of looks: trained on scenes of the world, measured on scenes it has not seen.

Every picture goes through the autoencoder, as pictures of the demo model do.
"""

from __future__ import annotations

import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save

from collage_core.storage.atomic_write import write_whole

from ..architecture import AUTOENCODER, Autoencoder
from ..judges import judge, looks
from ..world.looks import mixed
from . import autoencoder, packing, workshop
from .judge import spoil

SCENES, UNSEEN = 320, 80
FIRST_SEED = 4_100_000
BATCH, RATE = 16, 3e-3
SPOILED = 2  # readings of every scene
HALF = 0.5  # of a toy's own cells have to be told right


@torch.no_grad()
def examples() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Readings [N, SPOILED, 96, 32, 32], the toy of every cell [N, 32, 32], and the looks of a
    scene's toys [N, 7], with -1 behind the last."""
    coder = Autoencoder(**AUTOENCODER).to(workshop.device()).eval()
    coder.load_state_dict(packing.shipped()[1])
    model, rng = judge.load_judge().to(workshop.device()), np.random.default_rng(0)
    readings, owners, told = [], [], []
    for seed in range(FIRST_SEED, FIRST_SEED + SCENES + UNSEEN):
        scene, kinds = mixed(seed)
        x = autoencoder.to_tensor(np.round(scene.picture * 255).astype(np.uint8)[None])
        picture = (coder.decode(coder.encode(x.to(workshop.device()))).movedim(1, -1) + 1) / 2
        others = [spoil(picture, rng) for _ in range(SPOILED - 1)]
        pictures = torch.cat([picture.clamp(0, 1), *others])
        readings.append(model.features(pictures.movedim(-1, 1)).half().cpu())
        owners.append(judge.owners(scene))
        # the wall and the ground have no look
        each = torch.tensor([0, 0, *(looks.CLASSES.index(kind) for kind in kinds)])
        told.append(F.pad(each, (0, 7 - len(each)), value=-1))
    return torch.stack(readings), torch.stack(owners), torch.stack(told)


def train(batches: int = 600) -> None:
    """Train from nothing and write the weights with their accuracy logged."""
    torch.manual_seed(0)
    started, rng = time.process_time(), np.random.default_rng(0)
    readings, owners, told = (part.to(workshop.device()) for part in examples())
    truth = torch.gather(told, 1, owners.flatten(1)).view_as(owners)
    model = looks.Looks().to(workshop.device())
    optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=batches)
    for batch in range(1, batches + 1):
        rows = torch.from_numpy(rng.choice(SCENES, BATCH, replace=False))
        logits = model(readings[rows, int(rng.integers(SPOILED))].float())
        loss = F.cross_entropy(logits, truth[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if batch % 200 == 0:
            seconds = round(time.process_time() - started)
            workshop.log("looks", batches=batch, loss=round(loss.item(), 4), cpu_seconds=seconds)
    unseen = readings[SCENES:, 0].float(), owners[SCENES:], told[SCENES:]
    workshop.log("looks", **accuracy(model.eval(), *unseen))
    weights = {name: value.half().cpu() for name, value in model.state_dict().items()}
    write_whole(looks.FILE, save(weights), replace=True)


@torch.no_grad()
def accuracy(model: looks.Looks, readings, owners, told) -> dict[str, float]:
    """Share of toys that are told right by HALF of their cells, and of cells with another toy's
    look, on unseen scenes."""
    seen = model(readings).argmax(1)
    right, toys, foreign, cells = 0, 0, 0, 0
    for found, owner, each in zip(seen, owners, told, strict=True):
        for number, look in enumerate(each.tolist()):
            own = found[owner == number]
            if look < 0 or not len(own):
                continue
            foreign += int(((own != look) & (own > 0)).sum())
            cells += len(own)
            if number > 1:
                toys += 1
                right += float((own == look).float().mean()) >= HALF
    return {
        "unseen_scenes": len(seen),
        "toys": toys,
        "toys_right": round(right / toys, 4),
        "foreign_cells": round(foreign / cells, 5),
    }
