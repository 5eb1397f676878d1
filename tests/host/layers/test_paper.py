"""The paper's own layers, where one has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from PIL import Image

GREY = "#969696"
LAYERS = os.environ.get("COLLAGE_PAPER_LAYERS", "")


@pytest.mark.skipif(not LAYERS, reason="COLLAGE_PAPER_LAYERS names no folder of the paper's layers")
@pytest.mark.parametrize("folder", ["bento_box", "cake_table"])
def test_the_papers_layers_compose(api, temp_folder, folder, prompt_of):
    files = sorted((Path(LAYERS) / folder).glob("*.png"))
    texts = [path.stem.replace("_", " ") for path in files]
    prompt = prompt_of(layers=len(files), width=512, height=512, prompt=", ".join(texts))
    for i, path in enumerate(files):
        (temp_folder / "input" / path.name).write_bytes(path.read_bytes())
        prompt[f"load{i}"] = {"class_type": "LoadImage", "inputs": {"image": path.name}}
        prompt[f"layer{i}"]["inputs"] |= {
            "image": [f"load{i}", 0], "mask": [f"load{i}", 1], "text": texts[i], "x": 0.5
        }  # fmt: skip
    del prompt["load"]
    done = api(prompt)
    assert (done.refused, done.error) == ("", "")
    expected = Image.new("RGBA", (512, 512), GREY)
    for path in files:
        expected.alpha_composite(Image.open(path).convert("RGBA"))
    picture = Image.open(temp_folder / "temp" / done.ui["stack"]["images"][0]["filename"])
    difference = torch.tensor(list(picture.convert("RGB").tobytes())).float()
    difference -= torch.tensor(list(expected.convert("RGB").tobytes())).float()
    assert difference.abs().max() <= 2
