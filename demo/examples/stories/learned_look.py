"""A layer whose text leaves its appearance open, painted without and with a learned embedding."""

from __future__ import annotations

from ... import world
from ...evaluate.concepts import nameless
from ..graph import Graph, save_layers

SEED = 7_900_034
NOISE = 0.5


def graph() -> Graph:
    scene, index = nameless(world.scene(SEED, "toys"))
    made = Graph()
    model = made.model(2)
    layers = [
        made.layer(layer, file, NOISE)
        for layer, file in zip(scene.layers, save_layers(scene, "look"), strict=True)
    ]
    plain = made.stack(2, scene.caption, layers)
    learned = made.add(
        "LayerTextualInversion",
        3,
        model=model[0],
        clip=model[1],
        vae=model[2],
        layer=layers[index][0],
        collage=plain[0],
    )
    with_look = made.stack(4, scene.caption, [*layers[:index], learned, *layers[index + 1 :]])
    sampling = {"seed": 1, "steps": 20, "base_noise": NOISE, "feather": 4.0}
    without = made.paint(5, model, plain, **sampling)
    picture = made.paint(5, model, with_look, **sampling)
    made.save(3, plain[1], "collage_composite", "The collage")
    made.add("PreviewImage", 4, "Loss of the training", images=learned[2])
    made.add("PreviewAny", 4, "What was learned", source=learned[3])
    made.save(8, without[0], "collage_without", "Without an embedding")
    made.save(8, picture[0], "collage_result", "With an embedding")
    return made
