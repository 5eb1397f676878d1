"""Collages in which one object's text leaves its appearance open: "cube", not "green striped cube".

Every second of these objects is repainted with checks in two colours that no word of the world
names.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import world
from .collages import to_collage

# apart from each other, from training and from the collages of the other measurements
TUNING_SEED, REPORT_SEED = 7_000_000, 7_500_000
LEAST_SHARE = 0.05  # of the canvas: what is smaller has no texture to compare
CHECKS = (
    ((0.05, 0.55, 0.55), (0.85, 0.90, 0.35)),  # teal and lime
    ((0.75, 0.10, 0.50), (0.10, 0.15, 0.35)),  # magenta and navy
    ((0.45, 0.28, 0.15), (0.60, 0.85, 0.90)),  # brown and ice blue
)
PERIOD = 14  # pixels of a check


@dataclass(frozen=True)
class Concept:
    """A Collage of the pack, and the layer whose appearance is to be learned.

    Concept(7_500_001, collage, index=2, noun="cube", unusual=False).layer.text is "cube".
    """

    seed: int
    collage: Any
    index: int
    noun: str
    unusual: bool

    @property
    def layer(self) -> Any:
        return self.collage.layers[self.index]

    def with_layer(self, layer: Any) -> Concept:
        layers = list(self.collage.layers)
        layers[self.index] = layer
        return dataclasses.replace(self, collage=self.collage.with_layers(tuple(layers)))


def concepts(first_seed: int, count: int, noise: float) -> list[Concept]:
    found: list[Concept] = []
    seed = first_seed
    while len(found) < count:
        scene, unusual = world.scene(seed, "toys"), len(found) % 2 == 1
        if _patterned(scene) is not None:
            scene, index = nameless(scene, CHECKS[seed % len(CHECKS)] if unusual else None)
            noun = scene.layers[index].kind
            found.append(Concept(seed, to_collage(scene, noise), index, noun, unusual))
        seed += 1
    return found


def nameless(scene: world.Scene, checks: tuple | None = None) -> tuple[world.Scene, int]:
    """The scene with one toy named by its kind alone, repainted with `checks`; the toy's index."""
    index = _patterned(scene)
    assert index is not None, "no patterned toy in this scene"
    layer, layers = scene.layers[index], list(scene.layers)
    caption = re.sub(rf"\ban? {layer.phrase}\b", f"a {layer.kind}", scene.caption)
    rgba = layer.rgba if checks is None else _checked(layer.rgba, checks)
    layers[index] = dataclasses.replace(layer, phrase=layer.kind, rgba=rgba)
    return dataclasses.replace(scene, caption=caption, layers=tuple(layers)), index


def _patterned(scene: world.Scene) -> int | None:
    """The first toy with a pattern that is large enough and the only one of its kind."""
    for index, layer in enumerate(scene.layers):
        once = len(re.findall(rf"\b{layer.kind}\b", scene.caption)) == 1
        large = scene.visible[index].mean() >= LEAST_SHARE
        if once and large and re.search("striped|dotted", layer.phrase):
            return index
    return None


def _checked(rgba: np.ndarray, colours: tuple) -> np.ndarray:
    """The same object in checks, with its own light and shade."""
    height, width = rgba.shape[:2]
    rows, columns = np.arange(height)[:, None] // PERIOD, np.arange(width)[None] // PERIOD
    checks = np.where((rows + columns)[..., None] % 2, *(np.float32(c) for c in colours))
    shade = rgba[..., :3].max(-1, keepdims=True)
    return np.concatenate((checks * np.clip(shade, 0.35, 1), rgba[..., 3:]), -1).astype(np.float32)
