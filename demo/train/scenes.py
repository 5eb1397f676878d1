"""Rendered scenes with their ground truth, in shards on disk.

The painted world knows what is visible in each cell of a picture. Training uses it (`inside.py`);
sampling never does.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from collage_core.storage.atomic_write import writing

from .. import world
from ..judges import judge
from . import workshop

FOLDER = workshop.WORKSHOP / "scenes"
SHARD = 250
FIRST_SEED = 1_000_000  # far from the seeds that measuring uses
MASK_CELLS = 16  # the finest grid that the painter's attention works on


@dataclass(frozen=True)
class Labelled:
    """One rendered scene.

    picture: uint8 [256, 256, 3]; kinds, colors, patterns: uint8 [32, 32], an index into
    `world.KINDS`, `judge.COLORS` and `judge.PATTERNS` for the thing that covers most of each cell;
    phrases: the words of every thing, bottom to top; masks: uint8 [things, 16, 16], the share of
    each cell in which that thing is seen, 255 = all of it.
    """

    picture: np.ndarray
    caption: str
    kinds: np.ndarray
    colors: np.ndarray
    patterns: np.ndarray
    phrases: list[str]
    masks: np.ndarray


def render(seed: int) -> Labelled:
    scene = world.scene(seed, collage=False)
    kinds, colors, patterns = judge.labels(scene)
    visible = torch.from_numpy(scene.visible)[None]
    masks = F.avg_pool2d(visible, world.SIZE // MASK_CELLS)[0] * 255
    return Labelled(
        np.round(scene.picture * 255).astype(np.uint8),
        scene.caption,
        kinds.numpy().astype(np.uint8),
        colors.numpy().astype(np.uint8),
        patterns.numpy().astype(np.uint8),
        [thing.phrase for thing in scene.things],
        masks.round().numpy().astype(np.uint8),
    )


def prepare(scenes: int, workers: int = 1) -> None:
    """Render what is missing of `scenes` scenes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    missing = [n for n in range(scenes // SHARD) if not path_of(n).exists()]
    seeds = (FIRST_SEED + number * SHARD + row for number in missing for row in range(SHARD))
    with multiprocessing.Pool(workers) as pool:
        made = pool.imap(render, seeds, chunksize=8)
        for number in missing:
            write(path_of(number), list(itertools.islice(made, SHARD)))
            print(f"{path_of(number).name}: {(number + 1) * SHARD} scenes", flush=True)


def path_of(number: int) -> Path:
    return FOLDER / f"{number:04d}.npz"


def paths() -> list[Path]:
    """The shards on disk, in order, without a gap."""
    found = []
    while (path := path_of(len(found))).exists():
        found.append(path)
    return found


def write(path: Path, made: list[Labelled]) -> None:
    """Keep one shard; a kill at any moment leaves none or a whole one."""
    words = [{"caption": scene.caption, "phrases": scene.phrases} for scene in made]
    parts: dict[str, Any] = {
        name: np.stack([getattr(scene, name) for scene in made])
        for name in ("kinds", "colors", "patterns")
    }
    parts["pictures"] = np.stack([scene.picture for scene in made])
    parts["masks"] = np.concatenate([scene.masks for scene in made])
    parts["words"] = np.array(json.dumps(words))
    with writing(path, replace=True) as file:
        np.savez(file, **parts)
