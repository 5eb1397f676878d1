"""`python every_node.py BASE`: runs every node of the pack once, watched, and prints the notes.

The pack is loaded as ComfyUI loads it, in the folder BASE; ComfyUI's own start is not watched.
What a node is given follows from its schema, so a new node runs without a word about it here,
unless it needs a kind of thing that no other node needs.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import importlib
import importlib.util
import json
import shutil
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import watch
from PIL import Image
from safetensors.torch import save_file

REPO = Path(__file__).absolute().parents[2]
SIZE = 64
# widgets that have no default or one that takes long
DOCUMENT = {
    "version": 1, "width": SIZE, "height": SIZE, "prompt": "sushi",
    "layers": [{"id": "sush", "picture": "sushi.png", "text": "sushi"}],
}  # fmt: skip
VALUES = {
    "document": json.dumps(DOCUMENT), "text": "sushi",
    "prompt": "sushi", "width": SIZE, "height": SIZE, "steps": 2,
    "preset": "preview", "layers": "1", "layer": "1", "file": "sushi.collage.zip",
}  # fmt: skip
NEEDED = {"CollagePasteBack": ["mask"]}  # of the inputs that may be left out
NEWEST = ("MODEL", "CONDITIONING")  # a patched model and its conditioning go together


def main(base: str) -> None:
    host = start_host(base)
    things = sockets()
    Image.new("RGBA", (9, 9), "orange").save(Path(base, "input", "sushi.png"))
    write_files(Path(base, "input"))
    save_file({}, str(Path(base, "models", "loras", "fox.safetensors")))
    notes = watch.start()
    assert asyncio.run(host.load_custom_node(str(REPO), module_parent="custom_nodes"))
    pack = sys.modules[str(REPO).replace(".", "_x_")]
    presets = importlib.import_module(f"{pack.__name__}.collage_core.inversion.settings").PRESETS
    presets["preview"] = dataclasses.replace(presets["preview"], resolution=(128, 128))
    ran = []
    for node in pack.nodes.NODES:
        run(node, things)
        ran.append(node.__name__)
    if importlib.util.find_spec("psd_tools"):
        open_and_save_psd(pack, things, Path(base, "input"))
    sys.stdout.write(json.dumps({"ran": ran, **notes}))


def write_files(folder: Path) -> None:
    """A portable file of the same collage, and a PSD."""
    picture = (folder / "sushi.png").read_bytes()
    sha = hashlib.sha256(picture).hexdigest()
    layers = [{**DOCUMENT["layers"][0], "picture": f"collage/{sha}.png"}]
    shutil.copy(REPO / "tests" / "psd" / "groups.psd", folder)
    with zipfile.ZipFile(folder / "sushi.collage.zip", "w") as file:
        file.writestr("collage.json", json.dumps({**DOCUMENT, "layers": layers}))
        file.writestr(f"pictures/{sha}.png", picture)


def open_and_save_psd(pack: ModuleType, things: dict[str, Any], folder: Path) -> None:
    """What the same two nodes do with the other kind of file."""
    with torch.inference_mode():
        assert pack.nodes.files.CollageOpenFile.execute("groups.psd").block_execution is None
        pack.nodes.files.CollageSaveFile.execute(things["COLLAGE"], "psd/x", "psd", things["IMAGE"])


def start_host(base: str) -> ModuleType:
    """ComfyUI's nodes.py, with `base` for its folders."""
    sys.argv[1:] = ["--cpu", "--base-directory", base]
    importlib.import_module("comfy.options").enable_args_parsing()
    return importlib.import_module("nodes")


def sockets() -> dict[str, Any]:
    """Kind of socket -> something to connect to it; nodes add what they make."""
    path = REPO / "tests" / "host" / "tiny_models.py"
    spec = importlib.util.spec_from_file_location("tiny_models", path)
    assert spec
    assert spec.loader
    tiny = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tiny)
    return {
        "MODEL": tiny.tiny_model(),
        "CLIP": tiny.tiny_clip(),
        "VAE": tiny.tiny_vae(),
        "CONTROL_NET": tiny.tiny_control_net(),
        "CONDITIONING": tiny.conditioning(),
        "LATENT": {"samples": torch.rand(1, 4, SIZE // 8, SIZE // 8)},
        "IMAGE": torch.rand(1, SIZE, SIZE, 3),
        "MASK": torch.rand(1, SIZE, SIZE),
        "LAYERS": {
            "version": 1,
            "layers": [{"type": "raster", "image": torch.rand(1, 9, 9, 3), "name": "sushi"}],
        },
    }


def run(node: Any, things: dict[str, Any]) -> None:
    schema = node.define_schema()  # afresh, because some options are files
    wanted = [
        one for one in schema.inputs if not one.optional or one.id in NEEDED.get(node.__name__, ())
    ]
    given = {one.id: value(one, things) for one in wanted}
    with torch.inference_mode():
        made = node.execute(**given).args
    outputs = [*zip(schema.outputs, made, strict=True)]
    for output, thing in reversed(outputs):  # the first of a kind last: positive, not negative
        kind = output.get_io_type()
        if kind in NEWEST or kind not in things:
            things[kind] = thing


def value(wanted: Any, things: dict[str, Any]) -> Any:
    """What one input of a node is given."""
    kind = wanted.get_io_type()
    if kind == "COMFY_AUTOGROW_V3":
        return {f"{wanted.template.prefix}0": things["COLLAGE_LAYER"]}
    if wanted.id in VALUES and hasattr(wanted, "default"):  # no socket
        return VALUES[wanted.id]
    if not hasattr(wanted, "default"):
        return things[kind]
    return wanted.options[0] if kind == "COMBO" and wanted.default is None else wanted.default


if __name__ == "__main__":
    main(sys.argv[1])
