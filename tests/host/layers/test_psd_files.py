"""PSD files through CollageOpenFile and CollageSaveFile, and in two other readers."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

psd_tools = pytest.importorskip("psd_tools")
composite = pytest.importorskip("psd_tools.composite").composite

PSD = Path(__file__).absolute().parents[2] / "psd"
BENTO = Path(__file__).absolute().parents[4] / "shared/reference/bento_box/bento_box.psd"


@pytest.fixture
def run(node_of, temp_folder):
    def execute(name: str, *inputs: Any, **others: Any) -> Any:
        return node_of(name).execute(*inputs, **others)

    return execute


def test_a_psd_is_opened_with_its_words_and_notes(run, keep_file, temp_folder):
    keep_file((PSD / "groups.psd").read_bytes(), "my table.psd")
    opened = run("CollageOpenFile", "my table.psd")
    collage, image, masks, prompt, report = opened.args
    assert prompt == "table, plate, napkin"
    assert [layer.visible for layer in collage.layers] == [True, True, False, True]
    assert (image.shape, masks.shape) == ((1, 64, 64, 3), (3, 64, 64))
    assert (image[0, 20, 5] * 255).round().tolist() == [90, 90, 90]
    assert [note.split(" is ")[0] for note in opened.ui["notes"]] == [
        'Layer "Group 1"',
        "The canvas",
    ]
    assert all(f"! {note}" in report for note in opened.ui["notes"])
    assert json.loads(opened.ui["document"][0])["layers"][0]["text"] == "table"
    assert len([*(temp_folder / "input" / "collage").iterdir()]) == 4


def test_a_layer_that_nobody_has_named_asks_for_its_words(run, keep_file):
    keep_file((PSD / "layers.psd").read_bytes(), "collage/layers.PSD")
    opened = run("CollageOpenFile", "collage/layers.PSD")
    assert "Layer 3: it has no words" in opened.block_execution
    assert json.loads(opened.ui["document"][0])["layers"][2]["text"] == ""


def test_a_psd_that_cannot_be_read_is_refused_by_its_name(run, keep_file, pack):
    keep_file(b"8BPS" + bytes(30), "old.psd")
    with pytest.raises(pack.collage_core.errors.CollageError) as error:
        run("CollageOpenFile", "old.psd")
    assert str(error.value) == (
        'CollageOpenFile, input file: "old.psd" is a bitmap. Save it as RGB, 8 bits.'
    )


def test_of_a_psd_that_is_refused_no_picture_is_kept(run, keep_file, pack, temp_folder):
    file = psd_tools.PSDImage.new("RGB", (90, 60))
    for number in range(65):
        pixels = np.full((4, 4, 4), number, np.uint8)
        pixels[..., 3] = 255
        file.create_pixel_layer_from_array(pixels, name="mug", top=0, left=0)
    data = io.BytesIO()
    file.save(data)
    keep_file(data.getvalue(), "many.psd")
    with pytest.raises(pack.collage_core.errors.CollageError, match="more than 64 layers"):
        run("CollageOpenFile", "many.psd")
    assert [*(temp_folder / "input").glob("collage/*")] == []


def test_a_damaged_picture_in_the_place_of_a_layer_is_named(run, keep_file, pack, temp_folder):
    keep_file((PSD / "layers.psd").read_bytes(), "collage/layers.psd")
    run("CollageOpenFile", "collage/layers.psd")
    damaged = sorted((temp_folder / "input" / "collage").glob("*.png"))[0]
    damaged.write_bytes(b"")
    with pytest.raises(pack.collage_core.errors.CollageError) as error:
        run("CollageOpenFile", "collage/layers.psd")
    name = f"collage/{damaged.name}"
    assert str(error.value) == (
        f'CollageOpenFile, input file: "collage/layers.psd" has a picture {name} that cannot be '
        f"kept, as the file {name} in ComfyUI's input folder has its name and another content. "
        "Delete that file, and run again."
    )


@pytest.mark.skipif(not BENTO.exists(), reason="the paper's own file is not here")
def test_the_file_of_the_paper_opens_and_can_be_painted(run, keep_file):
    keep_file(BENTO.read_bytes(), "bento_box.psd")
    opened = run("CollageOpenFile", "bento_box.psd")
    assert opened.block_execution is None
    collage, image, masks, prompt, _ = opened.args
    assert prompt == "bento box, rice, edamame, ginger, sushi"
    assert (image.shape, masks.shape) == ((1, 512, 512, 3), (5, 512, 512))
    assert collage.phrases.prompt == prompt
    merged = torch.from_numpy(psd_tools.PSDImage.open(BENTO).numpy("color").copy())
    covered = masks.sum(0) > 0.999
    assert (image[0] - merged)[covered].abs().max() < 1.5 / 255


def soft(seed: int, height: int = 30, width: int = 40) -> torch.Tensor:
    """A picture [1, H, W, 4] of smooth colours whose alpha fades at the edges."""
    small = torch.rand(1, 4, 4, 5, generator=torch.Generator().manual_seed(seed))
    picture = torch.nn.functional.interpolate(small, (height, width), mode="bilinear")
    return picture.movedim(1, -1)


@pytest.fixture
def stack(run) -> Any:
    """Layers turned, flipped, scaled, faded, blended, beyond the canvas, hidden."""
    places = [
        ("wooden table", {"fit": "cover", "rotation": 12.0}),
        ("木桌上的杯子", {"x": 0.05, "y": 0.3, "scale": 1.31, "flip": "both", "opacity": 0.337}),
        ("lemon, sliced", {"x": 0.7, "y": 0.6, "rotation": 33.0, "blend": "multiply"}),
        ("🍋 glow", {"x": 0.6, "y": 0.5, "blend": "soft light", "opacity": 0.8}),
        ("hidden mug", {"visible": False, "x": 0.2}),
    ]
    layers = {}
    for number, (text, settings) in enumerate(places):
        made = run("CollageLayer", soft(number), text, **settings)
        layers[f"layer{number}"] = made.args[0]
    prompt = ", ".join(text for text, _ in places)
    return run("CollageStack", prompt, 96, 64, "#a0b0c0", layers).args


@pytest.fixture
def written(run, temp_folder, stack):
    def write(**others: Any) -> Path:
        made = run("CollageSaveFile", stack[0], "a b/mine", "psd", **others)
        assert made.args[0] == "a b/mine_00001_.psd"
        return temp_folder / "output" / made.args[0]

    return write


def test_a_psd_holds_every_layer_where_it_stands(written, stack):
    psd = psd_tools.PSDImage.open(written())
    names = [layer.name for layer in psd]
    assert names == ["Background", *(layer.text for layer in stack[0].layers)]
    assert [layer.visible for layer in psd] == [True] * 5 + [False]
    assert psd[2].left < 0  # parts beyond the canvas are kept
    assert psd[2].opacity == 86
    assert [psd[n].blend_mode.name for n in (1, 3, 4)] == ["NORMAL", "MULTIPLY", "SOFT_LIGHT"]


def test_it_looks_the_same_in_psd_tools_and_pillow(written, stack):
    path, image = written(), stack[1]
    psd = psd_tools.PSDImage.open(path)
    composed = torch.from_numpy(composite(psd, force=True)[0].copy())
    assert (composed - image[0]).abs().max() < 1.01 / 255
    merged = torch.tensor(list(Image.open(path).convert("RGB").tobytes())).view(64, 96, 3) / 255
    assert (merged - image[0]).abs().max() <= 0.51 / 255


def test_it_comes_back_with_the_same_composite(written, stack, run, keep_file):
    opened = run("CollageOpenFile", keep_file(written().read_bytes(), "again.psd"))
    document = json.loads(opened.ui["document"][0])
    assert document["background"] == "#a0b0c0"
    assert [layer["text"] for layer in document["layers"]] == [
        layer.text for layer in stack[0].layers
    ]
    assert (opened.args[1] - stack[1]).abs().max() < 1.01 / 255
    assert opened.ui["notes"] == []


def test_a_result_lies_on_top_and_is_cut_into_the_layers(written, stack, run, keep_file):
    result = soft(9, 64, 96)[..., :3]
    path = written(image=result)
    psd = psd_tools.PSDImage.open(path)
    assert [psd[-2].name, psd[-1].name, psd[-1].visible] == ["result", "result in layers", False]
    composed = torch.from_numpy(composite(psd, force=True)[0].copy())
    assert (composed - result[0]).abs().max() < 1.01 / 255
    psd[-1].visible, psd[-2].visible = True, False
    for layer in [*psd][:-2]:
        layer.visible = False
    parts = torch.from_numpy(composite(psd, force=True)[0].copy())
    assert (parts - result[0]).abs().max() < 2.01 / 255  # CollageSplit's layers are the picture
    opened = run("CollageOpenFile", keep_file(path.read_bytes(), "again.psd"))
    assert (opened.args[1] - stack[1]).abs().max() < 1.01 / 255
    assert opened.ui["notes"] == ['"result" and "result in layers" are left out.']


def test_an_edit_is_written_with_its_picture(run, temp_folder, stack):
    picture = soft(8, 64, 96)[..., :3]
    edited = run("CollageEdit", stack[0], picture, "lemon, sliced", 0.6, "", 10.0, False).args[0]
    made = run("CollageSaveFile", edited, "edit", "psd")
    merged = Image.open(temp_folder / "output" / made.args[0]).convert("RGB").tobytes()
    assert (torch.tensor(list(merged)).view(64, 96, 3) / 255 - picture[0]).abs().max() < 0.51 / 255


def test_without_psd_tools_a_sentence_says_how_to_get_it(run, pack, stack, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "psd_tools", None)
    with pytest.raises(pack.collage_core.errors.CollageError) as error:
        run("CollageSaveFile", stack[0], "x", "psd")
    assert str(error.value).startswith("CollageSaveFile, input format: psd needs the package psd-t")
