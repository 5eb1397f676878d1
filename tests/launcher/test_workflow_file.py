"""Every malformed workflow file ends in one sentence that names the file and what is wrong."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from launcher.failure import LauncherError
from launcher.to_api import to_api_form
from launcher.workflow_file import FormError, check_form, is_api_form, read_workflow

FOLDER = Path(__file__).parent / "page_form"
ON_A_BUSY_MACHINE: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow],
}
WORKFLOWS = Path(__file__).parents[2] / "workflows"
PAGE, API, INFO = (
    json.loads((FOLDER / f"{name}.json").read_text()) for name in ("workflow", "api", "object_info")
)
Json = dict[str, Any]

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """The paths of everything inside of a JSON value, by the last key: all kinds are met."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found: dict[str, list[tuple[Any, ...]]] = {}
    for key, inner in items:
        found.setdefault(str(key), []).append((*path, key))
        if isinstance(inner, (dict, list)):
            for name, paths in places(inner, (*path, key)).items():
                found.setdefault(name, []).extend(paths)
    return found


@st.composite
def damaged(draw: st.DrawFn, workflow: Json) -> Json:
    """The workflow with one to three of its values exchanged for others or taken away."""
    made = copy.deepcopy(workflow)
    for _ in range(draw(st.integers(1, 3))):
        kinds = places(made)
        path = draw(st.sampled_from(kinds[draw(st.sampled_from(sorted(kinds)))]))
        owner = made
        for key in path[:-1]:
            owner = owner[key]
        if draw(st.booleans()):
            owner[path[-1]] = draw(JUNK)
        else:
            del owner[path[-1]]
        if not made:
            break
    return made


def only_form_errors(workflow: Json) -> None:
    """Either the workflow can be sent or there is a sentence."""
    told = ""
    try:
        check_form(workflow)
        prompt = workflow if is_api_form(workflow) else to_api_form(workflow, INFO)
        assert is_api_form(prompt)
        check_form(prompt)
        json.dumps(prompt)
    except FormError as error:
        told = str(error)
    assert len(told.splitlines()) <= 1
    assert told.endswith("." if told else "")


@settings(max_examples=600, **ON_A_BUSY_MACHINE)
@given(damaged(PAGE))
def test_a_damaged_page_workflow_is_converted_or_refused(workflow: Json) -> None:
    only_form_errors(workflow)


@settings(max_examples=200, **ON_A_BUSY_MACHINE)
@given(damaged(API))
def test_a_damaged_workflow_in_api_form_is_sent_or_refused(workflow: Json) -> None:
    only_form_errors(workflow)


@settings(max_examples=200, **ON_A_BUSY_MACHINE)
@given(JUNK)
def test_anything_else_is_no_workflow(value: Any) -> None:
    with pytest.raises(FormError):
        check_form(value)


@pytest.mark.parametrize("file", sorted(WORKFLOWS.glob("**/*.json")), ids=lambda file: file.stem)
def test_the_examples_pass(file: Path) -> None:
    workflow = read_workflow(file)
    assert is_api_form(workflow) == ("api" in file.relative_to(WORKFLOWS).parts)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read"),
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("\udcff", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[1]", "not a ComfyUI workflow"),
        ("{}", "neither nodes nor class types"),
        ('{"nodes": {}}', "neither nodes nor class types"),
        ('{"nodes":[{}]}', "the workflow, nodes number 1 has no id"),
        ('{"nodes":[{"id":1}]}', "node 1 has no type"),
        ('{"nodes":[{"id":1,"type":7}]}', "node 1 has the type 7, not a text"),
        ('{"nodes":[{"id":1,"type":"A"},{"id":"1","type":"A"}]}', "two nodes have the id 1"),
        ('{"nodes":[null]}', "nodes number 1 is not an object"),
        ('{"nodes":[],"links":[[1]]}', "link number 1 has no origin_id"),
        ('{"nodes":[],"links":["a"]}', "link number 1 is not an object"),
        ('{"nodes":[],"links":{"a":1}}', "the workflow has the links .*, not a list"),
        ('{"nodes":[{"id":1,"type":"A","inputs":[{}]}]}', "node 1, inputs number 1 has no name"),
        ('{"1":{"class_type":"A"}}', "node 1 has no inputs"),
        ('{"1":{"class_type":"A","inputs":{}},"2":{}}', "node 2 has no class_type"),
        ('{"1":{"class_type":"A","inputs":{"x":["7",0]}}}', "node 1, input x: node 7 is not in"),
    ],
)
def test_what_is_wrong_is_told_with_the_file(tmp_path: Path, text: str | None, words: str) -> None:
    file = tmp_path / "w.json"
    if text is not None:
        file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(LauncherError, match=rf"^The workflow .*w\.json.*{words}"):
        read_workflow(file)


def node(number: int, kind: str, **rest: Any) -> Json:
    return {"id": number, "type": kind, **rest}


SAVE = node(1, "SaveImage", inputs=[{"name": "images", "type": "IMAGE", "link": 1}])


@pytest.mark.parametrize(
    ("nodes", "links", "words"),
    [
        ([SAVE], [[1, 9, 0]], "Link 1 comes from node 9, which is not there"),
        ([SAVE, node(2, "PrimitiveNode")], [[1, 2, 0]], "Node 2 is a primitive without a value"),
        ([SAVE, node(2, "VAEDecode", mode=4)], [[1, 2, 0]], "Node 2 has no output 0"),
        ([SAVE, node(2, "Note")], [[1, 2, 0]], "node 2 is not in the workflow"),
        (
            [SAVE, node(2, "Reroute", inputs=[{"name": "", "link": 2}])],
            [[1, 2, 0], [2, 2, 0]],
            "Link 2 comes back to itself",
        ),
        ([node(2, "Note")], [], "no node that could run"),
    ],
)
def test_links_that_lead_nowhere_are_told(nodes: list[Json], links: list[Any], words: str) -> None:
    with pytest.raises(FormError, match=words):
        to_api_form({"nodes": nodes, "links": links}, INFO)
