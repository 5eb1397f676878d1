"""Turn a workflow as the page saves it into the API form that the server runs.

Covers what core nodes and ours need: widget values by position (with the extra slot that
`control_after_generate` takes), growing inputs such as `layers.layer0`, reroutes, primitives,
muted and bypassed nodes. Subgraphs and nodes whose inputs depend on a choice (dynamic combos) are
refused; the page's "Export (API)" converts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from launcher.workflow_file import FormError, check_form

Json = dict[str, Any]

MUTED, BYPASSED = 2, 4
ONLY_ON_THE_PAGE = ("Note", "MarkdownNote", "Reroute", "PrimitiveNode")
WIDGET_TYPES = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "COLOR")
AFTER_GENERATE = ("fixed", "increment", "decrement", "randomize")


def to_api_form(workflow: Json, object_info: Json) -> Json:
    """Convert a page workflow with the server's own description of its nodes.

    Raises FormError with the node and the remedy for what it cannot convert.
    """
    check_form(workflow)
    subgraphs = {graph["id"] for graph in (workflow.get("definitions") or {}).get("subgraphs", [])}
    graph = _Graph(workflow)
    prompt = {}
    for node in workflow["nodes"]:
        if node["type"] in ONLY_ON_THE_PAGE or node.get("mode", 0) in (MUTED, BYPASSED):
            continue
        if node["type"] in subgraphs:
            raise FormError(
                f"Node {node['id']} is a subgraph, which only the page can expand; open the "
                'workflow there, choose "Export (API)", and run the exported file.'
            )
        if node["type"] not in object_info:
            raise FormError(f"This ComfyUI has no node {node['type']} (node {node['id']}).")
        inputs = {**_widget_inputs(node, object_info[node["type"]]), **graph.linked_inputs(node)}
        prompt[str(node["id"])] = {"class_type": node["type"], "inputs": inputs}
    if not prompt:
        raise FormError("it has no node that could run.")
    check_form(prompt)  # a link may come from a node that has no part in it
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
    entries = node.get("inputs") or []
    shown = {entry["widget"]["name"] for entry in entries if entry.get("widget")}
    for section in ("required", "optional"):
        for name, spec in info["input"].get(section, {}).items():
            kind = "COMBO" if isinstance(spec[0], list) else spec[0]
            options = spec[1] if len(spec) > 1 else {}
            if kind.startswith("COMFY_DYNAMICCOMBO"):
                raise FormError(
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
    """The links of a page workflow, followed through nodes that exist only on the page."""

    def __init__(self, workflow: Json) -> None:
        self.nodes = {node["id"]: node for node in workflow["nodes"]}
        self.origins: dict[int, tuple[int, int]] = {}
        for link in workflow.get("links") or []:
            if link is None:
                continue
            if isinstance(link, dict):
                self.origins[link["id"]] = (link["origin_id"], link["origin_slot"])
            else:
                self.origins[link[0]] = (link[1], link[2])

    def linked_inputs(self, node: Json) -> Json:
        """Return the inputs of a node that come from another node, or from a primitive."""
        found = {}
        for entry in node.get("inputs") or []:
            source = self._source(entry.get("link"))
            if source is not None:
                found[entry["name"]] = source
        return found

    def _source(self, link: int | None) -> Any:
        """Return [node id, slot], a primitive's value, or None when nothing arrives."""
        passed: set[int] = set()
        while link is not None and link in self.origins:
            if link in passed:
                raise FormError(
                    f"Link {link} comes back to itself through nodes that only pass on."
                )
            passed.add(link)
            node_id, slot = self.origins[link]
            node = self.nodes.get(node_id)
            if node is None:
                raise FormError(f"Link {link} comes from node {node_id}, which is not there.")
            mode = node.get("mode", 0)
            if mode == MUTED:
                return None
            if node["type"] == "PrimitiveNode":
                return _value_of(node)
            if node["type"] == "Reroute":
                link = next((entry.get("link") for entry in node.get("inputs") or []), None)
            elif mode == BYPASSED:
                link = _link_through(node, slot)
            else:
                return [str(node_id), slot]
        return None


def _value_of(primitive: Json) -> Any:
    values = primitive.get("widgets_values")
    if not isinstance(values, list) or not values:
        raise FormError(f"Node {primitive['id']} is a primitive without a value.")
    return {"__value__": values[0]} if isinstance(values[0], list) else values[0]


def _link_through(node: Json, slot: int) -> int | None:
    """Return the link that a bypassed node passes to an output: same type, same place first."""
    outputs = node.get("outputs") or []
    if not 0 <= slot < len(outputs):
        raise FormError(f"Node {node['id']} has no output {slot}, which a link comes from.")
    kind = outputs[slot].get("type")
    inputs = node.get("inputs") or []
    for entry in [*inputs[slot : slot + 1], *inputs]:
        if entry.get("type") == kind and entry.get("link") is not None:
            return entry["link"]
    return None
