"""A Collage Stack of a workflow turned into a Collage Editor on ComfyUI's real page."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from launcher.client import Client

from .conftest import REPO, OnPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# a value over a link, a picture that another node shows too, a layer without its mask, a background
# picture, a reroute, and a muted layer
KNOTS = """
const add = (type) => { const node = LiteGraph.createNode(type); graph.add(node); return node }
const layers = graph.nodes.filter((node) => node.type === 'CollageLayer')
const loads = graph.nodes.filter((node) => node.type === 'LoadImage')
const slot = (node, name) => node.inputs.findIndex((input) => input.name === name)
add('PrimitiveFloat').connect(0, layers[2], slot(layers[2], 'noise'))
loads[3].connect(0, add('PreviewImage'), 0)
layers[1].disconnectInput(slot(layers[1], 'mask'))
const stack = graph.nodes.find((node) => node.type === 'CollageStack')
loads[0].connect(0, stack, slot(stack, 'background_image'))
layers[4].mode = 2
const reroute = add('Reroute')
layers[3].connect(0, reroute, 0)
reroute.connect(0, stack, slot(stack, 'layers.layer3'))
"""


@pytest.fixture
def examples(client: Client) -> None:
    for picture in (REPO / "workflows" / "input").glob("collage_*s_*.png"):
        client.upload_image(picture)
    for picture in (REPO / "workflows" / "input").glob("collage_bento_*.png"):
        client.upload_image(picture)


def _collage(client: Client, prompt: dict[str, Any]) -> np.ndarray:
    """The picture that the stack or the editor of a queued graph gives out."""
    kinds = ("CollageStack", "CollageEditor")
    node = next(name for name, one in prompt.items() if one["class_type"] in kinds)
    shown = {"class_type": "SaveImage", "inputs": {"images": [node, 1], "filename_prefix": "turn"}}
    wanted = {name: one for name, one in prompt.items() if not _draws(one["class_type"])}
    saved = client.wait(client.queue({**wanted, "shown": shown}), timeout=120)["shown"]["images"]
    return np.asarray(Image.open(io.BytesIO(client.fetch(saved[0])))).astype(int)


def _draws(kind: str) -> bool:
    return "Collage" not in kind and not kind.startswith(("LoadImage", "Primitive", "Reroute"))


@pytest.mark.usefixtures("examples")
@pytest.mark.parametrize(
    ("look", "workflow", "way"),
    [("classic", "bento_box", "menu"), ("nodes2", "toy_box", "command")],
)
def test_a_template_turns_into_an_editor(
    on_page: OnPage, client: Client, look: str, workflow: str, way: str
) -> None:
    file = str(REPO / "workflows" / f"{workflow}.json")
    seen = on_page("editor_turn.mjs", f"editor_turn_{workflow}_{look}.png", look, file, way)
    assert [error for error in seen["errors"] if "collage" in error.lower()] == []
    gone = ("CollageLayer", "LoadImage", "CollageStack")
    kept = [kind for kind in seen["before"]["types"] if kind not in gone]
    assert seen["after"]["types"] == sorted([*kept, "CollageEditor"])
    behind = [
        link for link in seen["before"]["links"] if not link.startswith(("CollageLayer", "Load"))
    ]
    assert seen["after"]["links"] == sorted(
        link.replace("CollageStack.", "CollageEditor.") for link in behind
    )
    before, after = (_collage(client, seen[when]["prompt"]) for when in ("before", "after"))
    assert np.array_equal(before, after)
    assert seen["undone"]["types"] == seen["before"]["types"], "one undo brings the stack back"
    assert seen["undone"]["links"] == seen["before"]["links"]


@pytest.mark.usefixtures("examples")
def test_what_is_linked_or_used_elsewhere_stays(on_page: OnPage, client: Client) -> None:
    file = str(REPO / "workflows" / "bento_box.json")
    seen = on_page("editor_turn.mjs", "editor_turn_knots.png", "classic", file, "menu", KNOTS)
    after = seen["after"]
    assert "edamame: noise" in seen["notice"]
    # the linked layer with its picture, the shown picture, and the muted layer with its picture
    assert after["types"].count("CollageLayer") == 2
    assert after["types"].count("LoadImage") == 3
    assert not {"CollageStack", "Reroute"} & {*after["types"]}
    assert "PrimitiveFloat.FLOAT > CollageLayer#7.noise" in after["links"]
    editor = next(one for one in after["prompt"].values() if one["class_type"] == "CollageEditor")
    document = json.loads(editor["inputs"]["document"])
    assert document["background_picture"]
    assert [layer["text"] for layer in document["layers"]][-1] == "rice"
    wanted, found = (_collage(client, seen[when]["prompt"]) for when in ("before", "after"))
    assert np.array_equal(wanted, found)
    assert seen["undone"]["types"] == seen["before"]["types"]
