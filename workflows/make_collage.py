"""Make a collage of a folder of PNGs on a running ComfyUI, with Collage Editor.

    python3 workflows/make_collage.py http://127.0.0.1:8188 cutouts collage.png

Files are layers from bottom to top in the order of their names, and their names are the words:
`2_blue_mug.png` is "blue mug", and `3_mug__not_striped.png` a "mug" that must not show "striped".
The first covers the canvas, the others stand in a row on it. The document is printed; with
--workflow it goes into the CollageEditor of a workflow in API form. Needs ComfyUI's own Python and
queue_collage.py beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import aiohttp
from queue_collage import SAVED_AS, Json, paint, read_workflow, require_folder, write

EDITOR = "CollageEditor"
NOT = "__not_"  # between a layer's words and those that it must not show
PLAIN: Json = {
    "editor": {"class_type": EDITOR, "inputs": {}},
    "save": {
        "class_type": "SaveImage",
        "inputs": {"images": ["editor", 1], "filename_prefix": SAVED_AS},
    },
}


def make_document(files: Sequence[Path], size: int = 512) -> Json:
    """The collage of these pictures; what a layer does not say has its default."""
    layers = []
    for number, file in enumerate(files):
        text, _, negative = (_words(part) for part in file.stem.partition(NOT))
        place: Json = {"fit": "cover"}
        if number:
            place = {"fit": "contain", "scale": 0.4, "x": number / len(files), "y": 0.6}
        layer = {"id": f"file{number}", "picture": name_of(file), "text": text}
        layers.append(layer | ({"negative": negative} if negative else {}) | place)
    prompt = ", ".join(layer["text"] for layer in layers)
    return {"version": 1, "width": size, "height": size, "prompt": prompt, "layers": layers}


def _words(name: str) -> str:
    return re.sub(r"[\W\d_]+", " ", name).strip()


def name_of(file: Path) -> str:
    """The name of a picture in documents, which says what it holds."""
    return f"collage/{hashlib.sha256(file.read_bytes()).hexdigest()}.png"


async def upload(server: str, files: Sequence[Path]) -> None:
    """Put the pictures where the document's names find them; what is there already stays."""
    async with aiohttp.ClientSession(server) as http:
        for file in files:
            folder, name = name_of(file).split("/")
            form = aiohttp.FormData({"subfolder": folder})
            form.add_field("image", file.read_bytes(), filename=name)
            async with http.post("/upload/image", data=form, raise_for_status=True) as answer:
                if (kept := (await answer.json())["name"]) != name:
                    raise RuntimeError(f"the server has another file {name} and kept {kept}.")


async def make(server: str, files: Sequence[Path], prompt: Json) -> tuple[str, bytes]:
    """The document, and the picture that a workflow makes of it."""
    document = json.dumps(make_document(files))
    editors = [node for node in prompt.values() if node["class_type"] == EDITOR]
    if len(editors) != 1:
        raise ValueError(f"the workflow has {len(editors)} nodes {EDITOR}; it must have one.")
    editors[0]["inputs"]["document"] = document
    await upload(server, files)
    return document, await paint(server, prompt)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a collage of a folder of PNGs.")
    parser.add_argument("server", help="such as http://127.0.0.1:8188")
    parser.add_argument("folder", type=Path, help="of the PNGs")
    parser.add_argument("picture", type=Path, help="the file to write")
    parser.add_argument("--workflow", type=Path, help="in API form, with one CollageEditor")
    options = parser.parse_args()
    try:
        require_folder(options.picture)
        prompt = read_workflow(options.workflow) if options.workflow else PLAIN
        files = sorted(options.folder.glob("*.png"))
        document, picture = asyncio.run(make(options.server, files, prompt))
        write(options.picture, picture)
    except (aiohttp.ClientError, OSError, RuntimeError, ValueError) as error:
        sys.exit(f"Nothing was made: {error}")
    except KeyboardInterrupt:
        sys.exit("Stopped; nothing was made.")
    print(document)


if __name__ == "__main__":
    main()
