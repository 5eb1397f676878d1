"""Turn a workflow as the page saves it into the API form that the server runs.

Covers what core nodes and ours need: widget values by position (with the extra slot that
`control_after_generate` takes), growing inputs such as `layers.layer0`, reroutes, primitives,
muted and bypassed nodes. It cannot expand subgraphs nor nodes whose inputs depend on a choice
(dynamic combos); it says so, and the page's "Export (API)" does it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from launcher.failure import LauncherError

Json = dict[str, Any]

MUTED, BYPASSED = 2, 4
ONLY_ON_THE_PAGE = ("Note", "MarkdownNote", "Reroute", "PrimitiveNode")
WIDGET_TYPES = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "COLOR")
AFTER_GENERATE = ("fixed", "increment", "decrement", "randomize")


class PageFormError(LauncherError):
    """The workflow cannot be converted; the text says which node and what to do instead."""


def is_api_form(workflow: Json) -> bool:
    """Say whether this is the form in which ComfyUI's interface takes a workflow."""
    return bool(workflow) and all(
        isinstance(node, dict) and "class_type" in node for node in workflow.values()
    )


def to_api_form(workflow: Json, object_info: Json) -> Json:
    """Convert a page workflow with the server's own description of its nodes."""
    if not isinstance(workflow.get("nodes"), list):
        raise PageFormError("This is no ComfyUI workflow: it has neither nodes nor class types.")
    subgraphs = {graph["id"] for graph in (workflow.get("definitions") or {}).get("subgraphs", [])}
    graph = _Graph(workflow)
    prompt = {}
    for node in workflow["nodes"]:
        if node["type"] in ONLY_ON_THE_PAGE or node.get("mode", 0) in (MUTED, BYPASSED):
            continue
        if node["type"] in subgraphs:
            raise PageFormError(
                f"Node {node['id']} is a subgraph, which only the page can expand; open the "
                'workflow there, choose "Export (API)", and run the exported file.'
            )
        if node["type"] not in object_info:
            raise PageFormError(f"This ComfyUI has no node {node['type']} (node {node['id']}).")
        inputs = {**_widget_inputs(node, object_info[node["type"]]), **graph.linked_inputs(node)}
        prompt[str(node["id"])] = {"class_type": node["type"], "inputs": inputs}
    return prompt


def _widget_inputs(node: Json, info: Json) -> Json:
    """Match the positional widget values of a node with the names of its inputs."""
    values = node.get("widgets_values") or []
    if isinstance(values, dict):
        return dict(values)
    inputs, position = {}, 0
    for name, kind, options in _widgets(node, info):
        if position >= len(values):  # saved before this input existed
            if "default" in options:
                inputs[name] = options["default"]
            continue
        value = values[position]
        position += 1
        # A bare list would read as a link.
        inputs[name] = {"__value__": value} if isinstance(value, list) else value
        if _has_control(name, kind, options) and values[position : position + 1]:
            position += values[position] in AFTER_GENERATE
    return inputs


def _widgets(node: Json, info: Json) -> Iterator[tuple[str, str, Json]]:
    """Yield name, type and options of every input that is a widget, in the page's order."""
    shown = {entry["widget"]["name"] for entry in node.get("inputs", []) if entry.get("widget")}
    for section in ("required", "optional"):
        for name, spec in info["input"].get(section, {}).items():
            kind = "COMBO" if isinstance(spec[0], list) else spec[0]
            options = spec[1] if len(spec) > 1 else {}
            if kind.startswith("COMFY_DYNAMICCOMBO"):
                raise PageFormError(
                    f"Node {node['id']} ({node['type']}) has inputs that depend on {name}; open "
                    'the workflow in the page, choose "Export (API)", and run the exported file.'
                )
            is_widget = kind in WIDGET_TYPES or options.get("socketless") or name in shown
            if is_widget and not options.get("forceInput"):
                yield name, kind, options


def _has_control(name: str, kind: str, options: Json) -> bool:
    by_name = kind == "INT" and name in ("seed", "noise_seed")
    return bool(options.get("control_after_generate", by_name))


class _Graph:
    """The links of a page workflow, followed through everything that only the page knows."""

    def __init__(self, workflow: Json) -> None:
        self.nodes = {node["id"]: node for node in workflow["nodes"]}
        self.origins: dict[int, tuple[int, int]] = {}
        for link in workflow.get("links", []):
            if isinstance(link, dict):
                self.origins[link["id"]] = (link["origin_id"], link["origin_slot"])
            else:
                self.origins[link[0]] = (link[1], link[2])

    def linked_inputs(self, node: Json) -> Json:
        """Return the inputs of a node that come from another node, or from a primitive."""
        found = {}
        for entry in node.get("inputs", []):
            source = self._source(entry.get("link"))
            if source is not None:
                found[entry["name"]] = source
        return found

    def _source(self, link: int | None) -> Any:
        """Return [node id, slot], a primitive's value, or None when nothing arrives."""
        while link is not None and link in self.origins:
            node_id, slot = self.origins[link]
            node = self.nodes[node_id]
            mode = node.get("mode", 0)
            if mode == MUTED:
                return None
            if node["type"] == "PrimitiveNode":
                return node["widgets_values"][0]
            if node["type"] == "Reroute":
                link = node["inputs"][0].get("link")
            elif mode == BYPASSED:
                link = _link_through(node, slot)
            else:
                return [str(node_id), slot]
        return None


def _link_through(node: Json, slot: int) -> int | None:
    """Return the link that a bypassed node hands on to its output: same type, same place first."""
    kind = node["outputs"][slot]["type"]
    inputs = node.get("inputs", [])
    for entry in [*inputs[slot : slot + 1], *inputs]:
        if entry["type"] == kind and entry.get("link") is not None:
            return entry["link"]
    return None
