"""Layers by their words: `layer.sushi.noise` in a graph of Collage Layers, or in a document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from collage_core.collage.limits import LAYER_OPTIONS, LAYER_RANGES
from collage_core.errors import CollageError
from collage_core.prompt.phrases import Place, find_phrases
from tools.batch.cells import CellError, Spec, close_to
from tools.batch.nodes import Graph, Json, splits

LAYER, EDITOR, STACK = "CollageLayer", "CollageEditor", "CollageStack"
PREFIX = "layer."
DOCUMENT_INPUTS: dict[str, Spec] = {
    **{name: ("FLOAT", {"min": low, "max": high}) for name, (low, high) in LAYER_RANGES.items()},
    **{name: (list(choices), {}) for name, choices in LAYER_OPTIONS.items()},
    **{name: ("STRING", {}) for name in ("text", "negative", "picture", "look")},
    "visible": ("BOOLEAN", {}),
}
SAME = {"image": "picture"}  # a layer's picture under the name that the graph has for it


@dataclass(frozen=True)
class Found:
    """A layer: a node, or one of the document of a CollageEditor, which is known by its words."""

    node: str
    text: str
    in_document: bool = False


def layers(graph: Graph) -> Iterator[Found]:
    for node, entry in graph.prompt.items():
        inputs = entry["inputs"]
        if entry["class_type"] == LAYER and isinstance(inputs.get("text"), str):
            yield Found(node, inputs["text"])
        elif entry["class_type"] == EDITOR:
            for layer in read_document(inputs.get("document"))["layers"]:
                yield Found(node, str(layer.get("text", "")), in_document=True)


def read_document(text: Any) -> Json:
    """A document; without layers where it is none, which the host will say."""
    try:
        read = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return {"layers": []}
    found = read.get("layers") if isinstance(read, dict) else None
    every = isinstance(found, list) and all(isinstance(layer, dict) for layer in found)
    return read if every else {"layers": []}


def document_layer(document: Json, text: str) -> Json:
    """The one layer of a row's document with these words. Raises CellError."""
    found = [one for one in document["layers"] if _same_words(str(one.get("text", "")), text)]
    if len(found) != 1:
        many = f"{len(found)} layers" if found else "no layer"
        raise CellError(f'the document of this row has {many} "{text}"')
    return found[0]


def _same_words(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def find_layer(graph: Graph, column: str) -> tuple[Found, str] | None:
    """The layer and its input that `layer.NAME.input` names, None where no layer has the name.

    NAME is the layer's words, or the title of its node. Raises CellError where several have it.
    """
    if not column.startswith(PREFIX):
        return None
    for name, wanted in splits(column.removeprefix(PREFIX)):
        found = [layer for layer in layers(graph) if _is_called(graph, layer, name)]
        if len(found) > 1:
            raise CellError(
                f'{len(found)} layers are called "{name}"; use the id of the node instead'
            )
        if found:
            inputs = list(graph.inputs(found[0].node))
            key = wanted
            if found[0].in_document:
                inputs, key = list(DOCUMENT_INPUTS), SAME.get(wanted, wanted)
            if key not in inputs:
                near = close_to(wanted, inputs)
                raise CellError(f'the layer "{name}" has no input {wanted}; it has {near}')
            return found[0], key
    texts = [layer.text for layer in layers(graph)]
    if not texts:
        return None
    name = column.removeprefix(PREFIX).rpartition(".")[0] or column
    raise CellError(f'there is no layer "{name}"; close to it: {close_to(name, texts)}')


def _is_called(graph: Graph, layer: Found, name: str) -> bool:
    names = [layer.text]
    if not layer.in_document:
        names.append(graph.titles.get(layer.node, ""))
    return any(_same_words(name, one) for one in names)


def exchanged(scene: Any, old: str, new: str) -> str:
    """The scene's sentence with other words for one layer. Raises CellError."""
    if not isinstance(scene, str):
        raise CellError("the scene's sentence comes over a link, where words cannot be exchanged")
    found = places(scene, old)
    if len(found) != 1:
        raise CellError(
            f'"{old}" stands {len(found)} times in the scene\'s sentence and has to stand there '
            "once to be exchanged; give the sentence a column of its own"
        )
    start, end = found[0].start, found[0].end
    if scene[start:end].count("(") != scene[start:end].count(")"):
        raise CellError(
            f'"{old}" stands in the scene\'s sentence with a weight between its words, as '
            f'"{scene[start:end]}", and cannot be exchanged; put the weight around all of them'
        )
    return scene[:start] + new + scene[end:]


def places(scene: str, words: str) -> tuple[Place, ...]:
    """Where a layer's words stand in a sentence, as the nodes find them."""
    try:
        return find_phrases(scene, [(1, words)]).of_layer(0).places
    except CollageError:
        return ()
