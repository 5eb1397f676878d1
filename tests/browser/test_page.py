"""The example on ComfyUI's real page, in a real browser, in both looks of the page."""

from __future__ import annotations

import json

import pytest

from .conftest import REPO, OnPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("look", ["classic", "nodes2"])
def test_the_example_opens_from_the_templates_and_runs(on_page: OnPage, look: str) -> None:
    seen = on_page("page.mjs", f"bento_box_{look}.png", look)
    assert seen["outcome"] == "success"
    assert seen["thumbnail"] > 0, "the template has no thumbnail"
    assert seen["missing"] == 0
    assert [error for error in seen["errors"] if "collage" in error.lower()] == []
    assert seen["foreign"] == [], "the page asked for something outside the server"
    script = json.loads((REPO / "workflows" / "api" / "bento_box.json").read_text())
    stack = next(n for n in seen["prompt"].values() if n["class_type"] == "CollageStack")
    wanted = next(n for n in script.values() if n["class_type"] == "CollageStack")
    assert stack["inputs"].keys() >= wanted["inputs"].keys()
