"""The examples for Flux, Z-Image and Qwen-Image: as ComfyUI's own templates run these models."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import Any

import pytest

from launcher.figures import API, OTHER_MODELS

Json = dict[str, Any]

TEMPLATES = {
    "flux": "flux_dev_full_text_to_image",
    "zimage": "image_z_image_turbo",
    "qwen": "image_qwen_image",
}
STORIES = ("bento_box", "toy_box", "iterative_edit")
NAMES = [f"{story}_{family}" for story in STORIES for family in TEMPLATES]
LOADERS = ("UNETLoader", "CLIPLoader", "DualCLIPLoader", "VAELoader")
# what the demo model's one loader is replaced by, and what stands behind a patch
OWN = {*LOADERS, "ModelSamplingAuraFlow", "FluxGuidance"}
STRENGTH = {"flux": 2.0, "zimage": 2.0, "qwen": 1.0}


@cache
def template(family: str) -> tuple[Json, ...]:
    """The nodes of ComfyUI's template, those of its subgraphs included."""
    folder = files("comfyui_workflow_templates_json") / "templates"
    graph = json.loads((folder / f"{TEMPLATES[family]}.json").read_text("utf-8"))
    inner = graph.get("definitions", {}).get("subgraphs", [])
    return tuple(node for part in (graph, *inner) for node in part["nodes"])


def of_kind(nodes: Any, kind: str) -> list[Json]:
    return [node for node in nodes if node.get("class_type", node.get("type")) == kind]


def example(name: str) -> Json:
    return json.loads((API / f"{name}.json").read_text("utf-8"))


def family_of(name: str) -> str:
    return name.rpartition("_")[2]


def test_every_story_is_there_for_every_family() -> None:
    ends = tuple(f"_{family}" for family in TEMPLATES)
    assert set(ends) < set(OTHER_MODELS)
    assert {file.stem for file in API.glob("*.json") if file.stem.endswith(ends)} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_loaders_and_files_are_those_of_the_template(name: str) -> None:
    for kind in LOADERS:
        theirs = [node["widgets_values"] for node in of_kind(template(family_of(name)), kind)]
        ours = [[*node["inputs"].values()] for node in of_kind(example(name).values(), kind)]
        assert ours == theirs, kind


@pytest.mark.parametrize("name", NAMES)
def test_the_page_offers_the_files_that_the_template_offers(name: str) -> None:
    theirs = _offered(template(family_of(name)))
    ours = _offered(json.loads((API.parent / f"{name}.json").read_text("utf-8"))["nodes"])
    assert ours.keys() == theirs.keys()
    for file, offer in ours.items():
        assert offer["directory"] == theirs[file]["directory"]
        same = file == "ae.safetensors"  # lies in several repositories
        assert offer["url"] == theirs[file]["url"] or (same and offer["url"].endswith(file))


def _offered(nodes: Any) -> dict[str, Json]:
    offers = [file for node in nodes for file in node["properties"].get("models", [])]
    return {file["name"]: file for file in offers if file["directory"] != "loras"}


@pytest.mark.parametrize("name", NAMES)
def test_the_sampler_is_set_as_the_template_sets_it(name: str) -> None:
    family = family_of(name)
    *_, steps, cfg, sampler, scheduler, _ = of_kind(template(family), "KSampler")[0][
        "widgets_values"
    ]
    if family == "qwen":  # the template's switch chooses these without its LoRA
        steps, cfg = 20, 4.0
        assert [20, "fixed"] in [
            n["widgets_values"] for n in of_kind(template(family), "PrimitiveInt")
        ]
        assert [4] in [n["widgets_values"] for n in of_kind(template(family), "PrimitiveFloat")]
    wanted = {"steps": steps, "cfg": cfg, "sampler_name": sampler, "scheduler": scheduler}
    samplers = of_kind(example(name).values(), "PerLayerNoiseKSampler")
    assert samplers
    for node in samplers:
        assert {key: node["inputs"][key] for key in wanted} == wanted


@pytest.mark.parametrize("name", NAMES)
def test_canvas_and_schedule_are_those_of_the_template(name: str) -> None:
    nodes, theirs = [*example(name).values()], template(family_of(name))
    size = of_kind(theirs, "EmptySD3LatentImage")[0]["widgets_values"][:2]
    for stack in of_kind(nodes, "CollageStack"):
        assert [stack["inputs"]["width"], stack["inputs"]["height"]] == size
    shifts = [node["widgets_values"][0] for node in of_kind(theirs, "ModelSamplingAuraFlow")]
    ours = [node["inputs"]["shift"] for node in of_kind(nodes, "ModelSamplingAuraFlow")]
    assert ours == pytest.approx(shifts)


@pytest.mark.parametrize("name", NAMES)
def test_words_act_twice_as_strongly_where_nothing_amplifies_them(name: str) -> None:
    nodes = [*example(name).values()]
    for patch in of_kind(nodes, "MaskedCrossAttentionPatch"):
        assert patch["inputs"]["strength"] == STRENGTH[family_of(name)]
    distilled = {node["inputs"]["cfg"] == 1.0 for node in of_kind(nodes, "PerLayerNoiseKSampler")}
    assert distilled == {STRENGTH[family_of(name)] == 2.0}


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("_flux")])
def test_every_positive_of_flux_is_told_its_guidance(name: str) -> None:
    prompt = example(name)
    for sampler in of_kind(prompt.values(), "PerLayerNoiseKSampler"):
        guidance = prompt[sampler["inputs"]["positive"][0]]
        assert guidance["class_type"] == "FluxGuidance"
        assert guidance["inputs"]["guidance"] == 3.5


@pytest.mark.parametrize("name", NAMES)
def test_all_else_is_the_demos_graph(name: str) -> None:
    demo = example(name.removesuffix(f"_{family_of(name)}"))
    kinds = Counter(node["class_type"] for node in demo.values())
    ours = Counter(node["class_type"] for node in example(name).values())
    assert ours - kinds == Counter({kind: n for kind, n in ours.items() if kind in OWN})
    assert kinds - ours == Counter(["CollageDemoModel"])
