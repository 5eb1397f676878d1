"""Every example, for the page and for scripts, as a real ComfyUI takes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from demo.examples.foreign import NODES as FOREIGN
from launcher.client import Client
from launcher.figures import API, OTHER_MODELS, demo_variants
from launcher.to_api import to_api_form

EXAMPLES = sorted(file.stem for file in API.glob("*.json"))
CHECKPOINT = "_checkpoint"
WITH_CHECKPOINT = [name for name in EXAMPLES if name.endswith(CHECKPOINT)]
WITH_FILES = [name for name in EXAMPLES if name.endswith(OTHER_MODELS)]
FIGURES = {"bento_box_steps", "toy_box", "cake_table", "trade_off", "iterative_edit"}

# class of the demo's nodes -> that of the loaders in their place
LOADERS = {
    "CollageDemoModel": "CheckpointLoaderSimple",
    "CollageDemoControlNet": "ControlNetLoader",
}
OF_FILES = {*LOADERS.values(), "UNETLoader", "CLIPLoader", "DualCLIPLoader", "VAELoader"}
SETTINGS = {
    "width",
    "height",
    "scale",
    "noise",
    "steps",
    "cfg",
    "base_noise",
    "feather",
    "sampler_name",
    "scheduler",
    "schedule",
}
PAPER = {
    "steps": 50,
    "cfg": 7.5,
    "base_noise": 0.8,
    "sampler_name": "euler_ancestral",
}


def read(folder: Path, name: str) -> dict[str, Any]:
    return json.loads((folder / f"{name}.json").read_text("utf-8"))


def test_every_figure_of_the_paper_is_there_with_both_models() -> None:
    assert {name.removesuffix(CHECKPOINT) for name in WITH_CHECKPOINT} == FIGURES
    assert {file.stem for file in demo_variants()} > FIGURES


@pytest.mark.parametrize("name", EXAMPLES)
def test_both_forms_are_the_same_workflow(client: Client, name: str) -> None:
    converted = to_api_form(read(API.parent, name), client.object_info())
    script = read(API, name)
    assert converted.keys() == script.keys()
    for number, node in script.items():
        assert converted[number]["class_type"] == node["class_type"]
        for slot, value in node["inputs"].items():
            assert converted[number]["inputs"][slot] == value, (number, slot)


@pytest.mark.parametrize("name", WITH_CHECKPOINT)
def test_the_variants_differ_in_the_model_and_its_settings_alone(name: str) -> None:
    demo, real = read(API, name.removesuffix(CHECKPOINT)), read(API, name)
    assert demo.keys() == real.keys()
    for number, node in demo.items():
        other = real[number]
        kind = node["class_type"]
        assert other["class_type"] == LOADERS.get(kind, kind)
        if kind in LOADERS:
            continue
        changed = {slot for slot, value in node["inputs"].items() if other["inputs"][slot] != value}
        assert changed <= ({"text"} if kind == "CLIPTextEncode" else SETTINGS), (number, changed)
        if kind == "PerLayerNoiseKSampler":
            assert PAPER.items() <= other["inputs"].items()


@pytest.mark.parametrize("name", WITH_FILES)
def test_an_edit_of_a_larger_picture_is_feathered_as_far_as_the_run(name: str) -> None:
    feathers = {node["inputs"].get("feather") for node in read(API, name).values()} - {None}
    assert len(feathers) == 1, feathers


@pytest.mark.parametrize("name", WITH_FILES)
def test_only_the_model_files_are_missing(client: Client, name: str) -> None:
    """All else is as the nodes' schemas want it: the server refuses nothing but the loaders."""
    prompt = read(API, name)
    answer = json.loads(client.request("/prompt", json.dumps({"prompt": prompt}).encode()))
    loaders = {n for n, node in prompt.items() if node["class_type"] in OF_FILES}
    refused = answer["node_errors"]
    assert refused.keys() == loaders
    for node in refused.values():
        assert {error["type"] for error in node["errors"]} == {"value_not_in_list"}


def test_an_example_for_another_pack_needs_that_pack_and_files_alone(client: Client) -> None:
    prompt, known = read(API / "packs", "reference_pictures"), client.object_info()
    foreign = {n for n, node in prompt.items() if node["class_type"] not in known}
    assert {prompt[n]["class_type"] for n in foreign} == {*FOREIGN}
    loader = next(n for n, node in prompt.items() if node["class_type"] in OF_FILES)
    without = {
        number: {
            **node,
            "inputs": {
                slot: [loader, 0] if isinstance(value, list) and value[0] in foreign else value
                for slot, value in node["inputs"].items()
            },
        }
        for number, node in prompt.items()
        if number not in foreign
    }
    answer = json.loads(client.request("/prompt", json.dumps({"prompt": without}).encode()))
    assert answer["node_errors"].keys() == {loader}
    page = read(API.parent / "packs", "reference_pictures")
    kinds = sorted((str(node["id"]), node["type"]) for node in page["nodes"])
    assert kinds == sorted((n, node["class_type"]) for n, node in prompt.items())


@pytest.mark.parametrize("name", WITH_CHECKPOINT)
def test_the_papers_negative_is_collage(name: str) -> None:
    texts = {
        node["inputs"]["text"]
        for node in read(API, name).values()
        if node["class_type"] == "CLIPTextEncode"
    }
    assert "collage" in texts
    assert "" not in texts
