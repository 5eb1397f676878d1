"""Three layers with a LoRA each: the example, through the interface of a real ComfyUI."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from demo.examples.stories.layer_loras import SEED
from demo.judges import looks
from demo.judges.judge import CELL
from demo.world.looks import LOOKS, together
from launcher.client import Client

API = Path(__file__).parents[2] / "workflows" / "api"


@pytest.mark.slow
def test_three_layers_with_a_lora_each_get_three_looks(client: Client) -> None:
    prompt = json.loads((API / "layer_loras.json").read_text())
    patches = [n for n, node in prompt.items() if node["class_type"] == "MaskedCrossAttentionPatch"]
    prompt["report"] = {"class_type": "PreviewAny", "inputs": {"source": [patches[-1], 2]}}
    outputs = client.wait(client.queue(prompt))
    pictures = {
        prompt[number]["inputs"]["filename_prefix"]: read(client, *found["images"])
        for number, found in outputs.items()
        if prompt[number]["class_type"] == "SaveImage"
    }
    for name, _, _ in LOOKS.values():
        assert f'LoRA "demo_lora_{name}.safetensors": 1.5 in ' in outputs["report"]["text"][0]
    assert shown(pictures["collage_1_without"]) == dict.fromkeys(LOOKS, "")
    assert shown(pictures["collage_2_result"]) == {kind: kind for kind in LOOKS}


def read(client: Client, image: dict) -> torch.Tensor:
    return torch.from_numpy(np.array(Image.open(io.BytesIO(client.fetch(image))))) / 255


def shown(picture: torch.Tensor) -> dict[str, str]:
    """The look that most cells of each toy have: the kind of toy that it belongs to, or ""."""
    scene, (seen,) = together(SEED), looks.Recogniser()(picture[None])
    cells = F.avg_pool2d(torch.from_numpy(scene.visible)[None], CELL)[0] > 0.5
    return {
        thing.kind: looks.CLASSES[int(seen[own].mode().values)]
        for thing, own in zip(scene.things, cells, strict=True)
        if thing.kind in LOOKS
    }
