"""Collages of painted scenes as Collage objects, from seeds that no training set contains."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch

from .. import world
from ..pack import load_pack

TUNING_SEED, REPORT_SEED = 6_000_000, 6_500_000  # apart from each other and from training
SCENERY = {"wall", "table", "floor", "cloth", "shelf", "sky", "window"}
LEAST_SHARE = 0.01  # of the canvas: smaller objects are a few cells of the judge


@dataclass(frozen=True)
class Case:
    """A Collage of the pack, and for each layer the kind that the judge should recognise.

    Case(7_000_001, collage, ("", "", "ball", "cube")) has two layers of scenery and two objects.
    """

    seed: int
    collage: Any
    kinds: tuple[str, ...]


def cases(first_seed: int, count: int, noise: float) -> list[Case]:
    """`count` collages of toy scenes, every layer with the same noise."""
    found: list[Case] = []
    seed = first_seed
    while len(found) < count:
        scene = world.scene(seed, "toys")
        if sum(layer.kind not in SCENERY for layer in scene.layers) > 1:
            found.append(Case(seed, to_collage(scene, noise), kinds(scene)))
        seed += 1
    return found


def to_collage(scene: world.Scene, noise: float):
    core = load_pack().collage_core.collage.collage
    layers = []
    for layer in scene.layers:
        rgba = torch.from_numpy(layer.rgba)[None]
        place = {"x": layer.x / 256, "y": layer.y / 256, "noise": noise}
        pixels = {"image": rgba[..., :3], "alpha": rgba[..., 3]}
        layers.append(core.Layer(text=layer.phrase, **pixels, **place))
    background = torch.full((1, 256, 256, 3), 150 / 255)
    return core.Collage(
        width=256, height=256, prompt=scene.caption, background=background, layers=tuple(layers)
    )


def with_strengths(case: Case, attract: float, repel: float) -> Case:
    layers = tuple(
        dataclasses.replace(layer, attract=attract, repel=repel) for layer in case.collage.layers
    )
    return dataclasses.replace(case, collage=case.collage.with_settings(layers))


def kinds(scene: world.Scene) -> tuple[str, ...]:
    return tuple("" if layer.kind in SCENERY else layer.kind for layer in scene.layers)
