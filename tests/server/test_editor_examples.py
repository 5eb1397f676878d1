"""The examples on the canvas, through the HTTP interface: made once, then edited where they are."""

from __future__ import annotations

import copy
import hashlib
import io
import json
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from PIL import Image

from launcher.client import Client
from launcher.figures import API

TWINS = {"1_bento_box_editor": "bento_box", "2_toy_box_editor": "toy_box"}
EDITED = {"1_bento_box_editor": "sushi", "2_toy_box_editor": "star"}

Json = dict[str, Any]


def read(name: str) -> Json:
    return json.loads((API / f"{name}.json").read_text("utf-8"))


def the(prompt: Json, kind: str) -> str:
    """The id of the only node of this kind."""
    (number,) = (number for number, node in prompt.items() if node["class_type"] == kind)
    return number


def needed(prompt: Json, *numbers: str) -> Json:
    """These nodes and all that they depend on."""
    found = {number: prompt[number] for number in numbers}
    for node in [*found.values()]:
        links = [value[0] for value in node["inputs"].values() if isinstance(value, list)]
        found |= needed(prompt, *links)
    return found


def run(client: Client, prompt: Json, **saved: list[Any]) -> dict[str, bytes]:
    """The files of these pictures after a run of all that they depend on."""
    graph = copy.deepcopy(prompt)
    for name, link in saved.items():
        inputs = {"images": link, "filename_prefix": name}
        graph[name] = {"class_type": "SaveImage", "inputs": inputs}
    outputs = client.wait(client.queue(needed(graph, *saved)), timeout=300)
    return {name: client.fetch(outputs[name]["images"][0]) for name in saved}


def pixels(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


@pytest.fixture(params=TWINS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def twin(name: str) -> Json:
    """With few steps, and a seed of its own, or the server's cache answers."""
    prompt = read(name)
    settings = {"steps": 3, "seed": crc32(name.encode())}
    prompt[the(prompt, "PerLayerNoiseKSampler")]["inputs"] |= settings
    # where there is any noise: a saved picture has none below 1 / 255
    noise_map = {"mask": [the(prompt, "PerLayerNoiseKSampler"), 1], "value": 0.0}
    prompt["noisy"] = {"class_type": "ThresholdMask", "inputs": noise_map}
    prompt["map"] = {"class_type": "MaskToImage", "inputs": {"mask": ["noisy", 0]}}
    return prompt


def edited(client: Client, twin: Json, result: bytes, layer: str) -> Json:
    """The twin after the page has made a result the base of an edit; nothing else is touched."""
    folder, file = "collage", f"{hashlib.sha256(result).hexdigest()}.png"
    form = f'--x\r\nContent-Disposition: form-data; name="subfolder"\r\n\r\n{folder}\r\n--x\r\n'
    form += f'Content-Disposition: form-data; name="image"; filename="{file}"\r\n\r\n'
    body = form.encode() + result + b"\r\n--x--\r\n"
    client.request("/upload/image", body, "multipart/form-data; boundary=x")
    prompt = copy.deepcopy(twin)
    inputs = prompt[the(prompt, "CollageEditor")]["inputs"]
    document = json.loads(inputs["document"])
    before = {"prompt": document["prompt"], "layers": document["layers"]}
    edit = {"picture": f"{folder}/{file}", "layers": [layer], "noise": 0.9, "feather": 4}
    inputs["document"] = json.dumps(document | {"edit": edit | {"before": before}})
    return prompt


def test_the_canvas_shows_the_collage_of_the_graph(client: Client, name: str) -> None:
    twin, original = read(name), read(TWINS[name])
    by_hand = run(client, twin, composite=[the(twin, "CollageEditor"), 1])
    by_nodes = run(client, original, composite=[the(original, "CollageStack"), 1])
    made, wanted = pixels(by_hand["composite"]), pixels(by_nodes["composite"])
    assert made.shape == (256, 256, 3)
    assert made.std() > 20
    assert np.array_equal(made, wanted)


def test_an_ordinary_run_gives_out_what_was_painted(client: Client, twin: Json) -> None:
    back, decoder = the(twin, "CollagePasteBack"), the(twin, "VAEDecode")
    made = run(client, twin, result=[back, 0], painted=[decoder, 0])
    assert np.array_equal(pixels(made["result"]), pixels(made["painted"]))


def test_an_edit_of_the_result_keeps_every_byte_outside(
    client: Client, twin: Json, name: str
) -> None:
    back, decoder = the(twin, "CollagePasteBack"), the(twin, "VAEDecode")
    first = run(client, twin, result=[back, 0])["result"]
    prompt = edited(client, twin, first, EDITED[name])
    second = run(client, prompt, result=[back, 0], noise=["map", 0], painted=[decoder, 0])
    before, after = pixels(first), pixels(second["result"])
    noise = pixels(second["noise"])[..., 0]
    cells = noise.reshape(32, 8, 32, 8).max(axis=(1, 3))
    outside = np.kron(cells == 0, np.ones((8, 8))).astype(bool)
    assert 0.5 < outside.mean() < 0.98
    assert np.array_equal(after[outside], before[outside])
    assert not np.array_equal(pixels(second["painted"])[outside], before[outside])  # by the decoder
    assert np.abs(after[~outside].astype(int) - before[~outside]).mean() > 1


def test_the_canvas_comes_first_in_lists_by_name(client: Client) -> None:
    """The page's order "default" is that of the file system, mostly that of names."""
    (names,) = client.get("/workflow_templates").values()
    assert sorted(names)[:2] == sorted(TWINS)
