"""Plain harmonisation, with phrases bound to their layers, and with per-layer noise.

After the paper's figures of a toy box and of a cake table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import world
from ..graph import Graph, save_layers
from ..variants import CLEAN, DEMO, Variant

NOISE = 0.8
SAMPLING = {"seed": 1, "steps": 30, **CLEAN, "base_noise": NOISE, "feather": 4.0}

# chosen among tuning collages because the toys trade places without the node
TOYS = 6_210_005
CAKES = 7_900_200
KEPT = {"cakes": 0.3, "chairs": 0.35}  # kind -> its own noise in the last picture


def toy_box(variant: Variant = DEMO) -> Graph:
    return _graph(world.scene(TOYS, "toys"), "toys", {}, SAMPLING, variant)


def cake_table(variant: Variant = DEMO) -> Graph:
    sampling = {**SAMPLING, "seed": 3, "steps": 40}
    return _graph(world.scene(CAKES, "cake_table"), "cakes", KEPT, sampling, variant)


def _graph(
    scene: world.Scene,
    story: str,
    own: Mapping[str, float],
    sampling: Mapping[str, Any],
    variant: Variant,
) -> Graph:
    """The collage painted by every way; per-layer noise only with `own` noises."""
    made = Graph(variant)
    model = made.model(2)
    loads = [made.add("LoadImage", 0, image=file) for file in save_layers(scene, story)]
    pairs = [*zip(scene.layers, loads, strict=True)]
    nodes = [made.placed(layer, load, NOISE) for layer, load in pairs]
    stack = made.stack(2, scene.caption, nodes)
    ways = [
        (stack, made.plain(3, model, scene.caption), "Plain harmonisation"),
        (stack, made.patched(3, model, stack), "+ words in their places"),
    ]
    if own:
        kept = [
            made.placed(layer, load, own[layer.kind]) if layer.kind in own else node
            for (layer, load), node in zip(pairs, nodes, strict=True)
        ]
        several = made.stack(2, scene.caption, kept)
        patched = made.patched(3, model, several)
        ways.append((several, patched, "+ a noise of its own for each layer"))
    made.save(5, stack[1], "collage_composite", "The collage")
    for number, (collage, how, title) in enumerate(ways, 1):
        name = "result" if number == len(ways) else "before"
        sampled = made.sample_patched(4, model, collage, how, **sampling)
        made.save(5, made.decode(4, model, sampled)[0], f"collage_{number}_{name}", title)
    return made
