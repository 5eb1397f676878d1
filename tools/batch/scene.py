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
    """A layer: a node, or the number of a layer in the document of a CollageEditor."""

    node: str
    text: str
    number: int | None = None


def layers(graph: Graph) -> Iterator[Found]:
    for node, entry in graph.prompt.items():
        inputs = entry["inputs"]
        if entry["class_type"] == LAYER and isinstance(inputs.get("text"), str):
            yield Found(node, inputs["text"])
        elif entry["class_type"] == EDITOR:
            for number, layer in enumerate(document_layers(inputs.get("document"))):
                yield Found(node, str(layer.get("text", "")), number)


def document_layers(text: Any) -> list[Json]:
    """The layers of a document; none where it is no document, which the host will say."""
    try:
        read = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return []
    found = read.get("layers") if isinstance(read, dict) else None
    every = isinstance(found, list) and all(isinstance(layer, dict) for layer in found)
    return found if every and found else []


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
            if found[0].number is not None:
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
    if layer.number is None:
        names.append(graph.titles.get(layer.node, ""))
    return name.strip().casefold() in [one.strip().casefold() for one in names]


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
