"""CollageSaveFile and CollageOpenFile: out into a portable file, and in again."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

STACK = ("collage", "image", "visible_masks", "prompt", "report")


def png(seed: int, mode: str = "RGBA", size: tuple[int, int] = (40, 30)) -> bytes:
    count = size[0] * size[1] * len(mode)
    random = torch.randint(256, (count,), generator=torch.Generator().manual_seed(seed))
    file = io.BytesIO()
    Image.frombytes(mode, size, bytes(random.tolist())).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def document(keep_file) -> dict[str, Any]:
    """A mug on a table, with what only the page knows, and a key of another version."""
    layers = [
        {"id": "tabl", "picture": keep_file(png(3, "RGB")), "text": "table", "fit": "cover",
         "locked": True, "colour": "brown"},
        {"id": "mug1", "picture": keep_file(png(1)), "text": "mug", "x": 0.123456789, "scale": 0.5,
         "rotation": 17.5, "opacity": 0.8, "blend": "soft light", "flip": "both",
         "from": keep_file(png(2))},
    ]  # fmt: skip
    return {"version": 1, "width": 96, "height": 64, "background": "#a0b0c0",
            "prompt": "a mug on a table", "layers": layers}  # fmt: skip


@pytest.fixture
def run(node_of, temp_folder):
    def execute(name: str, *inputs: Any, **others: Any) -> Any:
        return node_of(name).execute(*inputs, **others)

    return execute


@pytest.fixture
def save(run, temp_folder):
    """Save a collage; the path of the file."""

    def execute(collage: Any, prefix: str = "collage/mine", **others: Any) -> Path:
        made = run("CollageSaveFile", collage, prefix, "collage", **others)
        return temp_folder / "output" / made.args[0]

    return execute


@pytest.fixture
def elsewhere(temp_folder):
    """What another machine has: the file alone. Its name there."""

    def move(file: Path) -> str:
        for old in (temp_folder / "input").glob("collage/*"):
            old.unlink()
        (temp_folder / "input" / file.name).write_bytes(file.read_bytes())
        return file.name

    return move


def test_a_document_comes_back_byte_for_byte(run, save, elsewhere, temp_folder, document):
    text = json.dumps(document, indent=1)
    collage, image, *_ = run("CollageEditor", text).args
    file = save(collage)
    assert file.name == "mine_00001_.collage.zip"
    with zipfile.ZipFile(file) as archive:
        assert archive.read("collage.json").decode() == text
        assert len(archive.namelist()) == 2 + 3
        assert Image.open(archive.open("preview.png")).size == (96, 64)
    opened = run("CollageOpenFile", elsewhere(file))
    assert opened.ui["document"] == [text]
    assert opened.ui["notes"] == []
    assert torch.equal(opened.args[1], image)
    again = save(opened.args[0])
    assert again.read_bytes() == file.read_bytes()
    assert len([*(temp_folder / "input" / "collage").iterdir()]) == 3


def test_a_graph_of_layers_becomes_a_document_to_the_bit(run, save, elsewhere, keep_file, node_of):
    import nodes

    keep_file(png(5), "mug.png")
    image, mask = nodes.LoadImage().load_image("mug.png")
    odd = {"x": 1 / 3, "scale": 0.7071, "rotation": 33.3, "noise": 0.123456789, "blend": "multiply",
           "negative": "striped, (dotted:1.2)"}  # fmt: skip
    one = run("CollageLayer", image, "mug", mask=mask, **odd).args[0]
    two = run("CollageLayer", image, "lemon", mask=mask, visible=False).args[0]
    layers = {"layer0": one, "layer1": two}
    picture = torch.rand(1, 64, 96, 3).mul(255).round() / 255
    made = run("CollageStack", "a mug", 96, 64, "#969696", layers, picture).args
    opened = run("CollageOpenFile", elsewhere(save(made[0]))).args
    for name, before, after in zip(STACK, made, opened, strict=True):
        if name in ("image", "visible_masks"):
            assert torch.equal(before, after), name
    for before, after in zip(made[0].layers, opened[0].layers, strict=True):
        for name in ("text", "x", "scale", "rotation", "noise", "blend", "visible", "negative"):
            assert getattr(before, name) == getattr(after, name), name


def test_a_background_picture_keeps_its_own_size(run, save, elsewhere, node_of):
    picture = torch.rand(1, 160, 200, 3).mul(255).round() / 255
    mug = run("CollageLayer", picture[:, :40, :40], "mug", scale=0.2).args[0]
    made = run("CollageStack", "a mug", 64, 64, "#969696", {"layer0": mug}, picture).args[0]
    opened = run("CollageOpenFile", elsewhere(save(made))).args[0]
    assert torch.equal(made.composite.image, opened.composite.image)
    large, again = (run("CollageResize", one, 2.0, 1.0).args[0] for one in (made, opened))
    assert torch.equal(large.composite.image, again.composite.image)


def test_pixels_that_a_file_cannot_hold_are_told(run, document):
    fine = torch.rand(1, 64, 64, 3)
    mug = run("CollageLayer", fine.mul(255).round() / 255, "mug", scale=0.2).args[0]
    made = run("CollageStack", "a mug", 64, 64, "#969696", {"layer0": mug}, fine).args[0]
    saved = run("CollageSaveFile", made, "x", "collage")
    assert saved.ui["notes"] == ["The pixels of the background were rounded to 8 bits."]


def test_a_canvas_that_no_file_holds_is_refused(run, pack):
    made = run("CollageFromBatch", torch.rand(1, 48, 48, 3), texts="mug", prompt="").args[0]
    with pytest.raises(pack.collage_core.errors.CollageError) as error:
        run("CollageSaveFile", made, "x", "collage")
    assert str(error.value) == (
        "CollageSaveFile, input collage: its canvas has 48 x 48 pixels, and a file holds sides "
        "from 64 to 8192. Change the size with Collage Resize."
    )


def test_unknown_keys_that_look_like_pictures_are_left_alone(run, save, keep_file, document):
    document["picture"] = ["thumb.png"]
    document["layers"][0]["background_picture"] = "thumb.png"
    document["layers"][1]["picture"] = keep_file(png(1), "mug.png")
    made = run("CollageEditor", json.dumps(document)).args[0]
    with zipfile.ZipFile(save(made)) as archive:
        saved = json.loads(archive.read("collage.json"))
    assert (saved["picture"], saved["layers"][0]["background_picture"]) == (
        ["thumb.png"],
        "thumb.png",
    )
    assert saved["layers"][1]["picture"].startswith("collage/")


@pytest.mark.parametrize("prefix", ["", ".", "./", "..", "a/.."])
def test_a_prefix_that_names_no_file_is_refused(run, pack, document, temp_folder, prefix):
    made = run("CollageEditor", json.dumps(document)).args[0]
    with pytest.raises(
        pack.collage_core.errors.CollageError, match=r"filename_prefix: .* names no"
    ):
        run("CollageSaveFile", made, prefix, "collage")
    assert [*(temp_folder / "output").iterdir()] == []


def test_of_a_file_with_a_wrong_picture_none_is_kept(run, pack, elsewhere, temp_folder, document):
    wrong = b"no picture"
    document["layers"][1]["from"] = f"collage/{hashlib.sha256(wrong).hexdigest()}.png"
    names = [layer["picture"] for layer in document["layers"]]
    pictures = [(name, (temp_folder / "input" / name).read_bytes()) for name in names]
    pictures.append((document["layers"][1]["from"], wrong))
    path = temp_folder / "wrong.collage.zip"
    with open(path, "wb") as file:
        pack.collage_core.files.collage_file.write_collage_file(
            file, json.dumps(document), pictures, b""
        )
    with pytest.raises(pack.collage_core.errors.CollageError, match="that is no PNG"):
        run("CollageOpenFile", elsewhere(path))
    assert not [*(temp_folder / "input" / "collage").iterdir()]


def test_a_lora_of_a_layer_is_told_to_be_given_again(pack, run, document):
    made = run("CollageEditor", json.dumps(document)).args[0]
    own = pack.collage_core.collage.layer.LayerLora(
        name="mug.safetensors", strength_model=1.0, strength_clip=1.0
    )
    table, mug = made.layers
    changed = made.with_layers((table, dataclasses.replace(mug, loras=(own,))))
    (note,) = run("CollageSaveFile", changed, "x", "collage").ui["notes"]
    assert note.startswith('The file does not hold the LoRA "mug.safetensors" of layer "mug"')


def test_a_colour_behind_the_layers_stays_a_colour(run, save, document):
    made = run("CollageEditor", json.dumps(document)).args[0]
    changed = run("CollageAutoTune", made, 0.5).args[0]
    with zipfile.ZipFile(save(changed)) as archive:
        saved = json.loads(archive.read("collage.json"))
    assert saved["background"] == "#a0b0c0"
    assert saved["layers"][1]["noise"] == changed.layers[1].noise != made.layers[1].noise


def test_plain_names_become_hashes(run, save, elsewhere, keep_file, document):
    document["layers"][1]["picture"] = keep_file(png(1), "photos/mug.PNG")
    file = save(run("CollageEditor", json.dumps(document)).args[0])
    (sha,) = {hashlib.sha256(png(1)).hexdigest()}
    opened = run("CollageOpenFile", elsewhere(file))
    saved = json.loads(opened.ui["document"][0])
    assert saved["layers"][1]["picture"] == f"collage/{sha}.png"
    assert saved["layers"][0] == document["layers"][0]


def test_a_lost_picture_from_before_a_cut_out_is_told(run, save, temp_folder, document):
    made = run("CollageEditor", json.dumps(document)).args[0]
    (temp_folder / "input" / document["layers"][1]["from"]).unlink()
    saved = run("CollageSaveFile", made, "collage/x", "collage")
    assert "from before a cut-out is gone" in saved.ui["notes"][0]
    with zipfile.ZipFile(temp_folder / "output" / saved.args[0]) as archive:
        assert json.loads(archive.read("collage.json"))["layers"][1]["from"] == ""


def test_the_page_gets_a_document_that_cannot_be_painted_yet(
    run, keep_file, pack, document, temp_folder
):
    """Words are missing: it opens, and whoever takes its outputs is told why there are none."""
    del document["layers"][0]["colour"]
    document["layers"][0]["text"] = ""
    writer = pack.collage_core.files.collage_file
    with open(temp_folder / "input" / "x.collage.zip", "wb") as file:
        names = {name for layer in document["layers"] for name in (layer["picture"],
                 layer.get("from", "")) if name}  # fmt: skip
        parts = [(name, (temp_folder / "input" / name).read_bytes()) for name in sorted(names)]
        writer.write_collage_file(file, json.dumps(document), parts, b"")
    opened = run("CollageOpenFile", "x.collage.zip")
    assert json.loads(opened.ui["document"][0]) == document
    assert opened.ui["notes"] == [opened.block_execution]
    assert "Layer 1: it has no words" in opened.block_execution


@pytest.mark.parametrize("prefix", ["../out", "/etc/out", "a/../../b", "x\x00/y"])
def test_nothing_is_written_outside_the_output_folder(run, pack, document, temp_folder, prefix):
    made = run("CollageEditor", json.dumps(document)).args[0]
    with pytest.raises(pack.collage_core.errors.CollageError, match="leads out of ComfyUI's outp"):
        run("CollageSaveFile", made, prefix, "collage")
    assert [*(temp_folder / "output").iterdir()] == []


def test_the_second_file_has_the_next_number(run, save, document):
    made = run("CollageEditor", json.dumps(document)).args[0]
    assert [save(made).name[-20:], save(made).name[-20:]] == [
        "e_00001_.collage.zip", "e_00002_.collage.zip"
    ]  # fmt: skip


def test_a_batch_and_an_edit_are_refused(run, pack, document):
    refused = pytest.raises(pack.collage_core.errors.CollageError)
    image = torch.rand(2, 9, 9, 3)
    layer = run("CollageLayer", image, "mug").args[0]
    many = run("CollageStack", "a mug", 64, 64, "#969696", {"layer0": layer}).args[0]
    with refused as error:
        run("CollageSaveFile", many, "x", "collage")
    assert 'layer 1 "mug" has 2 pictures, and a file holds one of each' in str(error.value)
    one, image, *_ = run("CollageEditor", json.dumps(document)).args
    edited = run("CollageEdit", one, image, "mug", 0.6, "", 10.0, False).args[0]
    with refused as error:
        run("CollageSaveFile", edited, "x", "collage")
    assert "it continues a finished picture" in str(error.value)


@pytest.mark.parametrize(
    "name", ["../x.collage.zip", "/x.collage.zip", "x.zip", "", "x.collage.zip [output]",
             "no.collage.zip"]
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(node_of, pack, temp_folder, name):
    (temp_folder / "x.collage.zip").write_bytes(b"PK")
    with pytest.raises(pack.collage_core.errors.CollageError, match="CollageOpenFile, input file"):
        node_of("CollageOpenFile").validate_inputs(file=name)
