"""The judge: trained on pictures of the world, measured on scenes it has not seen."""

from __future__ import annotations

import multiprocessing
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save

from collage_core.storage.atomic_write import write_whole

from .. import world
from ..judges import judge
from . import workshop

SCENES, UNSEEN = 4000, 300
BATCH, RATE = 16, 1.5e-3
CROP = 20  # cells of 32: a part of a scene has 0.4 of its pixels to compute with
MIN_CELLS = 6  # smaller objects are not counted
FIRST_SEED = 2_000_000
PARTS = ("pictures", "kinds", "colors", "patterns", "sizes")


def example(seed: int) -> tuple[np.ndarray, ...]:
    """uint8 picture [256, 256, 3]; kind, colour and pattern of its cells, [32, 32] each; cells that
    an object of each kind covers, [K], 0 for kinds that are not there."""
    scene = world.scene(seed, collage=False)
    sizes = np.zeros(len(world.KINDS), np.uint16)
    for index, count in enumerate(judge.owners(scene).flatten().bincount().tolist()):
        sizes[world.KINDS.index(scene.things[index].kind)] = count
    picture = np.round(scene.picture * 255).astype(np.uint8)
    return picture, *(one.numpy().astype(np.uint8) for one in judge.labels(scene)), sizes


def examples() -> list[np.ndarray]:
    """The PARTS of SCENES + UNSEEN scenes, kept on disk."""

    def make() -> list[tuple[np.ndarray, ...]]:
        seeds = range(FIRST_SEED, FIRST_SEED + SCENES + UNSEEN)
        with multiprocessing.Pool() as pool:
            return pool.map(example, seeds, chunksize=16)

    return workshop.columns(f"judge_{SCENES + UNSEEN}", PARTS, make)


def train(batches: int = 4000) -> None:
    """Train a judge from nothing and write it with its accuracy logged."""
    torch.manual_seed(0)
    *data, sizes = examples()
    model = judge.Judge().train().to(workshop.device())
    model.expected.copy_(typical_sizes(sizes[:SCENES]))
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=batches)
    rng, started = np.random.default_rng(0), time.process_time()
    for batch in range(1, batches + 1):
        rows = np.sort(rng.choice(SCENES, BATCH, replace=False))
        picture, *truth = crop([part[rows] for part in data], rng)
        x = spoil(picture.float() / 255, rng).to(workshop.device())
        with workshop.autocast():
            told = model(x.movedim(-1, 1))
        pairs = zip(told, truth, strict=True)
        losses = [F.cross_entropy(one.float(), right.long().to(x.device)) for one, right in pairs]
        optimizer.zero_grad(set_to_none=True)
        torch.stack(losses).sum().backward()
        optimizer.step()
        schedule.step()
        if batch % 200 == 0:
            record = dict(zip(("kind", "color", "pattern"), map(float, losses), strict=True))
            record = {name: round(loss, 4) for name, loss in record.items()}
            workshop.log(
                "judge", batches=batch, **record, seconds=round(time.process_time() - started)
            )
    workshop.log("judge", **accuracy(model.cpu().eval(), [part[SCENES:] for part in data]))
    weights = {name: value.half() for name, value in model.state_dict().items()}
    write_whole(judge.FILE, save(weights), replace=True)


def typical_sizes(sizes: np.ndarray) -> torch.Tensor:
    """[N, K] cells of each kind, 0 where it is not there -> the median of each kind, [K]."""
    columns = [column[column > 0] for column in sizes.T]
    return torch.tensor([float(np.median(column)) if len(column) else 1.0 for column in columns])


def crop(parts: list[np.ndarray], rng: np.random.Generator) -> list[torch.Tensor]:
    """The same CROP x CROP cells out of pictures and labels, mirrored half the time."""
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
    """Share of objects most of whose cells are named right, and of cells, on unseen scenes."""
    right = {"kind": 0, "color": 0, "pattern": 0}
    objects = cells = right_cells = 0
    for picture, *truth in zip(*data, strict=True):
        seen = judge.recognise(model, torch.from_numpy(np.array(picture))[None].float() / 255)[0]
        wanted = [torch.from_numpy(np.array(one)).long() for one in truth]
        right_cells += int((seen.kinds == wanted[0]).sum())
        cells += wanted[0].numel()
        for kind in wanted[0].unique():
            where = wanted[0] == kind
            if int(where.sum()) < MIN_CELLS:
                continue
            objects += 1
            told = (seen.kinds, seen.colors, seen.patterns)
            for name, one, truth_of in zip(right, told, wanted, strict=True):
                right[name] += int(one[where].mode().values == truth_of[where].mode().values)
    shares = {f"{name}_right": round(count / objects, 4) for name, count in right.items()}
    cells_right = round(right_cells / cells, 4)
    return {"unseen_scenes": len(data[0]), "objects": objects, **shares, "cells_right": cells_right}
