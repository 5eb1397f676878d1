"""One real ComfyUI that paints row after row, on a machine that seems to have 256 GB of memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from launcher.base_folder import prepare_base
from tools.batch.painter import Painter

# ComfyUI keeps the results of all earlier jobs while more than 128 GB are free.
LARGE = """
import psutil
import comfy.model_management

class Memory:
    total, available, percent, used, free = 256 * 2**30, 200 * 2**30, 22.0, 56 * 2**30, 200 * 2**30

psutil.virtual_memory = Memory
comfy.model_management.total_ram = 256 * 1024
NODE_CLASS_MAPPINGS = {}
"""
pytestmark = pytest.mark.slow  # a server of its own
RED, GREEN, BLUE = 0xFF0000, 0x00FF00, 0x0000FF
Json = dict[str, Any]


@pytest.fixture(scope="module")
def painter() -> Iterator[Painter]:
    def prepared(base: Path) -> Path:
        (prepare_base(base) / "custom_nodes" / "large_machine.py").write_text(LARGE)
        return base

    one = Painter(None, "w")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("launcher.base_folder.prepare_base", prepared)
        one.start()
    yield one
    one.stop()


def saved(name: str, colour: int, prefix: str = "x") -> Json:
    """A picture of one colour, and the node that saves it."""
    size = {"width": 64, "height": 64, "batch_size": 1}
    inputs = {"images": [f"{name} colour", 0], "filename_prefix": prefix}
    return {
        f"{name} colour": {"class_type": "EmptyImage", "inputs": {**size, "color": colour}},
        name: {"class_type": "SaveImage", "inputs": inputs},
    }


def painted(painter: Painter, prompt: Json) -> list[tuple[str, int]]:
    """What the files of a job are called, and their colours."""
    outcome = painter.paint(prompt, {})
    assert not outcome.error
    return [(about, colour_of(data)) for about, _, data in outcome.pictures]


def colour_of(data: bytes) -> int:
    return int.from_bytes(Image.open(io.BytesIO(data)).convert("RGB").tobytes()[:3], "big")


def test_a_row_has_its_own_pictures_whatever_was_painted_before(painter: Painter) -> None:
    rows = [("x", RED), ("y", GREEN), ("x", BLUE), ("x", RED), ("y", GREEN), ("y", GREEN)]
    for number, (prefix, colour) in enumerate(rows):
        other = saved("other", number, "other")
        found = painted(painter, saved("own", colour, prefix) | other)
        assert sorted(found) == sorted([("other", number), (prefix, colour)])


def test_nodes_with_one_prefix_keep_their_order(painter: Painter) -> None:
    """ComfyUI lists a node that had nothing new to do first."""
    rows = [(RED, 1), (RED, 2), (3, 2), (4, 5)]
    for two, ten in rows:
        found = painted(painter, saved("10", ten) | saved("2", two))
        assert found == [("x", two), ("x", ten)]


def layer(name: str, words: str) -> Json:
    """A collage of one layer whose words do not stand in its prompt: it fails when it is run."""
    strengths = {"opacity": 1.0, "noise": 0.6, "attract": 0.3, "repel": 0.5, "control": 1.0}
    place = {"x": 0.5, "y": 0.5, "scale": 0.5, "rotation": 0.0, "visible": True}
    canvas = {"prompt": "a lemon", "width": 64, "height": 64, "background": "#969696"}
    of = {"image": ["own colour", 0], "text": words, **place, **strengths}
    stack = canvas | {"layers.layer0": [f"{name} layer", 0]}
    return {
        f"{name} layer": {"class_type": "CollageLayer", "inputs": of},
        name: {"class_type": "CollageStack", "inputs": stack},
    }


def test_what_comfyui_does_not_run_is_not_run(painter: Painter) -> None:
    own = saved("own", RED)
    half = {"half": {"class_type": "MaskedCrossAttentionPatch", "inputs": {"strength": 1.0}}}
    assert painted(painter, own | half) == [("x", RED)]
    assert painted(painter, own | layer("unused", "mug")) == [("x", RED)]
    chosen = {"switch": True, "on_true": ["own colour", 0], "on_false": ["other", 1]}
    prompt = own | layer("other", "mug")
    prompt["switch"] = {"class_type": "ComfySwitchNode", "inputs": chosen}
    prompt["own"]["inputs"]["images"] = ["switch", 0]
    assert painted(painter, prompt) == [("x", RED)]


def test_warnings_of_what_is_run_are_told(painter: Painter) -> None:
    prompt = saved("own", RED) | layer("stack", "lemon")
    prompt["own"]["inputs"]["images"] = ["stack", 1]
    prompt["stack layer"]["inputs"]["x"] = 0.0
    outcome = painter.paint(prompt, {})
    assert not outcome.error
    assert any("lies outside the canvas" in warning for warning in outcome.warnings)
