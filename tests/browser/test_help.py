"""A node and its help on ComfyUI's real page, in the languages that the pack speaks."""

from __future__ import annotations

import json

import pytest

from .conftest import REPO, OnPage

NODE = "CollageEdit"

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize(("browser", "language"), [("en-US", "en"), ("zh-CN", "zh")])
def test_a_node_and_its_help_speak_the_language_of_the_page(
    on_page: OnPage, browser: str, language: str
) -> None:
    seen = on_page("help.mjs", f"help_{language}.png", browser, NODE)
    names = json.loads((REPO / "locales" / language / "nodeDefs.json").read_text("utf-8"))[NODE]
    assert seen["title"] == seen["heading"] == names["display_name"]
    for slot, label in (seen["widgets"] | seen["inputs"]).items():
        assert label == names["inputs"][slot]["name"], slot
    assert list(seen["outputs"].values()) == [out["name"] for out in names["outputs"].values()]
    assert seen["kinds"]["noise"] == "slider"
    assert seen["picture"] > 0, "the help has no picture"
