"""Layers, settings, sentence and messages of the editor on ComfyUI's real page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from .conftest import OnPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SENTENCE = "a blue mug and a lemon on a wooden table, morning light"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    table = Image.new("RGB", (600, 600), "#7a4e2d")
    lines = ImageDraw.Draw(table)
    for y in range(0, 600, 60):
        lines.line((0, y, 600, y), fill="#5f3b20", width=6)
    table.save(folder / "table.jpg")
    for name, colour, box in (
        ("mug", "#3a6ea5", (120, 80, 440, 540)),
        ("lemon", "#f1d11c", (60, 140, 540, 460)),
    ):
        picture = Image.new("RGBA", (600, 600))
        ImageDraw.Draw(picture).ellipse(box, fill=colour)
        picture.save(folder / f"{name}.png")
    return folder


@pytest.mark.parametrize(
    ("look", "language", "palette"),
    [("classic", "en", "dark"), ("nodes2", "en", "light"), ("nodes2", "zh", "dark")],
)
def test_the_panel_by_keyboard_and_mouse(
    on_page: OnPage, pictures: Path, look: str, language: str, palette: str
) -> None:
    picture = f"editor_panel_{look}_{language}_{palette}.png"
    seen = on_page("editor_panel.mjs", picture, look, language, palette, str(pictures))
    assert [error for error in seen["errors"] if "collage" in error.lower()] == []
    assert seen["foreign"] == []
    assert seen["flat"] == 0
    by_keyboard(seen)
    by_typing(seen)
    by_mouse(seen)
    assert seen["gaps"] == [0, 0, 0], "a part of the editor stays empty"
    assert seen["contrasts"] == [], "text that is hard to read"
    assert seen["overflows"] == [], "text that does not fit"
    if language == "en":
        in_words(seen)


def by_keyboard(seen: dict[str, Any]) -> None:
    assert len(seen["options"]) == 3
    assert seen["options"][0].startswith("a lemon")
    assert seen["chips"] == ["a blue mug", "a lemon", "wooden table"]
    assert seen["arrow"][0] == ["mugg"]
    assert seen["renamed"]["words"] == ["wooden table", "a red cup", "a lemon"]
    assert seen["renamed"]["prompt"] == SENTENCE.replace("a blue mug", "a red cup")
    assert seen["back"].startswith("a red cup"), "the focus comes back to the row"
    assert seen["order"] == ["tabl", "lemo", "mugg"]
    assert seen["undone"]["order"] == ["tabl", "mugg", "lemo"]
    assert seen["undone"]["prompt"] == SENTENCE
    assert seen["sameNode"], "the page's own undo has made the node anew"
    assert seen["stillThere"].startswith("a blue mug")
    assert seen["hidden"] is False
    assert seen["chipsWithout"] == ["a lemon", "wooden table"]
    assert seen["two"] == ["mugg", "tabl"]
    assert seen["noise"] == [0.62, 0.62, 0.6], "the slider sets all that is chosen"
    assert seen["exact"] == [0.75, 0.75, 0.6]
    assert seen["negatives"] == ["striped", "striped", ""]


def by_typing(seen: dict[str, Any]) -> None:
    prompt, chips = seen["drafted"]
    assert prompt == SENTENCE, "what is typed is no step until it is finished"
    assert chips == ["a blue mug", "a lemon", "wooden table"]
    assert seen["typed"] == f"{SENTENCE}, soft shadows"
    assert seen["inside"]["words"][1] == "a green mug", "typing in a chip renames its layer"
    assert seen["inside"]["prompt"].startswith("a green mug and a lemon")
    assert seen["nativeUndo"] == seen["inside"]["prompt"]
    assert seen["composing"]
    assert seen["composed"].endswith("\u665a\u971e")
    assert seen["pasted"]["prompt"] == "a lemon"
    assert seen["pasted"]["words"] == ["wooden table", "a green mug", "a lemon"]
    focused, button = seen["held"]
    assert focused == button, "what is shown anew keeps the focus"
    assert seen["mended"] == "a lemon, wooden table, a green mug"


def by_mouse(seen: dict[str, Any]) -> None:
    assert seen["dragged"] == ["lemo", "tabl", "mugg"], "all that is chosen is dragged"
    assert seen["inPlace"]["words"][0] == "two limes"
    assert seen["inPlace"]["prompt"] == "two limes, wooden table, a green mug"
    assert seen["eye"] is False
    assert seen["clickedChip"] == ["lemo"]
    assert seen["legend1"]
    assert seen["legend2"]
    assert seen["legend1"] != seen["legend2"]
    assert seen["legendGone"]
    assert seen["margin"] <= 30, "the legend lies on the picture"
    assert seen["width"] == 704
    assert seen["empty"][0] == 0
    assert len(seen["empty"][1].splitlines()) >= 3


def in_words(seen: dict[str, Any]) -> None:
    assert seen["options"][0] == "a lemon, its words stand in the sentence"
    assert seen["message"] == "All 3 layers have their words in the sentence."
    assert seen["pasted"]["message"] == 'The sentence does not mention "wooden table".'
    assert "wooden table" in seen["tip"]
    assert "Drop pictures here" in seen["empty"][1]
