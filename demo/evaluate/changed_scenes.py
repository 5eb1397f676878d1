"""Does the model still obey prompts that contain a learned embedding?

Four prompts put the object into other scenes, painted from pure noise. Each prompt names
a wall with its colour, a ground, the object, and in two of them another toy with its colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..judges import judge
from ..pack import host_nodes
from .painter import Sampling

WORD = "{}"  # where the object's words go
FEWEST_CELLS = 100  # of 1024: a wall or a ground is no speck


@dataclass(frozen=True)
class ChangedScene:
    prompt: str
    wall: str
    ground: str
    other: tuple[str, str] | None = None  # colour and kind


def changed_scenes(noun: str) -> tuple[ChangedScene, ...]:
    other = "ball" if noun != "ball" else "cube"
    return (
        ChangedScene(f"a {WORD} on a stone floor before a blue wall", "blue", "floor"),
        ChangedScene(f"a {WORD} on a wood table before a pink wall", "pink", "table"),
        ChangedScene(
            f"a {WORD} and a red {other} on a wood table before a green wall",
            "green",
            "table",
            ("red", other),
        ),
        ChangedScene(
            f"a yellow {other} and a {WORD} on a stone floor before a white wall",
            "white",
            "floor",
            ("yellow", other),
        ),
    )


def paint_scenes(
    conditioned: Sequence[tuple[Any, list]],
    negative: list,
    vae: Any,
    seed: int,
    sampling: Sampling,
) -> torch.Tensor:
    """Models with their positive conditionings -> one picture each, [N, 256, 256, 3] in [0, 1]."""
    pictures = []
    for number, (model, positive) in enumerate(conditioned):
        latent = {"samples": torch.zeros(1, 4, 32, 32)}
        options = (sampling.steps, sampling.cfg, sampling.sampler, "normal")
        samples = host_nodes().common_ksampler(
            model, 100 * seed + number, *options, positive, negative, latent
        )[0]["samples"]
        pictures.append(vae.decode(samples))
    return torch.cat(pictures)


def obeyed(seen: judge.Sighting, scene: ChangedScene, noun: str) -> list[bool]:
    """For everything that the prompt names: is it there, and in its colour?"""
    found = [_plane(seen, "wall", scene.wall), _plane(seen, scene.ground), seen.shows(noun)]
    if scene.other is not None:
        colour, kind = scene.other
        found.append(seen.shows(kind, colour))
    return found


def _plane(seen: judge.Sighting, kind: str, colour: str = "") -> bool:
    cells = seen.kinds == judge.world.KINDS.index(kind)
    if colour:
        cells = cells & (seen.colors == judge.COLORS.index(colour))
    return int(cells.sum()) >= FEWEST_CELLS
