"""Cut-outs of the editor on ComfyUI's real page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from .conftest import OnPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONGEST_STEP = 1000  # milliseconds that the page may stand still, on a machine with other work
CLOSE = 60  # of 255: a third of a pixel at an edge of mug and wall; a whole one gives 180


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lemon on a plain wall, a mug with clear margins, and the lemon in 12 megapixels."""
    folder = tmp_path_factory.mktemp("pictures")
    lemon = Image.new("RGB", (600, 450), (222, 219, 212))
    pen = ImageDraw.Draw(lemon)
    pen.ellipse((190, 150, 430, 320), fill=(238, 205, 40))
    noise = np.random.default_rng(1).integers(-4, 5, (450, 600, 3))
    pixels = np.asarray(lemon.filter(ImageFilter.GaussianBlur(0.7))).astype(int) + noise
    lemon = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    lemon.save(folder / "lemon.png")
    lemon.resize((4000, 3000)).save(folder / "huge.jpg", quality=90)
    mug = Image.new("RGBA", (600, 600))
    ImageDraw.Draw(mug).rounded_rectangle((200, 160, 380, 470), 40, fill=(40, 90, 170, 255))
    mug.save(folder / "mug.png")
    return folder


@pytest.mark.parametrize(("look", "language"), [("classic", "en"), ("nodes2", "zh")])
def test_pictures_are_cut_out_and_stay_in_place(
    on_page: OnPage, pictures: Path, look: str, language: str
) -> None:
    picture = f"editor_cuts_{look}_{language}.png"
    seen = on_page("editor_cuts.mjs", picture, look, language, str(pictures))
    assert [error for error in seen["errors"] if "collage" in error.lower()] == []
    assert seen["foreign"] == []
    first = seen["first"]
    assert seen["trimmed"]["size"] == [181, 311]
    assert seen["trimmed"]["from"] == first["mug"]
    assert seen["undone"]
    assert seen["focus"] == "range", "the slider has the focus"
    assert seen["untouched"], "a preview has changed the document"
    cut_and_back(seen, first["lemon"])
    assert seen["closed"], "Escape does not close the bar"
    assert seen["huge"]["blocked"] < LONGEST_STEP
    assert seen["huge"]["layer"]["from"] == first["huge"]


def cut_and_back(seen: dict[str, Any], lemon: str) -> None:
    for name in ("trimDiffers", "cutDiffers", "againDiffers"):
        assert seen[name]["count"] > 1000
        assert seen[name]["most"] <= CLOSE, f"{name}: the layer has moved"
    assert seen["trimDiffers"]["outside"] == 0
    assert seen["cutDiffers"]["outside"] > 10000, "the ground is still there"
    assert seen["left"], "Escape has done more than to leave the line"
    for name in ("cut", "twice", "keys"):
        assert seen[name]["from"] == lemon, "the very first picture is not kept"
    assert seen["twice"]["size"] < seen["cut"]["size"] < [300, 300]
    assert seen["again"]["picture"] == lemon
    assert seen["again"]["from"] == ""
    assert seen["keys"]["size"] == [600, 450], "what is outside has not stayed"
