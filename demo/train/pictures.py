"""Rendered scenes as training data, made by worker processes in shards that are kept."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from .. import world

SHARD = 250


def render_pair(seed: int) -> tuple[np.ndarray, np.ndarray, str]:
    """Picture and flattened collage, uint8 [256, 256, 3], and the caption."""
    scene = world.scene(seed)
    return _to_bytes(scene.picture), _to_bytes(world.flatten(scene)), scene.caption


def render_picture(seed: int) -> tuple[np.ndarray, str]:
    scene = world.scene(seed, collage=False)
    return _to_bytes(scene.picture), scene.caption


def _to_bytes(picture: np.ndarray) -> np.ndarray:
    return np.round(picture * 255).astype(np.uint8)


def to_tensor(pictures: np.ndarray) -> torch.Tensor:
    """uint8 [N, H, W, 3] -> float [N, 3, H, W] in [-1, 1]."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


def autoencoder_set(folder: Path, count: int, workers: int = 2) -> np.ndarray:
    """uint8 [2 * count, 256, 256, 3]: coherent pictures and flattened collages, memory-mapped."""
    path = folder / f"pictures_{count}.npy"
    if not path.exists():
        pictures = np.empty((2 * count, 256, 256, 3), np.uint8)
        with multiprocessing.Pool(workers) as pool:
            for index, pair in enumerate(pool.imap(render_pair, range(count), chunksize=8)):
                pictures[2 * index], pictures[2 * index + 1] = pair[:2]
        folder.mkdir(parents=True, exist_ok=True)
        np.save(path.with_suffix(".partial.npy"), pictures)
        path.with_suffix(".partial.npy").replace(path)
    return np.load(path, mmap_mode="r")


def shards(folder: Path, count: int, encode, workers: int = 2) -> Iterator[tuple[Path, int]]:
    """Render `count` scenes and keep `encode`d latents and captions, SHARD scenes to a file.

    Yields each shard's path and number as it is there; those on disk are not made again.
    Seeds start at 1,000,000: far from the seeds that measuring uses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [n for n in range(count // SHARD) if not (folder / f"{n:04d}.npy").exists()]
    with multiprocessing.Pool(workers) as pool:
        for number in missing:
            first = 1_000_000 + number * SHARD
            made = pool.map(render_picture, range(first, first + SHARD), chunksize=8)
            latents = encode(np.stack([picture for picture, _ in made]))
            path = folder / f"{number:04d}.npy"
            path.with_suffix(".json").write_text(json.dumps([caption for _, caption in made]))
            np.save(path.with_suffix(".partial.npy"), latents)
            path.with_suffix(".partial.npy").replace(path)
            yield path, number
