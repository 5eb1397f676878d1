"""What a ComfyUI says of this pack's nodes, beside what it said before: object_info.json.

Saved workflows and scripts hold on to names, kinds, order, defaults and ranges, so a change of
any of them has to be meant. A change that is meant renews the file:

    COLLAGE_RENEW=1 python3 run.py test tests/server/test_object_info.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from launcher.base_folder import PACK_NAME
from launcher.client import Client

SNAPSHOT = Path(__file__).with_name("object_info.json")
RENEW = "COLLAGE_RENEW"
KEPT = ("input", "input_order", "output", "output_is_list", "output_name", "output_node")
WORDS = {"tooltip", "placeholder"}  # may be put differently at any time
OF_THE_HOST = {
    "sampler_name",
    "scheduler",
    "embedding",
    "lora_name",
    "file",
}  # inputs whose options are not ours


def kept(node: dict[str, Any]) -> dict[str, Any]:
    """Of what the host says of a node that which workflows hold on to."""
    return {part: without_words(node[part]) for part in KEPT}


def without_words(value: Any, name: str = "") -> Any:
    if isinstance(value, list):
        return [without_words(one, name) for one in value]
    if not isinstance(value, dict):
        return value
    ours = {key: without_words(one, key) for key, one in value.items() if key not in WORDS}
    if name in OF_THE_HOST and "options" in ours:
        ours["options"] = "those of the host"
    return ours


def test_the_host_says_of_every_node_what_it_said_before(client: Client) -> None:
    every = client.object_info()
    ours = {
        name: kept(every[name])
        for name in sorted(every)
        if every[name]["python_module"] == f"custom_nodes.{PACK_NAME}"
    }
    if os.environ.get(RENEW):
        SNAPSHOT.write_text(json.dumps(ours, indent=1) + "\n", encoding="utf-8")
    before = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    assert list(ours) == list(before), "nodes came or went; if that is meant, renew the snapshot"
    for name, node in ours.items():
        # as text, because the order of inputs is part of it
        text, text_before = (json.dumps(one, indent=1).splitlines() for one in (node, before[name]))
        assert text == text_before, f"{name} has changed; if that is meant, renew the snapshot"


@pytest.mark.parametrize(
    "change",
    [
        lambda node: node["input"]["required"].update(x=["INT", {}]),
        lambda node: node["input"]["required"]["x"][1].update(default=0.4),
        lambda node: node["input_order"]["required"].reverse(),
        lambda node: node.update(input=dict(reversed(node["input"].items()))),
        lambda node: node.update(output=["IMAGE"]),
    ],
)
def test_what_workflows_hold_on_to_is_kept(change) -> None:
    snapshot = json.loads(SNAPSHOT.read_text(encoding="utf-8"))["CollageLayer"]
    changed = json.loads(json.dumps(snapshot))
    change(changed)
    assert json.dumps(kept(changed)) != json.dumps(kept(snapshot))
