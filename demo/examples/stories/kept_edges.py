"""A collage painted freely, and with the edges of its layers kept by structure control."""

from __future__ import annotations

from ... import world
from ..graph import Graph, save_layers

SEED = 7_900_054
NOISE = 0.8
SAMPLING = {"seed": 1, "steps": 20, "base_noise": NOISE, "feather": 4.0}


def graph() -> Graph:
    scene, made = world.scene(SEED, "toys"), Graph()
    model = made.model(2)
    layers = [
        made.layer(layer, file, NOISE)
        for layer, file in zip(scene.layers, save_layers(scene, "edges"), strict=True)
    ]
    stack = made.stack(2, scene.caption, layers)
    network = made.network(3)
    patch, positive, negative = made.patched(3, model, stack)
    edges = made.add(
        "CollageControlNet",
        4,
        positive=positive,
        negative=negative,
        control_net=network[0],
        collage=stack[0],
    )
    free = made.sample_patched(5, model, stack, (patch, positive, negative), **SAMPLING)
    kept = made.sample_patched(5, model, stack, (patch, edges[0], edges[1]), **SAMPLING)
    made.save(5, stack[1], "collage_composite", "The collage")
    made.save(5, edges[2], "collage_edges", "Its edges")
    made.save(7, made.decode(6, model, free)[0], "collage_free", "Without structure control")
    made.save(7, made.decode(6, model, kept)[0], "collage_result", "With structure control")
    return made
