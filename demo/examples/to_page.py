"""Turn a workflow in API form into the form the page opens, laid out in columns.

What a node's inputs and outputs are comes from the host itself, the pack's nodes among them.
"""

from __future__ import annotations

import asyncio
import uuid
from functools import cache
from typing import Any

from ..pack import host_nodes, load_pack

Json = dict[str, Any]

COLUMN, ROW, GAP = 360, 40, 30
WIDGETS = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "COLOR")


def to_page_form(prompt: Json, places: dict[str, tuple[int, int]]) -> Json:
    """API form and each node's (column, row) -> the page's workflow."""
    info = {name: describe(name) for name in {node["class_type"] for node in prompt.values()}}
    links: list[list[Any]] = []
    nodes = []
    for order, (number, node) in enumerate(sorted(prompt.items(), key=lambda item: int(item[0]))):
        nodes.append(_node(int(number), node, info[node["class_type"]], order, links))
    by_id = {node["id"]: node for node in nodes}
    for link, origin, slot, target, entry, kind in links:
        by_id[origin]["outputs"][slot]["links"].append(link)
        by_id[target]["inputs"][entry]["link"] = link
        by_id[origin]["outputs"][slot]["type"] = kind
    _lay_out(by_id, places)
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(sorted(prompt)))),
        "revision": 0,
        "last_node_id": max(by_id),
        "last_link_id": len(links),
        "nodes": nodes,
        "links": links,
        "groups": [],
        "config": {},
        "extra": {},
        "version": 0.4,
    }


def with_defaults(prompt: Json) -> Json:
    """API form with every widget's value: the server refuses a workflow that leaves one out."""
    full = {}
    for number, node in prompt.items():
        inputs = dict(node["inputs"])
        for name, kind, options in _inputs(describe(node["class_type"]), inputs):
            if kind in WIDGETS and "default" in options:
                inputs.setdefault(name, options["default"])
        full[number] = {**node, "inputs": inputs}
    return full


def describe(class_type: str) -> Json:
    """The host's description of a node: its inputs in order and its outputs."""
    for node in load_pack().nodes.NODES:
        if node.GET_SCHEMA().node_id == class_type:
            return node.GET_NODE_INFO_V1()
    node = _host_classes()[class_type]
    if hasattr(node, "GET_NODE_INFO_V1"):
        return node.GET_NODE_INFO_V1()
    inputs = node.INPUT_TYPES()
    outputs = list(node.RETURN_TYPES)
    names = list(getattr(node, "RETURN_NAMES", outputs))
    return {"input": inputs, "output": outputs, "output_name": names}


@cache
def _host_classes() -> Json:
    """Every node that the host brings along, those of comfy_extras included."""
    nodes = host_nodes()
    asyncio.run(nodes.init_builtin_extra_nodes())
    return nodes.NODE_CLASS_MAPPINGS


def _node(number: int, node: Json, info: Json, order: int, links: list[list[Any]]) -> Json:
    inputs, values = [], []
    given = node["inputs"]
    for name, kind, options in _inputs(info, given):
        value = given.get(name, options.get("default"))
        linked = isinstance(value, list) and name in given
        is_widget = kind in WIDGETS
        if linked:
            links.append([len(links) + 1, int(value[0]), value[1], number, len(inputs), kind])
        entry: Json = {"name": name, "type": kind, "link": None}
        if is_widget:
            entry["widget"] = {"name": name}
            values.append(options.get("default", "") if linked else value)
            if options.get("control_after_generate"):
                values.append("fixed")
            if options.get("image_upload"):
                values.append("image")
        inputs.append(entry)
    outputs = zip(info["output_name"], info["output"], strict=True)
    return {
        "id": number,
        "type": node["class_type"],
        "pos": [0, 0],
        "size": [300, 30 + 24 * max(len(inputs) + len(values) // 3, len(info["output"]))],
        "flags": {},
        "order": order,
        "mode": 0,
        "inputs": inputs,
        "outputs": [{"name": name, "type": kind, "links": []} for name, kind in outputs],
        "properties": {"Node name for S&R": node["class_type"]},
        "widgets_values": values,
        **({"title": node["_meta"]["title"]} if "_meta" in node else {}),
    }


def _inputs(info: Json, given: Json):
    """Name, type and options of each input slot; a growing input gives one slot a link."""
    for section in ("required", "optional"):
        for name, spec in info["input"].get(section, {}).items():
            options = spec[1] if len(spec) > 1 else {}
            kind = "COMBO" if isinstance(spec[0], list) else spec[0]
            if kind == "COMFY_AUTOGROW_V3":
                template = options["template"]
                inner = next(iter(template["input"]["required"].values()))[0]
                grown = [key for key in given if key.startswith(f"{name}.")]
                free = f"{name}.{template['prefix']}{len(grown)}"
                yield from ((key, inner, {}) for key in [*grown, free])
            else:
                yield name, kind, options


def _lay_out(by_id: dict[int, Json], places: dict[str, tuple[int, int]]) -> None:
    """Set the nodes of each column below one another."""
    bottom: dict[int, int] = {}
    for number, (column, _) in sorted(places.items(), key=lambda place: place[1]):
        node = by_id[int(number)]
        if node["type"] in ("LoadImage", "SaveImage"):
            node["size"] = [300, 320]
        node["pos"] = [column * COLUMN, bottom.get(column, 0)]
        bottom[column] = node["pos"][1] + node["size"][1] + ROW + GAP
