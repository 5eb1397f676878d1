"""One layer's noise from low to high: from fidelity to harmony.

After the paper's figure of the trade-off between fidelity and harmony; all other layers keep
their noise.
"""

from __future__ import annotations

from ... import world
from ..graph import Graph, save_layers
from ..variants import DEMO, Variant
from . import bento_box

LAYER = "sushi"
NOISES = (0.1, 0.3, 0.5, 0.7, 0.9)


def graph(variant: Variant = DEMO) -> Graph:
    scene, made = world.scene(bento_box.SEED, "bento"), Graph(variant)
    model = made.model(2)
    loads = [made.add("LoadImage", 0, image=file) for file in save_layers(scene, "bento")]
    pairs = [*zip(scene.layers, loads, strict=True)]
    noise = bento_box.noise(variant)
    others = {
        layer.kind: made.placed(layer, load, noise[layer.kind])
        for layer, load in pairs
        if layer.kind != LAYER
    }
    subject = next(pair for pair in pairs if pair[0].kind == LAYER)
    for number, own in enumerate(NOISES, 1):
        varied = others | {LAYER: made.placed(*subject, own)}
        stack = made.stack(2, scene.caption, [varied[layer.kind] for layer in scene.layers])
        if number == 1:
            made.save(5, stack[1], "collage_composite", "The collage")
        picture = made.paint(3, model, stack, **bento_box.SAMPLING)
        name = "result" if number == len(NOISES) else "before"
        made.save(6, picture[0], f"collage_{number}_{name}", f"The {LAYER} at noise {own:g}")
    return made
