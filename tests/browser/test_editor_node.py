"""The Collage Editor as a node of ComfyUI's real page."""

from __future__ import annotations

import pytest

from .conftest import REPO, OnPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SMALLEST = (520, 600)  # web/collage.js, of the node; the page counts the title now in, now out
LEAST = (480, 480)  # of the editor in it


@pytest.mark.parametrize("look", ["classic", "nodes2"])
def test_an_editor_keeps_its_room_and_its_pointer(on_page: OnPage, look: str) -> None:
    workflow = str(REPO / "workflows" / "toy_box.json")
    seen = on_page("editor_node.mjs", f"editor_node_{look}.png", look, workflow)
    assert seen["tips"] == [], "the page's tip lies over the canvas"
    assert all(side >= least for side, least in zip(seen["sides"], LEAST, strict=True))
    assert SMALLEST[0] <= seen["size"][0] <= SMALLEST[0] + 20, seen["size"]
    assert SMALLEST[1] - 20 <= seen["size"][1] <= SMALLEST[1] + 40, seen["size"]
    assert seen["cut"] == 0, "buttons that are cut off"
    assert seen["menus"] == 0, "a menu of the page stays open"
    assert (seen["closed"], seen["deleted"]) == ("collage-keys", "collage-keys")
    assert seen["nodes"] == 2, "keys of the editor have reached the page"
    assert seen["refused"] == ["CollageStack"], "layers from outside of a subgraph are lost"
    assert "layer" in seen["notice"]
    assert [error for error in seen["errors"] if "collage" in error.lower()] == []
