"""The page form becomes the API form: compared with what ComfyUI's own page made of it.

The three files beside this test come from one graph built in the page of ComfyUI 0.30.0: as it
saves it, as it queues it, and the description of the nodes in it. The graph has a primitive, a
reroute, a bypassed node, a muted node, a note, growing inputs and `control_after_generate`.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from launcher.to_api import to_api_form
from launcher.workflow_file import FormError, is_api_form

FOLDER = Path(__file__).parent / "page_form"
Json = dict[str, Any]


@pytest.fixture
def page() -> Json:
    return json.loads((FOLDER / "workflow.json").read_text())


@pytest.fixture
def api() -> Json:
    return json.loads((FOLDER / "api.json").read_text())


@pytest.fixture
def object_info() -> Json:
    return json.loads((FOLDER / "object_info.json").read_text())


def node_of(page: Json, kind: str) -> Json:
    return next(node for node in page["nodes"] if node["type"] == kind)


def test_the_conversion_equals_the_page_s_own(page: Json, api: Json, object_info: Json) -> None:
    assert to_api_form(page, object_info) == api


def test_the_fixture_has_what_it_is_for(page: Json, api: Json) -> None:
    kinds = {node["type"] for node in page["nodes"]}
    assert {"PrimitiveNode", "Reroute", "Note", "BatchImagesNode", "KSampler"} <= kinds
    assert {node["mode"] for node in page["nodes"]} == {0, 2, 4}
    batch = next(node for node in api.values() if node["class_type"] == "BatchImagesNode")
    assert set(batch["inputs"]) == {"images.image0", "images.image1"}


def test_the_value_after_a_seed_is_not_taken_for_the_next_input(
    page: Json, object_info: Json
) -> None:
    sampler = node_of(page, "KSampler")
    assert "fixed" in sampler["widgets_values"]
    inputs = to_api_form(page, object_info)[str(sampler["id"])]["inputs"]
    assert (inputs["seed"], inputs["steps"]) == (42, 5)


def test_links_may_be_objects(page: Json, api: Json, object_info: Json) -> None:
    page["links"] = [
        {"id": link[0], "origin_id": link[1], "origin_slot": link[2]} for link in page["links"]
    ]
    assert to_api_form(page, object_info) == api


def test_an_input_that_is_newer_than_the_file_gets_its_default(
    page: Json, object_info: Json
) -> None:
    sampler = node_of(page, "KSampler")
    new = {"strength": ["FLOAT", {"default": 0.25}]}
    object_info["KSampler"]["input"]["optional"] = new
    inputs = to_api_form(page, object_info)[str(sampler["id"])]["inputs"]
    assert inputs["strength"] == 0.25


def test_a_list_value_is_wrapped_so_that_it_is_no_link(page: Json, object_info: Json) -> None:
    sampler = node_of(page, "CLIPTextEncode")
    sampler["widgets_values"] = [["a", 1]]
    inputs = to_api_form(page, object_info)[str(sampler["id"])]["inputs"]
    assert inputs["text"] == {"__value__": ["a", 1]}


def test_what_cannot_be_converted_is_said(page: Json, object_info: Json) -> None:
    unknown = copy.deepcopy(object_info)
    del unknown["VAEDecode"]
    with pytest.raises(FormError, match="no node VAEDecode"):
        to_api_form(page, unknown)

    choice = copy.deepcopy(object_info)
    choice["VAEDecode"]["input"]["required"]["mode"] = ["COMFY_DYNAMICCOMBO_V3", {}]
    with pytest.raises(FormError, match=r"VAEDecode\) has inputs that depend on mode.*Export"):
        to_api_form(page, choice)

    page["definitions"] = {"subgraphs": [{"id": "VAEDecode"}]}
    with pytest.raises(FormError, match=r"subgraph.*Export \(API\)"):
        to_api_form(page, object_info)

    with pytest.raises(FormError, match="no ComfyUI workflow"):
        to_api_form({"version": 1}, object_info)


def test_the_two_forms_are_told_apart(page: Json, api: Json) -> None:
    assert is_api_form(api)
    assert not is_api_form(page)
    assert not is_api_form({})
