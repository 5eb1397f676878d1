"""The judge: trained on pictures of the world, measured on scenes it has not seen."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save

from collage_core.storage.atomic_write import write_whole, writing

from .. import world
from ..judges import judge
from . import workshop

SCENES, UNSEEN = 3000, 300
BATCH = 16
CROP = 20  # cells of 32: a part of a scene has 0.4 of its pixels to compute with
FIRST_SEED = 2_000_000


def example(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """uint8 picture [256, 256, 3] and the kind and colour of its cells, [32, 32] each."""
    scene = world.scene(seed, collage=False)
    kinds, colors = judge.labels(scene)
    picture = np.round(scene.picture * 255).astype(np.uint8)
    return picture, kinds.numpy().astype(np.uint8), colors.numpy().astype(np.uint8)


def examples(folder: Path) -> list[np.ndarray]:
    """Pictures, kinds and colours of SCENES + UNSEEN scenes, kept on disk."""
    parts = ("pictures", "kinds", "colors")
    names = [folder / f"judge_{SCENES + UNSEEN}_{part}.npy" for part in parts]
    if not names[-1].exists():
        seeds = range(FIRST_SEED, FIRST_SEED + SCENES + UNSEEN)
        with multiprocessing.Pool() as pool:
            made = pool.map(example, seeds, chunksize=16)
        folder.mkdir(parents=True, exist_ok=True)
        for path, column in zip(names, zip(*made, strict=True), strict=True):
            with writing(path, replace=True) as file:
                np.save(file, np.stack(column))
    return [np.load(path, mmap_mode="r") for path in names]


def train(batches: int = 1600) -> None:
    """Train on from the shipped weights, if any, and write them with their accuracy logged."""
    torch.manual_seed(0)
    data = examples(workshop.WORKSHOP)
    model = (judge.load_judge() if judge.FILE.exists() else judge.Judge()).train()
    model.to(workshop.device())
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=batches)
    rng, started = np.random.default_rng(0), time.time()
    for batch in range(1, batches + 1):
        rows = np.sort(rng.choice(SCENES, BATCH, replace=False))
        picture, kinds, colors = crop([part[rows] for part in data], rng)
        x = spoil(picture.float() / 255, rng).to(workshop.device())
        kind, color = model(x.movedim(-1, 1))
        loss = F.cross_entropy(kind, kinds.long().to(x.device))
        loss = loss + F.cross_entropy(color, colors.long().to(x.device))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if batch % 100 == 0:
            seconds = round(time.time() - started)
            workshop.log("judge", batches=batch, loss=round(float(loss), 4), seconds=seconds)
    workshop.log("judge", **accuracy(model.cpu().eval(), [part[SCENES:] for part in data]))
    weights = {name: value.half() for name, value in model.state_dict().items()}
    write_whole(judge.FILE, save(weights), replace=True)


def crop(parts: list[np.ndarray], rng: np.random.Generator) -> list[torch.Tensor]:
    """The same CROP x CROP cells out of pictures, kinds and colours, mirrored half the time."""
    top, left = rng.integers(0, parts[1].shape[1] - CROP + 1, 2)
    mirror = -1 if rng.random() < 0.5 else 1
    cropped = []
    for part in parts:
        cell = part.shape[1] // parts[1].shape[1]
        rows, cols = (slice(cell * at, cell * (at + CROP)) for at in (top, left))
        cropped.append(torch.from_numpy(part[:, rows, cols][:, :, ::mirror].copy()))
    return cropped


def spoil(picture: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """[B, H, W, 3] a little darker or lighter, sometimes soft, noisy.

    What a generated picture may be without being another object.
    """
    picture = picture * float(rng.uniform(0.85, 1.15))
    if rng.random() < 0.6:
        small = F.avg_pool2d(picture.movedim(-1, 1), int(rng.integers(2, 4)))
        size = picture.shape[1:3]
        picture = F.interpolate(small, size, mode="bilinear", align_corners=False).movedim(1, -1)
    return (picture + 0.02 * torch.randn_like(picture)).clamp(0, 1)


@torch.inference_mode()
def accuracy(model: judge.Judge, data: list[np.ndarray]) -> dict[str, float]:
    """Share of objects whose cells mostly get the right kind, and of cells, on unseen scenes."""
    right = objects = right_color = cells = right_cells = 0
    for picture, kinds, colors in zip(*data, strict=True):
        seen = judge.recognise(model, torch.from_numpy(np.array(picture))[None].float() / 255)[0]
        truth, truth_color = torch.from_numpy(np.array(kinds)), torch.from_numpy(np.array(colors))
        right_cells += int((seen.kinds == truth).sum())
        cells += truth.numel()
        for kind in truth.unique():
            where = truth == kind
            if int(where.sum()) < judge.SEEN_CELLS:
                continue
            objects += 1
            right += int(seen.kinds[where].mode().values == kind)
            right_color += int(seen.colors[where].mode().values == truth_color[where].mode().values)
    return {
        "unseen_scenes": len(data[0]),
        "objects": objects,
        "kind_right": round(right / objects, 4),
        "color_right": round(right_color / objects, 4),
        "cells_right": round(right_cells / cells, 4),
    }
