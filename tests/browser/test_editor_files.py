"""Files dropped on the editor, and saved from it, on ComfyUI's real page."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from .conftest import OnPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]
psd_tools = pytest.importorskip("psd_tools")

PSD = Path(__file__).absolute().parents[1] / "psd" / "groups.psd"


def test_a_psd_is_dropped_and_the_collage_saved_and_opened(on_page: OnPage, tmp_path: Path) -> None:
    seen = on_page("editor_files.mjs", "editor_files.png", "nodes2", str(PSD), str(tmp_path))
    assert [error for error in seen["errors"] if "collage" in error.lower()] == []
    assert seen["foreign"] == []
    opened = seen["opened"]["document"]
    assert [layer["text"] for layer in opened["layers"]] == ["table", "plate", "fork", "napkin"]
    assert seen["opened"]["said"].startswith('groups.psd: Layer "Group 1" is a group')
    portable, psd = seen["saved"]
    with zipfile.ZipFile(tmp_path / portable) as file:
        assert len(file.namelist()) == 2 + 4
    assert [layer.name for layer in psd_tools.PSDImage.open(tmp_path / psd)][1:] == [
        layer["text"] for layer in opened["layers"]
    ]
    assert seen["ran"] == "success", (seen["finishedSaid"], seen["ran"])
    top = [*psd_tools.PSDImage.open(tmp_path / seen["finished"])][-2:]
    assert [layer.name for layer in top] == ["result", "result in layers"]
    assert "The result of Preview Image lies on top." in seen["finishedSaid"]
    assert seen["undone"], "opening is not one step"
    assert seen["same"], "the file holds another document"
    assert "is cut off or no collage file" in seen["refused"]
    assert seen["refused"].startswith("broken.collage.zip cannot be opened: ")
    assert "collage/" not in seen["refused"], "the file has another name than the user knows"
    assert (seen["toasts"], seen["overflow"]) == (0, 0)
    assert seen["waits"] == "Waits for the run that is under way …"
    assert seen["cleared"] == "The collage cannot be saved: it was taken out of the queue."
    assert seen["again"].endswith(".collage.zip")
    assert seen["kept"], "a file that cannot be opened has changed the collage"
