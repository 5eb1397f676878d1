"""Examples on the canvas: the collage is one document in CollageEditor, to be changed by hand.

After the sampler, CollagePasteBack takes the editor's image and the sampler's noise map: a picture
that was painted anew everywhere passes through it, and where the document makes a result the base
of an edit, all but the edited layers comes back to the bit. So nobody has to touch the graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import world
from ..document import document
from ..graph import Graph, save_layers
from ..variants import DEMO, Variant
from . import bento_box, in_place


def bento(variant: Variant = DEMO) -> Graph:
    scene = world.scene(bento_box.SEED, "bento")
    return _graph(scene, "bento", bento_box.noise(variant), bento_box.SAMPLING, variant)


def toys(variant: Variant = DEMO) -> Graph:
    scene = world.scene(in_place.TOYS, "toys")
    noise = {layer.kind: in_place.NOISE for layer in scene.layers}
    return _graph(scene, "toys", noise, in_place.SAMPLING, variant)


def _graph(
    scene: world.Scene,
    story: str,
    noise: Mapping[str, float],
    sampling: Mapping[str, Any],
    variant: Variant,
) -> Graph:
    made = Graph(variant)
    text = document(scene, save_layers(scene, story), noise, variant.size)
    editor = made.add("CollageEditor", 0, "Lay out the collage here", document=text)
    model = made.model(2)
    sampled = made.sample(2, model, editor, **sampling)
    new = made.decode(4, model, sampled)[0]
    known = {"original": editor[1], "new": new, "mask": sampled[1], "feather": variant.feather}
    back = made.add("CollagePasteBack", 4, "Keep what an edit leaves alone", **known)
    made.save(4, back[0], "collage_result", "The picture")
    return made
