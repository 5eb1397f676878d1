"""The training data of the structure network: finished pictures and the edges of their collages."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from collage_core.storage.atomic_write import writing

from .. import world
from ..architecture import AUTOENCODER, Autoencoder
from ..pack import load_pack
from . import autoencoder, packing, workshop
from .latents import DROP_CAPTION, Captions

FIRST_SEED = 3_000_000
SHARD = 100  # scenes
UNSEEN = 32  # scenes of the first shard that only measure
BATCH = 8


@dataclass(frozen=True)
class Batch:
    """Latents [B, 8, 32, 32], edges [B, 1, 256, 256] and token ids [B, 77]."""

    x: torch.Tensor
    edges: torch.Tensor
    tokens: torch.Tensor


class Pairs:
    """Latents of finished pictures, the edges of the collages they are made from, captions."""

    def __init__(self, paths: list[Path]) -> None:
        shards = [np.load(path) for path in paths]
        self.latents = torch.from_numpy(np.concatenate([shard["latents"] for shard in shards]))
        self.edges = np.concatenate([shard["edges"] for shard in shards])
        self.captions = [str(caption) for shard in shards for caption in shard["captions"]]
        self.tokens = Captions()

    def draw(self, rng: np.random.Generator) -> Batch:
        rows = rng.integers(UNSEEN, len(self.captions), BATCH)
        words = [self.captions[row] if rng.random() > DROP_CAPTION else "" for row in rows]
        return self.batch(rows, words)

    def unseen(self) -> Iterator[Batch]:
        """The scenes that only measure."""
        for rows in np.arange(UNSEEN).reshape(-1, BATCH):
            yield self.batch(rows, [self.captions[row] for row in rows])

    def batch(self, rows: np.ndarray, words: list[str]) -> Batch:
        edges = np.unpackbits(self.edges[rows], axis=-1)[:, None]
        return Batch(
            self.latents[torch.from_numpy(rows)].float().to(workshop.device()),
            torch.from_numpy(edges).float().to(workshop.device()),
            self.tokens(words).to(workshop.device()),
        )


def prepare(scenes: int) -> list[Path]:
    """Render what is missing of `scenes` scenes; the shards on disk, as many as were asked for."""
    folder = workshop.WORKSHOP / "control"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:04d}.npz" for number in range(max(1, scenes // SHARD))]
    missing = [path for path in paths if not path.exists()]
    if missing:
        coder = Autoencoder(**AUTOENCODER).to(workshop.device()).eval()
        coder.load_state_dict(packing.shipped()[1])
        with multiprocessing.Pool() as pool:
            for path in missing:
                first = FIRST_SEED + int(path.stem) * SHARD
                made = pool.map(render_pair, range(first, first + SHARD), chunksize=4)
                with writing(path, replace=True) as file:
                    np.savez(file, **shard(made, coder))
                print(f"{path.name}: {(int(path.stem) + 1) * SHARD} scenes", flush=True)
    return paths


def render_pair(seed: int) -> tuple[np.ndarray, np.ndarray, str]:
    """Picture and flattened collage, uint8 [256, 256, 3], and the caption."""
    scene = world.scene(seed)
    picture, collage = (
        np.round(p * 255).astype(np.uint8) for p in (scene.picture, world.flatten(scene))
    )
    return picture, collage, scene.caption


@torch.no_grad()
def shard(made: list[tuple[np.ndarray, np.ndarray, str]], coder) -> dict[str, Any]:
    """Latents [N, 8, 32, 32], edges [N, 256, 32] of eight to a byte, and captions of N scenes."""
    find_edges = load_pack().nodes.host.control.conditioning.find_edges
    latents, edges = [], []
    for picture, collage, _ in made:
        x = autoencoder.to_tensor(picture[None]).to(workshop.device())
        latents.append(coder.encode(x).cpu())
        lines = find_edges(torch.from_numpy(collage[None]) / 255)[0, ..., 0] > 0.5
        edges.append(np.packbits(lines.cpu().numpy(), axis=-1))
    captions = np.array([caption for _, _, caption in made])
    return {
        "latents": torch.cat(latents).half().numpy(),
        "edges": np.stack(edges),
        "captions": captions,
    }
