"""Five layers become one picture; then only the cakes are redrawn, then only the window.

After a figure of the paper: each round starts from the last picture and keeps everything else.
"""

from __future__ import annotations

from typing import Any

from ... import world
from ..graph import Graph, Link, Models, Node, save_layers
from ..variants import CLEAN, DEMO, Variant

SEED = 7_900_009
NOISE = {"window": 0.45, "bookshelves": 0.45, "chairs": 0.5, "table": 0.45, "cakes": 0.4}
BASE_NOISE = 0.5
SAMPLING = {"steps": 30, **CLEAN}
ROUND = 4  # columns of the page

# what is drawn again, its new words, noise, seed
EDITS = (("chocolate cakes", "pink cakes", 0.9, 2), ("winter window", "", 0.95, 3))


def graph(variant: Variant = DEMO) -> Graph:
    scene, made = world.scene(SEED, "cake_table"), Graph(variant)
    model = made.model(2)
    wall, *files = save_layers(scene, "edit")
    things = [
        made.layer(layer, file, NOISE[layer.kind])
        for layer, file in zip(scene.layers[1:], files, strict=True)
    ]
    background = made.add("LoadImage", 0, "The wall", image=wall)
    stack = made.stack(2, scene.caption, things, background_image=background[0])
    picture = _first_round(made, model, stack)
    for number, (layer, words, noise, seed) in enumerate(EDITS, 2):
        wish = {"layers": layer, "phrase": words, "noise": noise, "feather": variant.feather}
        edit = made.add("CollageEdit", ROUND * number - 2, collage=stack[0], image=picture, **wish)
        picture = _next_round(made, model, edit, picture, number, seed)
        stack = edit
    return made


def _first_round(made: Graph, model: Models, stack: Node) -> Link:
    settings = {"seed": 1, "base_noise": BASE_NOISE, "feather": 4.0, **SAMPLING}
    sampled = made.sample(3, model, stack, **settings)
    picture = made.decode(5, model, sampled)[0]
    _save(made, 1, stack[1], sampled, picture)
    return picture


def _next_round(
    made: Graph, model: Models, edit: Node, before: Link, number: int, seed: int
) -> Link:
    """Only the edited layer is redrawn; all other pixels are pasted back unchanged."""
    column = ROUND * number - 1
    sampled = made.sample(column, model, edit, seed=seed, **SAMPLING)
    new = made.decode(column + 2, model, sampled)[0]
    inputs: dict[str, Any] = {"original": before, "new": new, "collage": edit[0]}
    inputs["feather"] = made.variant.feather
    back = made.add("CollagePasteBack", column + 2, **inputs)
    _save(made, number, edit[1], sampled, back[0])
    return back[0]


def _save(made: Graph, number: int, before: Link, sampled: Node, after: Link) -> None:
    column = ROUND * number + 2
    noise = made.add("MaskToImage", column, mask=sampled[1])[0]
    made.add("PreviewImage", column, f"{number}: The noise and its legend", images=sampled[2])
    for pictures, name, title in (
        (before, "composite", "Before"),
        (noise, "noise", "Where there is noise"),
        (after, "result", "After"),
    ):
        made.save(column, pictures, f"collage_{number}_{name}", f"{number}: {title}")
