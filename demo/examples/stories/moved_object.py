"""A finished picture taken apart, one object moved, and the picture painted whole again.

Collage Split gives the layers the look of the picture, Collage Edit paints the moved object and the
table under it, where a hole and seams are left, and Collage Paste Back keeps all else to the byte.
"""

from __future__ import annotations

from ... import world
from ..graph import Graph, Link, Models, Node, save_layers
from ..variants import CLEAN, DEMO, Variant

SEED = 7_900_011
NOISE = 0.6
SAMPLING = {"steps": 30, **CLEAN}
OBJECT, GROUND = "blue ball", "wood table"
PLACE = {"x": 0.77, "y": 0.7}
AGAIN = 0.6  # enough to close seams and to throw a shadow


def graph(variant: Variant = DEMO) -> Graph:
    scene, made = world.scene(SEED, "toys"), Graph(variant)
    model = made.model(2)
    layers = [
        made.layer(layer, file, NOISE)
        for layer, file in zip(scene.layers, save_layers(scene, "moved"), strict=True)
    ]
    stack = made.stack(2, scene.caption, layers)
    first = {"seed": 1, "base_noise": NOISE, "feather": 4.0, **SAMPLING}
    finished = made.paint(3, model, stack, **first)[0]
    made.save(5, stack[1], "collage_composite", "The collage")
    made.save(5, finished, "collage_1_before", "The finished picture")
    moved = _moved(made, stack, finished)
    edit = made.add(
        "CollageEdit",
        8,
        collage=moved[0],
        image=finished,
        layers=f"{GROUND}, {OBJECT}",
        noise=AGAIN,
        feather=variant.feather,
        paste=True,
    )
    made.save(12, edit[1], "collage_2_moved", "Taken apart, the ball moved")
    made.save(12, _painted(made, model, edit), "collage_3_result", "Painted whole again")
    return made


def _moved(made: Graph, stack: Node, finished: Link) -> Node:
    """The layers of the picture, with the object at its new place."""
    parts = made.add("CollageSplit", 6, collage=stack[0], image=finished)
    taken = made.add("CollageTakeLayer", 6, collage=parts[0], layer=OBJECT)
    clear = made.add("InvertMask", 6, mask=taken[2])
    layer = made.add(
        "CollageLayer",
        7,
        "The ball at its new place",
        image=taken[1],
        mask=clear[0],
        text=OBJECT,
        fit="pixels",
        scale=1.0,
        **PLACE,
    )
    return made.add("CollagePutLayer", 7, collage=parts[0], layer=OBJECT, layer_in=layer[0])


def _painted(made: Graph, model: Models, edit: Node) -> Link:
    """Only what the edit names is painted; all other pixels come back unchanged."""
    sampled = made.sample(9, model, edit, seed=2, **SAMPLING)
    new = made.decode(11, model, sampled)[0]
    known = {"original": edit[1], "new": new, "mask": sampled[1], "feather": made.variant.feather}
    return made.add("CollagePasteBack", 11, **known)[0]
