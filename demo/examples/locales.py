"""The English texts of every node for the page, written from the nodes' own schemas.

ComfyUI reads `locales/<language>/nodeDefs.json` and `main.json`. Other languages are written by
hand, and tests hold them to the same keys.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from collage_core.storage.atomic_write import write_whole

from ..pack import ROOT

ENGLISH = ROOT / "locales" / "en"

Json = dict[str, Any]


def english(nodes: Sequence[Any]) -> dict[str, Json]:
    """The files of the English language for the pack's node classes, by name."""
    schemas = [node.GET_SCHEMA() for node in nodes]
    menus = sorted({part for schema in schemas for part in schema.category.split("/")})
    return {
        "nodeDefs.json": {schema.node_id: _described(schema) for schema in schemas},
        "main.json": {"nodeCategories": {menu: menu for menu in menus}},
    }


def write_english(nodes: Sequence[Any]) -> None:
    ENGLISH.mkdir(parents=True, exist_ok=True)
    for name, content in english(nodes).items():
        text = json.dumps(content, indent=1, ensure_ascii=False)
        write_whole(ENGLISH / name, text + "\n", replace=True)


def _described(schema: Any) -> Json:
    return {
        "display_name": schema.display_name,
        "description": schema.description,
        "inputs": {key: _texts(given) for one in schema.inputs for key, given in _slots(one)},
        "outputs": {str(number): _texts(output) for number, output in enumerate(schema.outputs)},
    }


def _slots(given: Any) -> list[tuple[str, Any]]:
    """An input, and each slot of a growing input; the page replaces dots by underscores."""
    itself, *grown = given.get_all()
    return [(given.id, itself), *((f"{given.id}_{slot.id}", slot) for slot in grown)]


def _texts(slot: Any) -> dict[str, str]:
    return {"name": slot.display_name or slot.id, "tooltip": slot.tooltip}
