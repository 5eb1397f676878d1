"""What a column of the table does to a workflow: it puts a cell where its name says."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from tools.batch.cells import CellError, value_of
from tools.batch.files import DOCUMENTS, Files, takes_file
from tools.batch.nodes import LINKED, Graph, Json, find_input, loader_of, unknown
from tools.batch.scene import (
    DOCUMENT_INPUTS,
    STACK,
    Found,
    document_layer,
    exchanged,
    find_layer,
    places,
    read_document,
)

VALUES = ("INT", "FLOAT", "BOOLEAN", "STRING", "COLOR")
Put = Callable[[Json, Any], None]  # changes a workflow by a cell, or raises CellError


class Columns:
    """Finds what the columns of a table name in a workflow."""

    def __init__(self, graph: Graph, files: Files, names: Sequence[str]) -> None:
        self.graph, self.files = graph, files
        self.fixed = {self._target(name) for name in names}

    def _target(self, column: str) -> tuple[str, str] | None:
        try:
            return find_input(self.graph, column)
        except CellError:
            return None

    def put(self, column: str) -> Put:
        """What a column does with a cell. Raises CellError where it names nothing."""
        if layer := find_layer(self.graph, column):
            return self._layer_put(*layer)
        if place := find_input(self.graph, column):
            return self._input_put(*place)
        raise unknown(self.graph, column)

    def rank(self, column: str) -> int:
        """When a column's cell is put, after those of lower rank: layers into a row's document."""
        node, name = self._target(column) or ("", "")
        if node and (self.graph.kind(node), name) in DOCUMENTS:
            return 0
        return 2 if column.endswith(".text") else 1  # as layers are found by their old words

    def _layer_put(self, layer: Found, name: str) -> Put:
        if layer.in_document:
            return self._document_put(layer, name)
        put = self._input_put(layer.node, name)
        if name != "text":
            return put

        def with_words(prompt: Json, cell: Any) -> None:
            old = prompt[layer.node]["inputs"].get("text")
            put(prompt, cell)
            _exchange(prompt, old, prompt[layer.node]["inputs"]["text"], self.fixed)

        return with_words

    def _input_put(self, node: str, name: str) -> Put:
        kind, spec = self.graph.kind(node), self.graph.inputs(node)[name]
        if (kind, name) in DOCUMENTS:
            return lambda prompt, cell: _set(prompt, node, name, self._document(cell))
        if takes_file(kind, name, spec):
            return lambda prompt, cell: _set(prompt, node, name, self.files.of_cell(cell))
        if spec[0] in LINKED:
            return self._input_put(loader_of(self.graph, node, name), "image")
        if isinstance(spec[0], str) and spec[0] not in VALUES:
            raise CellError(f"it takes {spec[0]} over a link, which no cell can give")
        return lambda prompt, cell: _set(prompt, node, name, value_of(cell, spec))

    def _document(self, cell: Any) -> str:
        """A document from a cell: its JSON, or the name of a file with it."""
        text = value_of(cell, ("STRING", {}))
        if not text.lstrip().startswith("{"):
            text = self.files.text(self.files.of_cell(text))
        return self.files.renamed(text, self._either)

    def _either(self, name: str) -> str:
        try:
            return self.files.of_cell(name)
        except CellError:
            return self.files.of_workflow(name)

    def _document_put(self, found: Found, name: str) -> Put:
        spec = DOCUMENT_INPUTS[name]

        def put(prompt: Json, cell: Any) -> None:
            document = read_document(prompt[found.node]["inputs"]["document"])
            layer = document_layer(document, found.text)
            value = self.files.of_cell(cell) if name == "picture" else value_of(cell, spec)
            if name == "text" and layer.get("text") and layer["text"] != value:
                document["prompt"] = exchanged(document.get("prompt"), layer["text"], value)
            if name == "picture":
                layer.pop("size", None)  # that of the picture before
                layer.pop("from", None)
            layer[name] = value
            _set(prompt, found.node, "document", json.dumps(document, ensure_ascii=False))

        return put


def _set(prompt: Json, node: str, name: str, value: Any) -> None:
    prompt[node]["inputs"][name] = value


def _exchange(prompt: Json, old: Any, new: str, fixed: set[tuple[str, str] | None]) -> None:
    """Other words of a layer in the sentences of the scene that have them and no own column."""
    scenes = {
        node: entry["inputs"]["prompt"]
        for node, entry in prompt.items()
        if entry["class_type"] == STACK and isinstance(entry["inputs"].get("prompt"), str)
    }
    if not old or old == new or any((node, "prompt") in fixed for node in scenes):
        return
    having = [node for node, scene in scenes.items() if places(scene, str(old))]
    for node in having or list(scenes):
        _set(prompt, node, "prompt", exchanged(scenes[node], old, new))
