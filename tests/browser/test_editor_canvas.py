"""A collage made by hand on the real page: by mouse, by keys, whatever the page does."""

from __future__ import annotations

import json

import pytest

from .conftest import OnPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOOKS = pytest.mark.parametrize("look", ["classic", "nodes2"])


def nothing_went_wrong(seen: dict) -> None:
    assert [error for error in seen["errors"] if "collage" in error.lower()] == []
    assert seen["foreign"] == []


@LOOKS
def test_a_collage_is_laid_out_by_mouse(on_page: OnPage, pictures: str, look: str) -> None:
    seen = on_page("editor_canvas.mjs", f"editor_canvas_{look}.png", look, pictures)
    nothing_went_wrong(seen)
    assert seen["dropped"] == [
        ["table", "cover", 1],
        ["mug", "contain", 0.45],
        ["lemon", "contain", 0.45],
    ]
    assert seen["prompt"] == "table, mug, lemon"
    assert seen["nodes"] == 2, "a drop made a node of its own"
    assert seen["missed"] == [["lemon"], True], "a photo moved that nobody had chosen"
    assert seen["pulled"] == pytest.approx(0.5 + 20 / 512, abs=0.005), "a chosen photo moves"
    for number, drag in enumerate(seen["drags"], start=1):
        assert drag["stayed"], "the node was dragged along"
        assert drag["asked"] <= 3, "the page is laid out anew with every move of the pointer"
        assert drag["x"] == pytest.approx(0.75 + number * 33 / 512, abs=0.005), drag
        assert drag["y"] == pytest.approx(0.5 - number * 31 / 512, abs=0.005), drag
    assert seen["underneath"] == seen["corner"] == ["table"], "what is transparent took the click"
    assert seen["opaque"] == ["mug"]
    assert seen["again"] == ["table"], "a second click at the same place takes the next one below"
    assert seen["cursors"] == {"corner": "nwse-resize", "knob": "url("}
    assert seen["scaled"] == pytest.approx(0.36, abs=0.005)
    assert seen["turned"] == 90, "Shift turns in steps of 15 degrees"
    assert seen["copied"] == ["table", "mug", "lemon", "lemon"]
    assert seen["oneAxis"] == [True, True]
    assert seen["added"] == ["lemon", "mug"]
    assert seen["takenOut"] == ["mug"]
    assert seen["undone"] == 0
    assert seen["redone"]
    assert seen["sameNode"], "the page's undo acted too"
    graph, view = seen["wheel"]["focused"]
    assert graph == 1
    assert view > 1
    graph, view = seen["wheel"]["unfocused"]
    assert graph < 1
    assert view == 1
    assert (seen["panned"], seen["graphStayed"]) == ([40, 30], True)
    assert seen["large"]["scale"] > 1
    assert seen["large"]["x"] == pytest.approx(40 / 512, abs=0.005)
    assert seen["largeUndone"]
    assert seen["closed"] == 0


@LOOKS
def test_a_collage_is_made_by_keys_alone(on_page: OnPage, pictures: str, look: str) -> None:
    seen = on_page("editor_keys.mjs", f"editor_keys_{look}.png", look, pictures)
    nothing_went_wrong(seen)
    assert seen["pasted"] == ["table", "mug", "lemon"]
    assert seen["walk"] == [["lemon"], ["mug"], ["table"], False]
    assert seen["moved"] == [1, 10]
    held = seen["held"]
    assert held["far"] == pytest.approx(20, abs=1)
    assert [held[name] for name in ("canvas", "field", "slider")] == [1, 1, 1], "more than one step"
    assert held["back"]
    assert held["fieldBack"]
    assert held["sliderBack"]
    assert seen["scaled"]
    assert seen["larger"] == pytest.approx(1.02)
    assert seen["turned"] == 15
    assert seen["flipped"] == "both"
    assert seen["lower"] == ["table", "lemon", "mug"]
    assert seen["top"] == ["table", "mug", "lemon"]
    assert seen["switches"] == [False, True]
    assert seen["locked"], "a locked layer moved"
    assert seen["centred"] == [0.5, 0.5]
    assert seen["fits"] == ["contain", 1]
    assert seen["copies"] == ["lemon"]
    assert seen["deleted"] == 4, "of five layers the chosen one"
    assert seen["overlays"] == ["noise", "masks", "plain"]
    assert seen["zooms"] == [1.25, 1]
    assert seen["all"] == 4
    assert set(seen["page"].values()) == {0}, "a key reached the page"
    assert seen["nodes"] == seen["nodesAfter"] == 2
    assert seen["undone"] == 0
    assert seen["redone"]
    assert seen["focusInside"]
    assert seen["dialogs"] == 0
    assert seen["focusBack"]


