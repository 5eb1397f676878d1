"""The artist's budget: three own pictures laid out, worded and painted in a few actions."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from .conftest import OnPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOST = 12  # uses of the pointer, from an empty page to the painted picture


@pytest.fixture
def own_pictures(tmp_path: Path) -> Path:
    """A table, and a mug and a lemon that are cut out: none of the pack's."""
    folder = tmp_path / "own"
    folder.mkdir()
    table = Image.new("RGB", (480, 480), "#9c6b3f")
    for y in range(0, 480, 60):
        ImageDraw.Draw(table).rectangle((0, y, 480, y + 3), "#6b4526")
    table.save(folder / "wooden table.png")
    mug = Image.new("RGBA", (300, 300))
    draw = ImageDraw.Draw(mug)
    draw.ellipse((170, 90, 290, 220), outline="#1f4fa3", width=26)
    draw.rounded_rectangle((30, 30, 220, 280), 30, "#2f6fdb")
    draw.ellipse((30, 15, 220, 65), "#dfe9fb")
    mug.save(folder / "blue_mug.png")
    lemon = Image.new("RGBA", (260, 180))
    ImageDraw.Draw(lemon).ellipse((10, 20, 250, 170), "#f5d231")
    lemon.save(folder / "lemon_02.png")
    return folder


@pytest.mark.parametrize("look", ["classic", "nodes2"])
def test_three_own_pictures_within_the_artist_s_budget(
    on_page: OnPage, own_pictures: Path, look: str
) -> None:
    seen = on_page("editor_budget.mjs", f"editor_budget_{look}.png", look, str(own_pictures))
    assert seen["emptied"] == "", "words of layers that are gone stay in the sentence"
    assert seen["dropped"] == [
        ["wooden table", "cover"],
        ["blue mug", "contain"],
        ["lemon", "contain"],
    ]
    document = seen["document"]
    assert sorted(document["prompt"].split(", ")) == ["blue mug", "ripe lemon", "wooden table"]
    table, mug, lemon = document["layers"]
    assert (table["x"], table["y"]) == (0.5, 0.5)
    assert mug["x"] < 0.45 < 0.6 < lemon["x"]
    assert mug["y"] < lemon["y"]
    assert seen["painted"] == "success"
    assert seen["budget"] <= MOST, seen["pointer"]
    assert not any(sign.isdigit() for text in seen["typed"] for sign in text)
    assert seen["shrunk"] == 0, "a run takes room from the canvas"

    # and on from there: only the chosen layer is painted anew, in the graph as it is
    assert seen["split"] == [0.5, pytest.approx(0.25, abs=0.02)], "result and collage side by side"
    canvas, hidden = seen["room"]
    assert canvas >= 299
    assert hidden == 0, "the settings are cut off in an edit"
    assert (seen["edited"], seen["wired"]) == ("success", True)
    assert 0.4 < seen["same"] < 0.99
    assert [error for error in seen["errors"] if "collage" in error.lower()] == []
    assert seen["foreign"] == []
