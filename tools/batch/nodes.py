"""Which node and input of a workflow a column names.

`17.seed` by id, `The picture.filename_prefix` by title, `PerLayerNoiseKSampler.seed` by class, and
`sampler.seed` by a word of the title or class that only one node has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tools.batch.cells import CellError, Spec, close_to, spec_of

Json = dict[str, Any]
LOADER = "LoadImage"
LINKED = ("IMAGE", "MASK")  # inputs that take the picture of a LoadImage


@dataclass(frozen=True)
class Graph:
    """A workflow in API form, its titles by node id, and the host's description of all nodes."""

    prompt: Json
    info: Json
    titles: dict[str, str] = field(default_factory=dict)

    def kind(self, node: str) -> str:
        return self.prompt[node]["class_type"]

    def inputs(self, node: str) -> dict[str, Spec]:
        """Every input of a node with its kind; those that a class grows come from the workflow."""
        described = self.info.get(self.kind(node), {}).get("input", {})
        known = {
            name: spec_of(spec)
            for part in ("required", "optional")
            for name, spec in described.get(part, {}).items()
        }
        grown = {name: ("*", {}) for name in self.prompt[node]["inputs"] if name not in known}
        return known | grown

    def named(self, name: str) -> list[str]:
        """Ids of the nodes with this id, else title, else class, else with this in one of them."""
        wanted = name.strip().casefold()
        for matches in (
            lambda node: node.casefold() == wanted,
            lambda node: self.titles.get(node, "").casefold() == wanted,
            lambda node: self.kind(node).casefold() == wanted,
            lambda node: wanted in f"{self.titles.get(node, '')}\n{self.kind(node)}".casefold(),
        ):
            if wanted and (found := [node for node in self.prompt if matches(node)]):
                return found
        return []

    def called(self, node: str) -> str:
        title = self.titles.get(node)
        return f"{node} ({self.kind(node)}{f', {title}' if title else ''})"

    def users(self, node: str) -> Iterator[tuple[str, str]]:
        """Node and input of every link that comes from this node."""
        for other, entry in self.prompt.items():
            for name, value in entry["inputs"].items():
                if is_link(value) and str(value[0]) == node:
                    yield other, name

    def closure(self, *nodes: str, lazy: bool = True) -> set[str]:
        """These nodes and all that they hang on; lazy: also over links that may stay unused."""
        every: set[str] = set()
        waiting = [*nodes]
        while waiting:
            if (one := waiting.pop()) not in every:
                every.add(one)
                specs = {} if lazy else self.inputs(one)
                waiting += [
                    str(value[0])
                    for name, value in self.prompt[one]["inputs"].items()
                    if is_link(value) and (lazy or not specs[name][1].get("lazy"))
                ]
        return every

    def surely_run(self) -> set[str]:
        """The nodes that ComfyUI runs whatever a switch chooses: all that an output hangs on."""
        outputs = [one for one in self.prompt if self.info[self.kind(one)].get("output_node")]
        return self.closure(*outputs, lazy=False)


def is_link(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2


def splits(column: str) -> Iterator[tuple[str, str]]:
    """Every way to part a column's name into node and input; both may have dots."""
    parts = column.split(".")
    for place in range(len(parts) - 1, 0, -1):
        yield ".".join(parts[:place]), ".".join(parts[place:])


def find_input(graph: Graph, column: str) -> tuple[str, str] | None:
    """Node id and input that a column names, None where no node has such a name.

    Raises CellError where several nodes have it, or the node has no such input.
    """
    nearly = ""
    for name, wanted in splits(column):
        nodes = graph.named(name)
        fitting = [node for node in nodes if wanted in graph.inputs(node)]
        if len(fitting) == 1:
            return fitting[0], wanted
        if fitting:
            listed = ", ".join(graph.called(node) for node in fitting[:6])
            raise CellError(f'"{name}" names {len(fitting)} nodes: {listed}; use the id')
        if nodes:
            inputs = list(graph.inputs(nodes[0]))
            nearly = f"{graph.called(nodes[0])} has no input {wanted}; it has " + close_to(
                wanted, inputs
            )
    if nearly:
        raise CellError(nearly)
    return None


def unknown(graph: Graph, column: str) -> CellError:
    """That nothing in the workflow has this name, with what is close to it."""
    kinds = dict.fromkeys(map(graph.kind, graph.prompt))
    words = [word.lower() for kind in kinds for word in re.findall("[A-Z][a-z]+", kind)]
    near = close_to(column.rpartition(".")[0] or column, [*kinds, *graph.titles.values(), *words])
    if "." not in column:
        return CellError(f'it is no "node.input" such as sampler.seed; nodes: {near}')
    name = column.rpartition(".")[0]
    return CellError(f'the workflow has no node "{name}"; close to it: {near}')


def loader_of(graph: Graph, node: str, name: str) -> str:
    """The LoadImage whose picture arrives at this input and is used by this node alone."""
    value = graph.prompt[node]["inputs"].get(name)
    source = str(value[0]) if is_link(value) else ""
    if not source or graph.kind(source) != LOADER:
        comes = f"from {graph.called(source)}" if source else "from nowhere"
        raise CellError(
            f"its pixels come {comes} and not from a {LOADER}, whose picture a table could give"
        )
    others = {other for other, _ in graph.users(source)} - {node}
    if others:
        also = ", ".join(graph.called(other) for other in sorted(others))
        raise CellError(
            f"its picture of {graph.called(source)} is used by {also} too; name the column "
            f"{source}.image to change it for all of them"
        )
    return source
