"""How far painted pictures as a whole are from the world's own.

The measure is the Frechet distance (Heusel et al. 2017, arXiv 1706.08500).

Each picture becomes the mean over its cells of the judge's features; a set becomes the mean and
the covariance of these. Captions are of all stories, from seeds that no training set holds. Both
the painted pictures and the world's own of the same captions are compared with pictures of other
captions. The second distance is the floor: it is what chance makes of it. Compared with each other
they would be closer than that, because of what their captions say.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

import torch

from collage_core.storage.atomic_write import write_whole

from .. import world
from ..judges import judge
from .painter import Sampling
from .prompts import paint

FIRST_SEED = 5_500_000


def run(count: int, sampling: Sampling, folder: Path) -> None:
    """Paint `count` captions, render their scenes and as many more, and write the distances."""
    scenes = [world.scene(FIRST_SEED + n, collage=False) for n in range(2 * count)]
    features = [_features(torch.from_numpy(scene.picture)[None]) for scene in scenes]
    real, others = torch.cat(features[:count]), torch.cat(features[count:])
    with torch.inference_mode():
        pictures = paint([scene.caption for scene in scenes[:count]], sampling)
    painted = torch.cat([_features(picture[None]) for picture in pictures])
    table = {
        "pictures": count,
        "painted": round(frechet_distance(painted, others), 4),
        "floor": round(frechet_distance(real, others), 4),
    }
    write_whole(folder / "realism.json", json.dumps(table, indent=1), replace=True)
    print(json.dumps(table))


@functools.cache
def recogniser() -> judge.Judge:
    return judge.load_judge()


@torch.inference_mode()
def _features(pictures: torch.Tensor) -> torch.Tensor:
    """[B, H, W, 3] in [0, 1] -> [B, F]."""
    return recogniser().features(pictures.movedim(-1, 1).float()).mean((2, 3))


def frechet_distance(one: torch.Tensor, other: torch.Tensor) -> float:
    """Two sets of features, [N, F] and [M, F] -> |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^0.5)."""
    one, other = one.double(), other.double()
    first, second = one.T.cov(), other.T.cov()
    # the eigenvalues of C1 C2 are real and not negative, up to rounding
    roots = torch.linalg.eigvals(first @ second).real.clamp(min=0).sqrt().sum()
    apart = ((one.mean(0) - other.mean(0)) ** 2).sum()
    return float(apart + first.trace() + second.trace() - 2 * roots)
