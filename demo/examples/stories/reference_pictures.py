"""A reference picture for each toy: IPAdapters of another pack, kept to the layers by their masks.

Collage Layers gives the masks. The patch of the words goes on top, so that each toy has its words
and its reference.
"""

from __future__ import annotations

from ... import world
from ...evaluate.collages import SCENERY
from ..graph import Graph, save_layers
from ..variants import CHECKPOINT
from .in_place import NOISE, TOYS

WEIGHT = 0.8


def graph() -> Graph:
    scene, made = world.scene(TOYS, "toys"), Graph(CHECKPOINT)
    model = made.model(2)
    loads = [made.add("LoadImage", 0, image=file) for file in save_layers(scene, "toys")]
    pairs = [*zip(scene.layers, loads, strict=True)]
    stack = made.stack(2, scene.caption, [made.placed(*pair, NOISE) for pair in pairs])
    parts = made.add("CollageLayers", 3, collage=stack[0])
    masks = made.add("MaskToImage", 3, "All masks as pictures", mask=parts[1])
    load = made.add("IPAdapterUnifiedLoader", 3, model=model[0], preset="PLUS (high strength)")
    patched = load[0]
    for number, (layer, picture) in enumerate(pairs):
        if layer.kind in SCENERY:
            continue
        seen = f"Where the {layer.phrase} is seen"
        one = made.add("ImageFromBatch", 4, image=masks[0], batch_index=number, length=1)
        mask = made.add("ImageToMask", 4, seen, image=one[0], channel="red")
        patched = made.add(
            "IPAdapterAdvanced",
            5,
            f"The look of the {layer.phrase}",
            model=patched,
            ipadapter=load[1],
            image=picture[0],
            attn_mask=mask[0],
            weight=WEIGHT,
        )[0]
    picture = made.paint(6, (patched, *model[1:]), stack, seed=1)[0]
    made.save(9, stack[1], "collage_composite", "The collage")
    made.save(9, picture, "collage_result", "With a reference for each toy")
    return made
