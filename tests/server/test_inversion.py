"""A training through the interface of a real ComfyUI: shown, interrupted, taken up, found."""

from __future__ import annotations

import importlib.util
import io
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from launcher.server import Server

LEARN, REPORT = "4", "5"
STEPS = 6


@pytest.fixture(scope="module")
def follow(server: Server):
    path = Path(__file__).with_name("listener.py")
    spec = importlib.util.spec_from_file_location("listener", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["listener"] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return lambda *args: module.follow(server.url, *args)


def workflow(attract: float) -> dict[str, Any]:
    """Learn the example's sushi; `attract` has no part in what is learned."""
    return {
        "1": {"class_type": "CollageDemoModel", "inputs": {}},
        "2": {"class_type": "LoadImage", "inputs": {"image": "collage_bento_sushi.png"}},
        "3": {
            "class_type": "CollageLayer",
            "inputs": {
                "image": ["2", 0], "mask": ["2", 1], "text": "sushi", "x": 0.5, "y": 0.5,
                "scale": 1.0, "rotation": 0.0, "opacity": 1.0, "noise": 0.8, "attract": attract,
                "repel": 0.5, "control": 1.0, "visible": True,
            },
        },
        LEARN: {
            "class_type": "LayerTextualInversion",
            "inputs": {
                "model": ["1", 0], "clip": ["1", 1], "vae": ["1", 2], "layer": ["3", 0],
                "preset": "preview", "steps": STEPS, "seed": 3,
            },
        },
        REPORT: {"class_type": "PreviewAny", "inputs": {"source": [LEARN, 3]}},
        "6": {"class_type": "PreviewImage", "inputs": {"images": [LEARN, 2]}},
    }  # fmt: skip


def report(events: list) -> str:
    shown = [e for e in events if e.kind == "executed" and e.node == REPORT]
    assert shown, [e.data for e in events if e.kind.startswith("execution")]
    return shown[0].data["output"]["text"][0]


def steps(events: list) -> list[int]:
    """The steps that the node's text tells of."""
    said = [e.data for e in events if e.kind == "text" and e.node == LEARN]
    return [int(text.split()[1]) for text in said if text.startswith("step ")]


def seconds(events: list) -> float:
    """How long the node took."""
    starts = [e for e in events if e.kind == "executing"]
    first = next(number for number, e in enumerate(starts) if e.node == LEARN)
    return starts[first + 1].seconds - starts[first].seconds


@pytest.mark.slow
def test_a_training_is_shown_interrupted_taken_up_again_and_found(follow) -> None:
    cut_off = follow(workflow(0.3), "step 2 ")
    assert cut_off[-1].kind == "execution_interrupted"
    assert steps(cut_off) == list(range(1, len(steps(cut_off)) + 1))
    assert 2 <= len(steps(cut_off)) < STEPS

    first_look = next(e for e in cut_off if e.kind == "preview")
    assert first_look.node == LEARN
    assert Image.open(io.BytesIO(first_look.data)).size == (64, 64)

    done = follow(workflow(0.3))
    assert done[-1].kind == "execution_success"
    # the step that was done when the interruption came may not have been told any more
    resumed = steps(done)[0] - 1
    assert resumed in (steps(cut_off)[-1], steps(cut_off)[-1] + 1)
    assert steps(done) == list(range(resumed + 1, STEPS + 1))
    assert f"resumed at step {resumed}" in report(done)
    last_look = [e for e in done if e.kind == "preview"][-1]
    assert last_look.data != first_look.data
    bar = [e.data for e in done if e.kind == "progress" and e.node == LEARN]
    assert (bar[-1]["value"], bar[-1]["max"]) == (STEPS, STEPS)

    again = follow(workflow(0.4))
    assert again[-1].kind == "execution_success"
    assert steps(again) == []
    assert report(again).startswith("learned before: col_sushi_")
    assert seconds(again) < 1
