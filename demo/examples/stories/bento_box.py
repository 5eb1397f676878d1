"""The main example: food in a bento box on a cloth, each layer with its own noise."""

from __future__ import annotations

from ... import world
from ..graph import Graph, save_layers
from ..variants import CLEAN, DEMO, Variant

SEED = 7026
SAMPLING = {
    "seed": 3,
    "steps": 20,
    **CLEAN,
    "scheduler": "karras",  # keeps the checks of the cloth
    "base_noise": 0.6,
    "feather": 4.0,
}

# kind -> noise: how far each thing may change
NOISE = {
    "cloth": 0.3,
    "bento box": 0.45,
    "sushi": 0.3,
    "edamame": 0.45,
    "rice": 0.3,
    "ginger": 0.45,
}


def noise(variant: Variant = DEMO) -> dict[str, float]:
    """The same for the model of a variant."""
    return {kind: round(variant.share * value, 3) for kind, value in NOISE.items()}


def graph(variant: Variant = DEMO) -> Graph:
    scene, made = world.scene(SEED, "bento"), Graph(variant)
    model = made.model(2)
    noises = noise(variant)
    layers = [
        made.layer(layer, file, noises[layer.kind])
        for layer, file in zip(scene.layers, save_layers(scene, "bento"), strict=True)
    ]
    stack = made.stack(2, scene.caption, layers)
    picture = made.paint(3, model, stack, **SAMPLING)
    made.save(3, stack[1], "collage_composite", "The collage")
    made.save(5, picture[0], "collage_result", "The picture")
    return made