def test_the_page_speaks_over_a_large_view(on_page: OnPage, pictures: str) -> None:
    seen = on_page("editor_large.mjs", "editor_large.png", "classic", pictures)
    nothing_went_wrong(seen)
    assert seen["asked"] == {"uncovered": True, "typed": "cat", "large": 1, "layers": 2}
    assert seen["keys"] == {"layers": 0, "nodes": 2}, "a key went to the graph behind the view"
    assert seen["outside"] == [], "Tab leads behind the view"
    assert seen["refused"].startswith("The run was refused. VAE Decode: Required input is missing")
    assert seen["failed"] == (
        "The run failed. Replace Text (Regex): unterminated character set at position 0"
    )
    assert seen["stays"] == 1
    assert seen["toast"], "a notice of the page lies behind the view"
    assert seen["left"] == {"inert": 0, "shades": 0, "focus": "collage-keys"}


@LOOKS
def test_fingers_and_a_pen_do_what_a_mouse_does(on_page: OnPage, pictures: str, look: str) -> None:
    seen = on_page("editor_touch.mjs", f"editor_touch_{look}.png", look, pictures)
    nothing_went_wrong(seen)
    assert seen["moved"] == pytest.approx([-72, -48], abs=7)  # it may snap
    assert seen["pinched"] == pytest.approx(3, abs=0.2)
    assert seen["stayed"], "a pinch moved the layer under the first finger"
    assert seen["graph"] == 1, "a pinch zoomed the graph"
    assert seen["pen"]


@LOOKS
def test_the_page_does_what_it_does(on_page: OnPage, pictures: str, look: str) -> None:
    seen = on_page("editor_page.mjs", f"editor_page_{look}.png", look, pictures)
    nothing_went_wrong(seen)
    own = {"own": True, "same": True}
    assert seen["outcome"] == "success"
    assert seen["results"] == [["Preview Image", 512, 512]]
    assert seen["report"].startswith("Canvas 512 x 512 pixels, 3 of 3 layers shown")
    assert seen["difference"] <= 1, "the page shows another picture than the node computes"
    assert seen["undone"] == {"changed": True, "back": True, "views": 1, **own}
    assert seen["afterUndo"] == {"moved": 50, "views": 1, **own}
    assert seen["reloaded"] == {"kept": True, "views": 1, **own}
    assert seen["copies"] == {"equal": True, "views": 2, "apart": True}
    assert seen["tabs"] == {"views": 2, **own}
    assert sorted(seen["subgraph"]["ids"]) == [False, True]
    assert all(seen["subgraph"]["documents"])
    assert seen["inside"] == {"views": 1, **own}
    assert seen["left"] == 0, "an editor goes on that no graph has"
    assert seen["large"] == 0, "a large view without its node"
    if look == "classic":
        assert seen["fresh"] == {"changed": True, "kept": True, "views": 1, **own}
        assert seen["beside"] == {"apart": True, "first": True}, "two tabs edit one collage"
        assert seen["front"] == {"moved": True, "second": True}


def test_what_an_editor_bears(on_page: OnPage) -> None:
    seen = on_page("editor_limits.mjs", "editor_limits.png", "nodes2")
    nothing_went_wrong(seen)
    # on a machine at rest: 60 frames and 0.3 s; here only that it goes on
    assert all(seen[name]["frames"] > 0 for name in ("six", "twenty", "full", "photo")), json.dumps(
        seen
    )
    before, after = seen["heights"]
    assert after == before, "a long list made the node higher"
    assert seen["refused"] == "A collage holds up to 64 layers."
    assert seen["photo"]["layer"] == {"text": "evening sky", "fit": "cover", "size": [8000, 5000]}
    assert "missing" in seen["missing"]


def test_what_is_refused_is_said_and_nothing_lost(on_page: OnPage) -> None:
    seen = on_page("editor_refused.mjs", "editor_refused.png", "classic")
    nothing_went_wrong(seen)
    assert seen["long"] == (
        "This text may have at most 10000 characters. What was put in has 10502, and was left out."
    )
    assert seen["sentence"], "what was there before is lost"
    assert "at most 10000 characters" in seen["words"]
    assert seen["made"] is False
    assert "The document has more than 256 KiB." in seen["large"]
    full = ["A collage holds up to 64 layers.", 1]
    assert seen["duplicate"] == seen["paste"] == seen["drag"] == full
    assert seen["kept"]
