"""Three layers with a LoRA each, through the interface of a real ComfyUI."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from launcher.base_folder import fresh_base
from launcher.host import find_host
from launcher.server import start_server

ROOT = Path(__file__).parents[2]
LAYERS = {"edamame": "7", "sushi": "9", "rice": "13"}  # its node in the example


def write_lora(file: Path, seed: int) -> None:
    """Random changes of the demo model's self-attention."""
    generator, found = torch.Generator().manual_seed(seed), {}
    with safe_open(ROOT / "demo" / "weights" / "demo_model.safetensors", "pt") as model:
        for key in model.keys():  # noqa: SIM118  no dictionary
            if "attn1.to_" in key and key.endswith(".weight") and key.startswith("unet."):
                out, width = model.get_slice(key).get_shape()
                name = key.replace("unet.", "diffusion_model.", 1).removesuffix(".weight")
                up = torch.randn(out, 4, generator=generator)
                down = torch.randn(4, width, generator=generator) * width**-0.5
                found |= {f"{name}.lora_up.weight": up, f"{name}.lora_down.weight": down}
    save_file(found, str(file))


@pytest.mark.slow
def test_three_layers_with_a_lora_each_are_painted() -> None:
    comfyui = os.environ.get("COMFYUI_PATH")
    if not comfyui:
        pytest.skip("COMFYUI_PATH is not set; start with: python3 run.py test")
    prompt = json.loads((ROOT / "workflows" / "api" / "bento_box.json").read_text())
    prompt["17"]["inputs"] |= {"steps": 3, "seed": 4}
    prompt["21"] = {"class_type": "PreviewAny", "inputs": {"source": ["15", 2]}}
    with fresh_base() as base, start_server(find_host(comfyui), base, name="loras") as running:
        plain, _ = painted(running.client, prompt)
        (base / "models" / "loras").mkdir(parents=True, exist_ok=True)
        for seed, (kind, layer) in enumerate(LAYERS.items()):
            write_lora(base / "models" / "loras" / f"{kind}.safetensors", seed)
            prompt[kind] = {
                "class_type": "CollageLayerLora",
                "inputs": {
                    "layer": [layer, 0], "lora_name": f"{kind}.safetensors",
                    "strength_model": 1.0, "strength_clip": 1.0,
                },
            }  # fmt: skip
            for name, source in prompt["14"]["inputs"].items():
                if source == [layer, 0]:
                    prompt["14"]["inputs"][name] = [kind, 0]
        changed, report = painted(running.client, prompt)
    for kind in LAYERS:
        assert f'LoRA "{kind}.safetensors": 1 in ' in report
    difference = np.abs(changed - plain).mean(-1)
    places = {
        "edamame": (slice(65, 125), slice(35, 120)),
        "sushi": (slice(150, 215), slice(35, 120)),
        "rice": (slice(65, 135), slice(140, 220)),
    }
    for kind, place in places.items():
        assert difference[place].mean() > 1, kind


def painted(client, prompt) -> tuple[np.ndarray, str]:
    """The picture of a workflow, and the report of the patch."""
    outputs = client.wait(client.queue(prompt))
    (image,) = outputs["20"]["images"]
    picture = np.asarray(Image.open(io.BytesIO(client.fetch(image))), np.float32)
    return picture, outputs["21"]["text"][0]
