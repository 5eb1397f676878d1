"""The example on ComfyUI's real page, in a real browser, in both looks of the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import REPO, OnPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("look", ["classic", "nodes2"])
def test_the_example_opens_and_runs(on_page: OnPage, look: str) -> None:
    seen = on_page("page.mjs", f"bento_box_{look}.png", look)
    assert seen["outcome"] == "success"
    assert look == "nodes2" or seen["thumbnail"] > 0, "the template has no thumbnail"
    assert seen["missing"] == 0
    assert [error for error in seen["errors"] if "collage" in error.lower()] == []
    assert seen["foreign"] == [], "the page asked for something outside the server"
    script = json.loads((REPO / "workflows" / "api" / "bento_box.json").read_text())
    stack = next(n for n in seen["prompt"].values() if n["class_type"] == "CollageStack")
    wanted = next(n for n in script.values() if n["class_type"] == "CollageStack")
    assert stack["inputs"].keys() >= wanted["inputs"].keys()
    assert all("a red ball" in texts for texts in seen["texts"]), "dynamic prompts are not resolved"


@pytest.mark.parametrize("look", ["classic", "nodes2"])
def test_an_error_says_at_once_what_to_do(on_page: OnPage, tmp_path: Path, look: str) -> None:
    """One that the run finds, and one that is found when it is queued."""
    cases = [
        ("CollageStack", {"prompt": "a cat"}, "Write each layer's text into it"),
        ("CollageLayer", {"text": ""}, "Write the words that name this object"),
    ]
    arguments = []
    for kind, inputs, words in cases:
        workflow = json.loads((REPO / "workflows" / "api" / "bento_box.json").read_text())
        next(node for node in workflow.values() if node["class_type"] == kind)["inputs"] |= inputs
        wrong = tmp_path / f"{kind}.json"
        wrong.write_text(json.dumps(workflow))
        arguments += [str(wrong), words]
    found = on_page("errors.mjs", f"error_{look}.png", look, *arguments)
    for (kind, *_), seen in zip(cases, found["cases"], strict=True):
        assert seen["before"] == 0, f"{kind}: it stood there before the run"
        assert seen["shown"], f"{kind}: the sentence cannot be seen"
        assert seen["uncovered"], kind
        assert f"{kind}, " in seen["text"]
        assert "builtins" not in seen["text"]
