"""A bento box step by step, every layer at one noise: what each control adds.

Plain harmonisation of the composite; phrases bound to their layers; learned embeddings; edges kept.
After the ablation figure of the paper.
"""

from __future__ import annotations

from ... import world
from ..graph import Graph, Models, Node, save_layers
from ..variants import DEMO, Variant
from . import bento_box

SAMPLING = {"seed": 7, "steps": 30, "feather": 4.0}
LEARNED = ("sushi", "rice", "ginger")  # their texts say least about their appearance


def graph(variant: Variant = DEMO) -> Graph:
    scene, made = world.scene(bento_box.SEED, "bento"), Graph(variant)
    model = made.model(2)
    layers = [
        made.layer(layer, file, variant.noise)
        for layer, file in zip(scene.layers, save_layers(scene, "bento"), strict=True)
    ]
    stack = made.stack(2, scene.caption, layers)
    looks = [
        _learned(made, model, node, stack) if layer.kind in LEARNED else node
        for layer, node in zip(scene.layers, layers, strict=True)
    ]
    known = made.stack(4, scene.caption, looks)
    patched = made.patched(5, model, known)
    edges = made.add(
        "CollageControlNet",
        5,
        positive=patched[1],
        negative=patched[2],
        control_net=made.network(5)[0],
        collage=known[0],
        strength=0.5,  # the rest is held by words and noise
    )
    ways = (
        (stack, made.plain(5, model, scene.caption), "plain", "Plain harmonisation"),
        (stack, made.patched(5, model, stack), "attention", "+ words in their places"),
        (known, patched, "tokens", "+ embeddings"),
        (known, (patched[0], edges[0], edges[1]), "result", "+ structure control"),
    )
    made.save(6, stack[1], "collage_composite", "The collage")
    for number, (collage, how, name, title) in enumerate(ways, 1):
        sampling = {**SAMPLING, "base_noise": variant.noise}
        sampled = made.sample_patched(6, model, collage, how, **sampling)
        picture = made.decode(7, model, sampled)[0]
        made.save(8, picture, f"collage_{number}_{name}", title)
    return made


def _learned(made: Graph, model: Models, layer: Node, stack: Node) -> Node:
    return made.add(
        "LayerTextualInversion",
        3,
        model=model[0],
        clip=model[1],
        vae=model[2],
        layer=layer[0],
        collage=stack[0],
    )
