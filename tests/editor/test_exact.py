"""The page's composite beside that of CollageStack: within one 255th, for every case."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from collage_core.editing.edit import Choice, EditRequest, edit_layers
from collage_core.files.document import read_document

from .exact_cases import stacked, write_cases

HERE = Path(__file__).parent


def _compared(node: str, folder: Path) -> list[dict[str, Any]]:
    command = [node, str(HERE / "compare_exact.mjs"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return json.loads(done.stdout)


def test_composites_are_those_of_python_within_one_byte(node: str, tmp_path: Path) -> None:
    names = write_cases(tmp_path)
    said = _compared(node, tmp_path)
    assert [one["name"] for one in said] == names
    assert [one for one in said if one["problems"] or max(one["image"], one["visible"]) > 1] == []


@pytest.mark.parametrize("name", ["opacity", "blend soft light"])
def test_an_edit_is_that_of_python(
    node: str, tmp_path: Path, generator: torch.Generator, name: str
) -> None:
    """A finished picture, over which the second layer and a new one are pasted."""
    write_cases(tmp_path)
    raw = json.loads((tmp_path / f"{name}.json").read_text())
    result = torch.rand(1, raw["height"], raw["width"], 3, generator=generator).mul(255).byte()
    Image.fromarray(result[0].numpy()).save(tmp_path / "result.png")
    chosen = [layer["id"] for layer in raw["layers"][1:3]]
    before = {"layers": [one for one in raw["layers"] if one["id"] not in chosen]}
    raw["edit"] = {"picture": "result.png", "layers": chosen, "before": before}
    raw["prompt"] = " and ".join({layer["text"] for layer in raw["layers"]})
    text = json.dumps(raw)
    (tmp_path / f"{name}.json").write_text(text)
    (tmp_path / "cases.json").write_text(json.dumps([name]))

    numbers = tuple(range(2, 2 + len(chosen)))
    request = EditRequest(layers="", noise=0.6)
    collage = stacked(tmp_path, read_document(text))
    choice = Choice(chosen=numbers, pasted=numbers)
    edited, _, _ = edit_layers(collage, result / 255, request, choice)
    bytes_of = (255 * edited.composite.image[0]).clamp(0, 255).byte()
    Image.fromarray(bytes_of.numpy()).save(tmp_path / f"{name}.png")
    (said,) = _compared(node, tmp_path)
    assert said["problems"] == []
    assert max(said["image"], said["visible"]) <= 1
