"""A workflow file: its form (page or API), and the checks of that form.

Conversion and queueing need no further type checks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from launcher.failure import LauncherError

Json = dict[str, Any]


class FormError(LauncherError):
    """What is wrong with a workflow; the caller adds the name of the file."""


def read_workflow(file: Path) -> Json:
    """Load a workflow file of either form; LauncherError names the file and what is wrong."""
    try:
        workflow = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise LauncherError(f"The workflow {file} cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise LauncherError(f"The workflow {file} is not valid JSON ({error}).") from error
    try:
        check_form(workflow)
    except FormError as error:
        raise LauncherError(f"The workflow {file} cannot be run: {error}") from error
    return workflow


def is_api_form(workflow: Json) -> bool:
    """Say whether this is API form."""
    nodes = [node for node in workflow.values() if isinstance(node, dict)]
    page = isinstance(workflow.get("nodes"), list)
    return not page and any("class_type" in node for node in nodes)


def check_form(workflow: Any) -> None:
    """Raise FormError unless the workflow has everything that conversion and queueing need."""
    if not isinstance(workflow, dict):
        raise FormError("it is not a ComfyUI workflow, which is a JSON object.")
    if is_api_form(workflow):
        _check_api_form(workflow)
    elif isinstance(workflow.get("nodes"), list):
        _check_page_form(workflow)
    else:
        raise FormError("this is no ComfyUI workflow: it has neither nodes nor class types.")


def _check_api_form(workflow: Json) -> None:
    for name, node in workflow.items():
        where = f"node {name}"
        _require_object(node, where)
        _require(node, "class_type", str, where)
        for entry, value in _require(node, "inputs", dict, where).items():
            if isinstance(value, list) and len(value) == 2 and str(value[0]) not in workflow:
                raise FormError(f"{where}, input {entry}: node {value[0]} is not in the workflow.")


def _check_page_form(workflow: Json) -> None:
    known: set[str] = set()
    for node, where in _objects(workflow, "nodes", "the workflow"):
        number = str(_require(node, "id", (int, str), where))
        if number in known:
            raise FormError(f"two nodes have the id {number}.")
        known.add(number)
        _check_page_node(node, f"node {number}")
    for place, link in enumerate(_list(workflow, "links", "the workflow"), 1):
        if link is not None:  # which the page leaves out as well
            _check_link(link, f"link number {place}")
    definitions = _optional(workflow, "definitions", dict, "the workflow") or {}
    for graph, where in _objects(definitions, "subgraphs", "definitions"):
        _require(graph, "id", (int, str), where)


def _check_page_node(node: Json, where: str) -> None:
    _require(node, "type", str, where)
    _optional(node, "mode", int, where)
    _optional(node, "widgets_values", (list, dict), where)
    for entry, slot in _objects(node, "inputs", where):
        _require(entry, "name", str, slot)
        _optional(entry, "type", (str, int), slot)
        _optional(entry, "link", (int, str), slot)
        widget = _optional(entry, "widget", dict, slot)
        if widget:
            _require(widget, "name", str, f"{slot}, widget")
    for output, slot in _objects(node, "outputs", where):
        _optional(output, "type", (str, int), slot)


def _check_link(link: Any, where: str) -> None:
    """[id, origin, slot, target, slot, type], or an object with these names."""
    names = ("id", "origin_id", "origin_slot")
    parts: Json = dict(zip(names, link, strict=False)) if isinstance(link, list) else link
    _require_object(parts, where)
    for name in names[:2]:
        _require(parts, name, (int, str), where)
    _require(parts, names[2], int, where)


def _objects(owner: Json, name: str, where: str) -> Iterator[tuple[Json, str]]:
    """Each object of a list that may be missing, and where it stands."""
    for place, item in enumerate(_list(owner, name, where), 1):
        inside = f"{where}, {name} number {place}"
        _require_object(item, inside)
        yield item, inside


def _require_object(value: Any, where: str) -> None:
    if not isinstance(value, dict):
        raise FormError(f"{where} is not an object.")


def _list(owner: Json, name: str, where: str) -> list[Any]:
    return _optional(owner, name, list, where) or []


def _optional(owner: Json, name: str, kinds: type | tuple[type, ...], where: str) -> Any:
    return None if owner.get(name) is None else _require(owner, name, kinds, where)


def _require(owner: Json, name: str, kinds: type | tuple[type, ...], where: str) -> Any:
    value = owner.get(name)
    if value is None:
        raise FormError(f"{where} has no {name}.")
    if not isinstance(value, kinds) or isinstance(value, bool):
        kind = kinds[0] if isinstance(kinds, tuple) else kinds
        raise FormError(f"{where} has the {name} {json.dumps(value)[:60]}, not {_KINDS[kind]}.")
    return value


_KINDS = {str: "a text", int: "a number", list: "a list", dict: "an object"}
