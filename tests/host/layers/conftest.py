"""CollageLayer and CollageStack, called directly and through ComfyUI's executor."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image

GREY = "#969696"


@pytest.fixture
def layer(node_of):
    """Make a CollageLayer of 16 x 16 white pixels; settings are the node's inputs."""

    def make(text: str = "bear", **inputs: Any):
        inputs = {"image": torch.ones(1, 16, 16, 3), "text": text} | inputs
        return node_of("CollageLayer").execute(**inputs).args[0]

    return make


@pytest.fixture
def stack(node_of, temp_folder):
    """Run CollageStack on layers, 64 x 64 pixels unless told otherwise; its outputs by name."""
    node = node_of("CollageStack")

    def run(*layers, prompt: str = "a bear and a hat", **inputs: Any) -> SimpleNamespace:
        inputs = {"width": 64, "height": 64, "background": GREY} | inputs
        connected = {f"layer{i}": layer for i, layer in enumerate(layers)}
        output = node.execute(prompt=prompt, layers=connected, **inputs)
        names = [out.id for out in node.GET_SCHEMA().outputs]
        return SimpleNamespace(**dict(zip(names, output.args, strict=True)), ui=output.ui)

    return run


@pytest.fixture
def temp_folder(pack, tmp_path, monkeypatch) -> Path:
    import folder_paths

    for kind in ("input", "temp", "output"):
        (tmp_path / kind).mkdir()
        monkeypatch.setattr(folder_paths, f"{kind}_directory", str(tmp_path / kind))
    return tmp_path


@pytest.fixture
def keep_file(temp_folder):
    """Put a file into the input folder, under its hash unless told otherwise; its name."""

    def put(data: bytes, name: str = "") -> str:
        name = name or f"collage/{hashlib.sha256(data).hexdigest()}.png"
        path = temp_folder / "input" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return name

    return put


@pytest.fixture
def api(temp_folder):
    """Run a prompt in the API form through ComfyUI's validation and executor."""
    import execution

    def run(prompt: dict[str, Any]) -> SimpleNamespace:
        messages: list[tuple[str, dict[str, Any]]] = []
        server = SimpleNamespace(
            client_id="test",
            last_node_id=None,
            send_sync=lambda event, data, _: messages.append((event, data)),
        )
        valid, error, outputs, problems = asyncio.run(execution.validate_prompt("id", prompt, None))
        if not valid:
            refused = json.dumps([error, problems])
            return SimpleNamespace(refused=refused, problems=problems, error="", ui={})
        room = {"ram": 0, "ram_inactive": 0}
        cache: Any = execution.CacheType.CLASSIC  # the host's own annotation says bool
        executor = execution.PromptExecutor(server, cache, room)
        executor.execute(prompt, "id", {"client_id": "test"}, outputs)
        errors = [d["exception_message"] for event, d in messages if event == "execution_error"]
        ui = {d["node"]: d["output"] for event, d in messages if event == "executed"}
        return SimpleNamespace(refused="", problems={}, error="".join(errors), ui=ui)

    return run


@pytest.fixture
def write_png(temp_folder):
    """Write a PNG of one colour into the input folder."""

    def write(name: str, mode: str, colour: Any, size: tuple[int, int] = (20, 30)) -> None:
        Image.new(mode, size, colour).save(temp_folder / "input" / name)

    return write


@pytest.fixture
def prompt_of():
    return _prompt


def _prompt(layers: int = 1, **stack_inputs: Any) -> dict[str, Any]:
    """LoadImage -> CollageLayer x n -> CollageStack -> PreviewImage."""
    prompt: dict[str, Any] = {
        "load": {"class_type": "LoadImage", "inputs": {"image": "red.png"}},
        "stack": {
            "class_type": "CollageStack",
            "inputs": {
                "prompt": "a bear",
                "width": 64,
                "height": 64,
                "background": GREY,
                **{f"layers.layer{i}": [f"layer{i}", 0] for i in range(layers)},
                **stack_inputs,
            },
        },
        "show": {"class_type": "PreviewImage", "inputs": {"images": ["stack", 1]}},
    }
    for i in range(layers):
        prompt[f"layer{i}"] = {
            "class_type": "CollageLayer",
            "inputs": {
                "image": ["load", 0], "mask": ["load", 1], "text": "bear", "x": 0.25 + i / 100,
                "y": 0.5, "scale": 1.0, "rotation": 0.0, "opacity": 1.0, "noise": 0.6,
                "attract": 0.3, "repel": 0.5, "control": 1.0, "visible": True,
            },
        }  # fmt: skip
    return prompt
