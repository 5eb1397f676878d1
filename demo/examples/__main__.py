"""`python3 run.py examples`: make the example pictures and workflows from the painted world.

Writes the layers of each example's scene as PNG files with transparency, and the workflow that
turns them into one picture, for scripts (API form) and for the page. --pictures makes thumbnails
and the documents' pictures from the output/ of `python3 run.py figures`, `evaluate` and `bench`.
--locales writes the English texts of the nodes, --help-pictures the pictures of their help pages,
--graph-picture those of the README, --icon the icon for ComfyUI's registry.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial

from collage_core.storage.atomic_write import write_whole

from ..pack import ROOT, load_pack
from .graph import WORKFLOWS, Graph
from .graph_picture import make_graph_picture
from .help_pictures import make_help_pictures
from .locales import ENGLISH, write_english
from .pictures import make_icon, take_pictures
from .stories import (
    bento_box,
    by_hand,
    in_place,
    iterative_edit,
    kept_edges,
    layer_loras,
    learned_look,
    moved_object,
    reference_pictures,
    second_pass,
    steps,
    trade_off,
)
from .to_page import to_page_form, with_defaults
from .variants import TRANSFORMER, VARIANTS

STORIES = {
    "bento_box": bento_box.graph,
    "bento_box_steps": steps.graph,
    "toy_box": in_place.toy_box,
    "cake_table": in_place.cake_table,
    "trade_off": trade_off.graph,
    "iterative_edit": iterative_edit.graph,
}
# the first two begin with numbers, because lists of templates are in the order of their names
DEMO_ALONE = {
    "1_bento_box_editor": by_hand.bento,
    "2_toy_box_editor": by_hand.toys,
    "learned_look": learned_look.graph,
    "layer_loras": layer_loras.graph,
    "kept_edges": kept_edges.graph,
    "second_pass": second_pass.graph,
    "moved_object": moved_object.graph,
} | {
    f"{name}_transformer": partial(STORIES[name], TRANSFORMER)
    for name in ("bento_box", "toy_box", "iterative_edit")
}

# in folders of their own: the template browser would offer what lacks a pack
OTHER_PACKS = {"packs/reference_pictures": reference_pictures.graph}


def _locales() -> None:
    write_english(load_pack().nodes.NODES)
    print(f"The nodes' English texts in {ENGLISH.relative_to(ROOT)}")


# option -> what it makes, its help
PARTS: dict[str, tuple[Callable[[], None], str]] = {
    "pictures": (take_pictures, "take those of the last figures"),
    "help-pictures": (make_help_pictures, "make those of help pages"),
    "locales": (_locales, "write the nodes' English texts"),
    "graph-picture": (make_graph_picture, "make those of the README"),
    "icon": (make_icon, "make that of the registry"),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="run.py examples", description=__doc__)
    for name, (_, text) in PARTS.items():
        parser.add_argument(f"--{name}", dest=name, action="store_true", help=text)
    asked = vars(parser.parse_args())
    for name, (make, _) in PARTS.items():
        if asked[name]:
            make()
    if any(asked.values()):
        return
    graphs = {name: make() for name, make in (STORIES | DEMO_ALONE | OTHER_PACKS).items()}
    for end, (variant, names) in VARIANTS.items():
        graphs |= {f"{name}_{end}": STORIES[name](variant) for name in names}
    for name, graph in graphs.items():
        _write(name, graph)
    print(f"{len(graphs)} examples in {WORKFLOWS.name}/, each for scripts and for the page")


def _write(name: str, graph: Graph) -> None:
    prompt = with_defaults(graph.prompt)
    # apart from the page's form, or the template browser would offer it too
    forms = {f"api/{name}.json": prompt, f"{name}.json": to_page_form(prompt, graph.places)}
    for file, content in forms.items():
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (WORKFLOWS / file).parent.mkdir(parents=True, exist_ok=True)
        write_whole(WORKFLOWS / file, text + "\n", replace=True)


if __name__ == "__main__":
    main()
