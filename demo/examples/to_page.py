"""Turn a workflow in API form into the form the page opens, laid out in columns.

ComfyUI itself describes the inputs and outputs of every node, the pack's nodes included.
"""

from __future__ import annotations

import asyncio
import uuid
from functools import cache
from typing import Any

from ..pack import host_nodes, load_pack
from .foreign import NODES as FOREIGN
from .variants import FILES

Json = dict[str, Any]

Row = tuple[Json, list[Json]]  # a picture and its layers

COLUMN, ROW, GAP, WIDTH, TALLEST = 360, 40, 20, 300, 1700
EDITOR = (760, 860)  # a new node of that kind on the page
WIDGET_HEIGHT, TEXT_HEIGHT = 24, 110
PICTURES = ("LoadImage", "SaveImage")
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
    """API form with the value of every widget, because the server refuses a missing one."""
    full = {}
    for number, node in prompt.items():
        inputs = dict(node["inputs"])
        for name, kind, options in _inputs(describe(node["class_type"]), inputs):
            if kind in WIDGETS and "default" in options:
                inputs.setdefault(name, options["default"])
        full[number] = {**node, "inputs": inputs}
    return full


def describe(class_type: str) -> Json:
    """ComfyUI's description of a node: its inputs in order and its outputs."""
    for node in load_pack().nodes.NODES:
        if node.GET_SCHEMA().node_id == class_type:
            return node.GET_NODE_INFO_V1()
    if class_type in FOREIGN:
        return FOREIGN[class_type]
    node = _host_classes()[class_type]
    if hasattr(node, "GET_NODE_INFO_V1"):
        return node.GET_NODE_INFO_V1()
    inputs = node.INPUT_TYPES()
    outputs = list(node.RETURN_TYPES)
    names = list(getattr(node, "RETURN_NAMES", outputs))
    return {"input": inputs, "output": outputs, "output_name": names}


@cache
def _host_classes() -> Json:
    """Every node that ships with ComfyUI, those of comfy_extras included."""
    nodes = host_nodes()
    asyncio.run(nodes.init_builtin_extra_nodes())
    return nodes.NODE_CLASS_MAPPINGS


def _node(number: int, node: Json, info: Json, order: int, links: list[list[Any]]) -> Json:
    inputs, values = [], []
    given = node["inputs"]
    for name, kind, options in _inputs(info, given):
        value = given.get(name, options.get("default"))
        linked = isinstance(value, list) and name in given
        is_widget = kind in WIDGETS and not options.get("forceInput")
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
        if not options.get("socketless"):
            inputs.append(entry)
    outputs = zip(info["output_name"], info["output"], strict=True)
    return {
        "id": number,
        "type": node["class_type"],
        "pos": [0, 0],
        "size": [WIDTH, _needed_height(node["class_type"], inputs, info)],
        "flags": {},
        "order": order,
        "mode": 0,
        "inputs": inputs,
        "outputs": [{"name": name, "type": kind, "links": []} for name, kind in outputs],
        "properties": {"Node name for S&R": node["class_type"], **_files(given)},
        "widgets_values": values,
        **({"title": node["_meta"]["title"]} if "_meta" in node else {}),
    }


def _files(given: Json) -> Json:
    """The model files of a loader, as ComfyUI's own templates name them for the page."""
    names = [value for value in given.values() if isinstance(value, str) and value in FILES]
    files = [{"name": n, "url": FILES[n][1], "directory": FILES[n][0]} for n in names]
    return {"models": files} if files else {}


def _needed_height(kind: str, inputs: list[Json], info: Json) -> int:
    widgets = [entry["name"] for entry in inputs if "widget" in entry]
    slots = max(len(inputs) - len(widgets), len(info["output"]))
    given = info["input"]
    texts = [
        name
        for section in ("required", "optional")
        for name, spec in given.get(section, {}).items()
        if len(spec) > 1 and spec[1].get("multiline")
    ]
    height = 20 + WIDGET_HEIGHT * (slots + len(widgets)) + (TEXT_HEIGHT - 24) * len(texts)
    return height + (260 if kind == "CollageStack" else 0)  # it shows the collage


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
    """Each picture with its layers beside it, in as many blocks as keep the page low; the rest in
    columns after them."""
    columns: dict[int, list[Json]] = {}
    for number, (column, _) in sorted(places.items(), key=lambda place: place[1]):
        node = by_id[int(number)]
        if node["type"] in PICTURES:
            node["size"] = [WIDTH, 320]
        if node["type"] == "CollageEditor":
            node["size"] = [*EDITOR]
        columns.setdefault(column, []).append(node)
    blocks = _blocks(_rows(columns.pop(0, []), columns.pop(1, [])))
    for number, rows in enumerate(blocks):
        top = 0
        for load, layers in rows:
            _stack([load], 2 * number, top)
            _stack(layers, 2 * number + 1, top)
            top += _height((load, layers))
    wide = max((load["size"][0] for row in blocks for load, _ in row), default=0)
    right = max(0, wide + GAP + ROW - 2 * COLUMN)
    for column, nodes in columns.items():
        _stack(nodes, column + 2 * (len(blocks) - 1), right=right)


def _rows(pictures: list[Json], layers: list[Json]) -> list[Row]:
    """Each picture with the nodes of the second column that it is linked to first."""
    linked = {
        link: node["id"] for node in pictures for out in node["outputs"] for link in out["links"]
    }
    rows: dict[int, Row] = {node["id"]: (node, []) for node in pictures}
    for node in layers:
        origins = [linked[slot["link"]] for slot in node["inputs"] if slot["link"] in linked]
        rows[origins[0] if origins else next(reversed(rows))][1].append(node)
    return list(rows.values())


def _blocks(rows: list[Row]) -> list[list[Row]]:
    """The rows in as few blocks, one beside the other, as keep each below TALLEST."""
    total = sum(_height(row) for row in rows)
    limit = total / max(1, -(-total // TALLEST))
    blocks: list[list[Row]] = [[]]
    filled = 0
    for row in rows:
        if filled >= limit:
            blocks.append([])
            filled = 0
        blocks[-1].append(row)
        filled += _height(row)
    return blocks


def _height(row: Row) -> int:
    load, layers = row
    return max(_total([load]), _total(layers))


def _total(nodes: list[Json]) -> int:
    return sum(node["size"][1] + ROW + GAP for node in nodes)


def _stack(nodes: list[Json], column: int, top: int = 0, right: int = 0) -> None:
    for node in nodes:
        node["pos"] = [column * COLUMN + right, top]
        top += _total([node])
