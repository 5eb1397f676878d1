"""Pictures from damaged files are refused, wherever they are loaded."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from comfy_api.latest import io
from PIL import Image, ImageFile

GREY = "#969696"


@pytest.fixture
def write_noise(temp_folder):
    """Write a picture of noise into the input folder, cut off after a share of its bytes."""

    def write(name: str, share: float = 1.0, mode: str = "RGB") -> None:
        path = temp_folder / "input" / name
        pixels = np.random.default_rng(1).integers(0, 255, (64, 96, len(mode)), dtype=np.uint8)
        Image.fromarray(pixels, mode).save(path)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return write


@pytest.mark.parametrize(
    ("name", "mode"), [("red.png", "RGBA"), ("red.jpg", "RGB"), ("RED.GIF", "RGB")]
)
def test_a_picture_from_a_file_that_is_cut_off_is_refused(api, write_noise, prompt_of, name, mode):
    prompt = prompt_of()
    prompt["load"]["inputs"]["image"] = name
    write_noise(name, 1.0, mode)
    assert api(prompt).error == ""
    write_noise(name, 0.66, mode)
    said = api(prompt).error
    assert said.startswith(f'CollageLayer "bear", input image: the file "{name}" is damaged (image')
    assert said.strip().endswith("what is left of it. Load it from a sound copy.")
    write_noise(name, 1.0, mode)
    assert api(prompt).error == ""


def test_a_jpeg_whose_second_picture_was_dropped_is_sound(api, prompt_of, temp_folder):
    """Telephones add a map of depths, and tools that turn the picture leave it out."""
    one, two = (Image.effect_noise((96, 64), 50 + n).convert("RGB") for n in (0, 1))
    path = temp_folder / "input" / "red.jpg"
    one.save(path, "MPO", save_all=True, append_images=[two])
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"\xff\xd8\xff")])
    prompt = prompt_of()
    prompt["load"]["inputs"]["image"] = "red.jpg"
    assert api(prompt).error == ""
    path.write_bytes(data[: len(data) // 3])
    assert 'the file "red.jpg" is damaged (image file is truncated' in api(prompt).error


def test_the_file_is_found_behind_other_nodes_and_whatever_pillow_was_told(
    api, write_noise, write_png, prompt_of, monkeypatch
):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as some packs do
    write_png("red.png", "RGBA", (255, 0, 0, 255))
    write_noise("wall.jpg", 0.66)
    prompt = prompt_of(background_image=["turned", 0])
    scale = {"upscale_method": "area", "width": 40, "height": 40, "crop": "disabled"}
    prompt |= {
        "wall": {"class_type": "LoadImage", "inputs": {"image": "wall.jpg [input]"}},
        "scaled": {"class_type": "ImageScale", "inputs": {"image": ["wall", 0], **scale}},
        "turned": {"class_type": "ImageInvert", "inputs": {"image": ["scaled", 0]}},
    }
    said = api(prompt).error
    assert said.startswith('CollageStack, input background_image: the file "wall.jpg" is damaged')
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True
    prompt["stack"]["inputs"]["background_image"] = ["load", 0]
    assert api(prompt).error == ""  # nothing of ours shows the wall


def test_a_mask_from_a_file_is_looked_at_too(api, write_noise, write_png, prompt_of):
    write_png("red.png", "RGBA", (255, 0, 0, 255), (96, 64))
    write_noise("cut.png", 0.66, "RGBA")
    prompt = prompt_of()
    prompt["mask"] = {
        "class_type": "LoadImageMask",
        "inputs": {"image": "cut.png", "channel": "alpha"},
    }
    prompt["layer0"]["inputs"]["mask"] = ["mask", 0]
    assert 'input mask: the file "cut.png" is damaged' in api(prompt).error


def test_only_files_in_the_folders_of_the_host_are_looked_at(
    in_graph, temp_folder, write_noise, monkeypatch
):
    write_noise("inside.png", 0.66)
    (temp_folder / "outside.png").write_bytes((temp_folder / "input" / "inside.png").read_bytes())
    (temp_folder / "input" / "link.png").symlink_to(temp_folder / "outside.png")
    opened, really = [], Image.open
    monkeypatch.setattr(
        Image, "open", lambda path, **how: opened.append(path) or really(path, **how)
    )

    def run(name: str) -> None:
        before = {"before": {"class_type": "AnyLoader", "inputs": {"file": name}}}
        in_graph("CollageLayer", before, image=torch.ones(1, 8, 8, 3), text="bear")

    for name in (
        "../outside.png",
        str(temp_folder / "outside.png"),
        "link.png",
        "inside.txt",
        "\0.png",
    ):
        run(name)
    assert opened == []
    with pytest.raises(ValueError, match=r'the file "inside.png" is damaged'):
        run("inside.png")


def test_every_node_that_takes_pictures_is_told_what_runs(pack):
    kinds = pack.nodes.checks.PICTURES
    for node in pack.nodes.NODES:
        schema = node.define_schema()
        if any(one.get_io_type() in kinds for one in schema.inputs):
            assert io.Hidden.dynprompt in schema.hidden, schema.node_id
