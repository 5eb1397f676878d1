"""What a page says of the picture of an example is what the example does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.examples import help_pictures

ROOT = Path(__file__).parents[2]
API = ROOT / "workflows" / "api"
# what is read aloud, the file, and the paragraph below
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)\n\n(?:(?![!#])(.+?)\n\n)?", re.DOTALL)
NOISE = re.compile(r"(?:noise|噪波) (\d(?:\.\d+)?)")


def captions() -> Iterator[tuple[Path, str, str]]:
    """Page, workflow, and what is said of each picture that a workflow painted."""
    taken = {f"pictures/{node}.jpg": file for node, (file, _) in help_pictures.TAKEN.items()}
    for page in sorted([*(ROOT / "docs").glob("*.md"), *(ROOT / "web" / "docs").rglob("*.md")]):
        for aloud, file, below in PICTURE.findall(page.read_text("utf-8")):
            workflow = Path(taken.get(file) or file).stem
            if (API / f"{workflow}.json").exists():
                yield page, workflow, f"{aloud}. {below}"


def layers(workflow: str) -> list[dict]:
    nodes = json.loads((API / f"{workflow}.json").read_text("utf-8")).values()
    return [node["inputs"] for node in nodes if node["class_type"] == "CollageLayer"]


@pytest.mark.parametrize("folder", ["docs", "web/docs"])
def test_a_noise_named_with_a_picture_is_that_of_a_layer(folder: str) -> None:
    told = 0
    for page, workflow, text in captions():
        if page.is_relative_to(ROOT / folder):
            said = {float(number) for number in NOISE.findall(text)}
            assert said <= {layer["noise"] for layer in layers(workflow)}, (page, text)
            told += len(said)
    assert told > 1


@pytest.mark.parametrize("folder", ["docs", "web/docs"])
def test_a_sentence_named_with_a_picture_is_its_prompt(folder: str) -> None:
    told = 0
    for page, workflow, text in captions():
        prompts = set(re.findall(r'"prompt": "(.+?)"', (API / f"{workflow}.json").read_text()))
        for said in re.findall(r'["“](an? .+?)["”]', " ".join(text.split())):
            if page.is_relative_to(ROOT / folder):
                assert said in prompts, (page, said)
                told += 1
    assert told
