"""The judge's eye for patterns: learned on toys that have one, and measured on unseen ones."""

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
from ..world.toys.arrangement import GROUNDS
from . import workshop
from .judge import BATCH, MIN_CELLS, RATE, crop, spoil

SCENES, UNSEEN = 2400, 200  # of toys, each with a pattern at least
FIRST_SEED = 2_400_000
SCENERY = 0.05  # weight of cells that are no toy: all are plain
PARTS = ("pictures", "patterns", "owners")


def example(seed: int) -> tuple[np.ndarray, ...] | None:
    """uint8 picture [256, 256, 3]; pattern and number of the toy of its cells, [32, 32] each, 0 is
    no toy. None where no toy has a pattern."""
    scene = world.scene(seed, "toys", collage=False)
    patterns = judge.labels(scene)[2]
    if not patterns.any():
        return None
    toys = torch.tensor([thing.kind not in GROUNDS for thing in scene.things])
    top = judge.owners(scene)
    owners = (top + 1) * toys[top]
    picture = np.round(scene.picture * 255).astype(np.uint8)
    return picture, *(one.numpy().astype(np.uint8) for one in (patterns, owners))


def examples() -> list[np.ndarray]:
    """The PARTS of SCENES + UNSEEN scenes, kept on disk."""

    def make() -> list[tuple[np.ndarray, ...]]:
        wanted, kept, first = SCENES + UNSEEN, list[tuple[np.ndarray, ...]](), FIRST_SEED
        with multiprocessing.Pool() as pool:
            while len(kept) < wanted:
                seeds = range(first, first + wanted)
                kept += filter(None, pool.map(example, seeds, chunksize=16))
                first += wanted
        return kept[:wanted]

    return workshop.columns(f"patterns_{SCENES + UNSEEN}", PARTS, make)


def train(batches: int = 1200) -> None:
    """Train the pattern's trunk and head on from the judge's, and write the judge."""
    torch.manual_seed(0)
    data = examples()
    model = judge.load_judge().train().to(workshop.device())
    learned = [*model.pattern_trunk.parameters(), *model.heads[2].parameters()]
    optimizer = torch.optim.AdamW(learned, lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=batches)
    rng, started = np.random.default_rng(0), time.process_time()
    for batch in range(1, batches + 1):
        rows = np.sort(rng.choice(SCENES, BATCH, replace=False))
        picture, patterns, owners = crop([part[rows] for part in data], rng)
        x = spoil(picture.float() / 255, rng).to(workshop.device())
        with workshop.autocast():
            told = model.patterns(x.movedim(-1, 1))
        cells = F.cross_entropy(told.float(), patterns.long().to(x.device), reduction="none")
        weight = torch.where(owners.to(x.device) > 0, 1.0, SCENERY)
        loss = (cells * weight).sum() / weight.sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if batch % 200 == 0:
            seconds = round(time.process_time() - started)
            workshop.log(
                "judge-patterns", batches=batch, loss=round(loss.item(), 4), seconds=seconds
            )
    workshop.log("judge-patterns", **accuracy(model.cpu().eval(), [part[SCENES:] for part in data]))
    weights = {name: value.half() for name, value in model.state_dict().items()}
    write_whole(judge.FILE, save(weights), replace=True)


@torch.inference_mode()
def accuracy(model: judge.Judge, data: list[np.ndarray]) -> dict[str, float]:
    """Share of unseen toys most of whose cells have their pattern: of those with one, and plain."""
    toys, right = [0, 0], [0, 0]
    for part in zip(*data, strict=True):
        picture, patterns, owners = (torch.from_numpy(np.array(one)) for one in part)
        seen = judge.recognise(model, picture[None].float() / 255)[0].patterns
        for owner in owners[owners > 0].unique():
            where = owners == owner
            if int(where.sum()) >= MIN_CELLS:
                named = patterns[where][0].item()
                toys[named > 0] += 1
                right[named > 0] += int(seen[where].mode().values == named)
    shares = [round(a / max(b, 1), 4) for a, b in zip(right, toys, strict=True)]
    return {
        "unseen_scenes": len(data[0]),
        "patterned": toys[1],
        "patterned_right": shares[1],
        "plain": toys[0],
        "plain_right": shares[0],
    }
