"""The example workflow through the HTTP interface of a real ComfyUI."""

from __future__ import annotations

import copy
import io
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from launcher.client import Client, HostError

WORKFLOWS = Path(__file__).parents[2] / "workflows"
EXAMPLE = json.loads((WORKFLOWS / "api/bento_box.json").read_text())
SAMPLER, LAYER, STACK = (
    next(number for number, node in EXAMPLE.items() if node["class_type"] == kind)
    for kind in ("PerLayerNoiseKSampler", "CollageLayer", "CollageStack")
)


@pytest.fixture
def prompt() -> dict[str, Any]:
    """The example with few steps."""
    workflow = copy.deepcopy(EXAMPLE)
    workflow[SAMPLER]["inputs"]["steps"] = 4
    return workflow


def pictures(client: Client, prompt: dict[str, Any]) -> dict[str, np.ndarray]:
    """Run a workflow; every saved picture by the prefix of its name, [H, W, 3] in [0, 1]."""
    outputs = client.wait(client.queue(prompt), timeout=300)
    found = {}
    for output in outputs.values():
        for image in output.get("images", []):
            if image["type"] == "output":
                picture = Image.open(io.BytesIO(client.fetch(image))).convert("RGB")
                name = image["filename"].rsplit("_", 2)[0]
                found[name] = np.asarray(picture, np.float32) / 255
    return found


def test_layers_go_in_and_a_changed_picture_comes_out(client: Client, prompt) -> None:
    made = pictures(client, prompt)
    composite, result = made["collage_composite"], made["collage_result"]
    assert composite.shape == result.shape == (256, 256, 3)
    assert 0.01 < np.abs(composite - result).mean() < 0.25


def test_noise_zero_keeps_the_composite(client: Client, prompt) -> None:
    for node in prompt.values():
        if node["class_type"] == "CollageLayer":
            node["inputs"]["noise"] = 0.0
    prompt[SAMPLER]["inputs"]["base_noise"] = 0.0
    made = pictures(client, prompt)
    # what is left is the autoencoder's own loss
    assert np.abs(made["collage_composite"] - made["collage_result"]).mean() < 0.05


@pytest.mark.parametrize(
    ("node", "name", "value", "words"),
    [
        (LAYER, "text", "purple dinosaur", ("purple dinosaur", "prompt")),
        (LAYER, "text", "  ", ("CollageLayer", "text", "empty")),
        (STACK, "width", 100, ("width", "100")),
        (STACK, "background", "no colour", ("background", "no colour")),
    ],
)
def test_a_mistake_is_told_in_one_sentence(client, prompt, node, name, value, words) -> None:
    broken = copy.deepcopy(prompt)
    broken[node]["inputs"][name] = value
    with pytest.raises(HostError) as told:
        client.wait(client.queue(broken), timeout=120)
    for word in words:
        assert word in str(told.value)


def test_noise_out_of_range_is_refused_before_any_work(client: Client, prompt) -> None:
    prompt[LAYER]["inputs"]["noise"] = 1.5
    with pytest.raises(HostError, match="noise"):
        client.wait(client.queue(prompt), timeout=120)


def test_the_server_goes_on_after_an_interrupt(client: Client, prompt) -> None:
    prompt[SAMPLER]["inputs"] |= {"steps": 2000, "seed": 99}
    job = client.queue(prompt)
    while not client.get("/queue")["queue_running"]:
        time.sleep(0.1)
    client.interrupt()
    with pytest.raises(HostError, match=r"(?i)interrupt"):
        client.wait(job, timeout=120)
    prompt[SAMPLER]["inputs"] |= {"steps": 2, "seed": 3}
    assert "collage_result" in pictures(client, prompt)
