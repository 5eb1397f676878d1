"""make_collage.py: a collage of a folder of pictures, on the session's server."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from launcher.client import Client
from launcher.server import Server

WORKFLOWS = Path(__file__).parents[2] / "workflows"


@pytest.fixture
def cutouts(tmp_path: Path) -> Path:
    """A folder of three pictures that came with no workflow."""
    folder = tmp_path / "cutouts"
    folder.mkdir()
    for seed, name in enumerate(("1_wooden table", "2_blue_mug__not_a red_stripe", "3 lemon"), 1):
        colours = random.Random(seed).randbytes(4 * 90 * 70)
        Image.frombytes("RGBA", (90, 70), colours).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def make(server: Server, tmp_path: Path):
    """Run make_collage.py on the session's server; what it said."""

    def start(*arguments: str | Path) -> subprocess.CompletedProcess:
        command = [sys.executable, str(WORKFLOWS / "make_collage.py"), server.url]
        command += map(str, arguments)
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return start


def test_a_folder_of_pictures_becomes_a_collage(
    make, client: Client, cutouts: Path, tmp_path: Path
) -> None:
    """To the bit the picture of the graph of CollageLayer and CollageStack."""
    done = make(cutouts, "collage.png")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["prompt"] == "wooden table, blue mug, lemon"
    negatives = [layer.get("negative") for layer in document["layers"]]
    assert negatives == [None, "a red stripe", None]
    size = {name: document[name] for name in ("width", "height", "prompt")}
    graph = {"stack": {"class_type": "CollageStack", "inputs": {**size, "background": "#969696"}}}
    defaults = {"x": 0.5, "y": 0.5, "scale": 1.0, "rotation": 0.0, "opacity": 1.0, "noise": 0.6,
                "attract": 0.3, "repel": 0.5, "control": 1.0, "visible": True}  # fmt: skip
    for number, layer in enumerate(document["layers"]):
        settings = {key: layer[key] for key in layer if key not in ("id", "picture")}
        pixels = {"image": [f"load{number}", 0], "mask": [f"load{number}", 1]}
        inputs = {**defaults, **settings, **pixels}
        load = {"class_type": "LoadImage", "inputs": {"image": layer["picture"]}}
        graph |= {f"load{number}": load, f"layer{number}": {"class_type": "CollageLayer",
                                                            "inputs": inputs}}  # fmt: skip
        graph["stack"]["inputs"][f"layers.layer{number}"] = [f"layer{number}", 0]
    save = {"images": ["stack", 1], "filename_prefix": "same"}
    graph["save"] = {"class_type": "SaveImage", "inputs": save}
    outputs = client.wait(client.queue(graph))
    wanted = Image.open(io.BytesIO(client.fetch(outputs["save"]["images"][0])))
    made = Image.open(tmp_path / "collage.png")
    assert made.size == (512, 512)
    assert made.tobytes() == wanted.tobytes()


def test_the_document_goes_into_a_workflow_that_paints(
    make, client: Client, cutouts: Path, tmp_path: Path
) -> None:
    workflow = tmp_path / "workflow.json"
    graph = {
        "editor": {"class_type": "CollageEditor", "inputs": {"document": ""}},
        "less": {"class_type": "ImageInvert", "inputs": {"image": ["editor", 1]}},
        "save": {
            "class_type": "SaveImage",
            "inputs": {"images": ["less", 0], "filename_prefix": "collage_result"},
        },
    }
    workflow.write_text(json.dumps(graph))
    assert make(cutouts, "plain.png").returncode == 0
    assert make(cutouts, "inverted.png", "--workflow", workflow).returncode == 0
    plain, inverted = (Image.open(tmp_path / f"{name}.png") for name in ("plain", "inverted"))
    both = zip(plain.tobytes(), inverted.tobytes(), strict=True)
    assert all(one + other in (254, 255) for one, other in both)


def test_what_cannot_be_made_is_one_sentence(make, cutouts: Path, tmp_path: Path) -> None:
    (cutouts / "4.png").write_bytes((cutouts / "3 lemon.png").read_bytes())
    done = make(cutouts, "collage.png")
    assert done.returncode == 1
    assert (
        "Nothing was made: CollageEditor, input document: Layer 4: it has no words." in done.stderr
    )
    done = make(tmp_path / "empty", "collage.png")
    assert done.returncode == 1
    assert "Document: it has no layers" in done.stderr
    workflow = tmp_path / "workflow.json"
    workflow.write_text('{"1": {"class_type": "LoadImage", "inputs": {}}}')
    done = make(cutouts, "collage.png", "--workflow", workflow)
    assert "the workflow has 0 nodes CollageEditor; it must have one." in done.stderr


def test_a_picture_under_a_foreign_name_is_not_taken(
    make, server: Server, client: Client, cutouts: Path
) -> None:
    """ComfyUI keeps a second file of a name under another name."""
    assert make(cutouts, "collage.png").returncode == 0
    document = json.loads(make(cutouts, "collage.png").stdout)
    folder, name = document["layers"][0]["picture"].split("/")
    form = f'--x\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n\r\nother'
    form += '\r\n--x\r\nContent-Disposition: form-data; name="overwrite"\r\n\r\ntrue'
    form += (
        f'\r\n--x\r\nContent-Disposition: form-data; name="subfolder"\r\n\r\n{folder}\r\n--x--\r\n'
    )
    client.request("/upload/image", form.encode(), "multipart/form-data; boundary=x")
    done = make(cutouts, "collage.png")
    assert done.returncode == 1
    assert f"the server has another file {name}" in done.stderr
