"""`python3 run.py examples`: make the example pictures and workflows from the painted world.

Writes the layers of a scene as PNG files with transparency, and the workflow that turns them
into one picture, for scripts (API form) and for the page. With --pictures it takes what
`python3 run.py demo` and `python3 run.py evaluate` left in output/ for the thumbnail and the
documents.
"""

from __future__ import annotations

import argparse
import json
import shutil
from typing import Any

import numpy as np
from PIL import Image

from . import world
from .pack import ROOT
from .page_form import to_page_form, with_defaults

WORKFLOWS = ROOT / "workflows"
BENTO_SEED = 7026

Json = dict[str, Any]

# kind -> noise: how far each thing of the bento may change
NOISE = {
    "cloth": 0.6,
    "bento box": 0.45,
    "sushi": 0.25,
    "edamame": 0.5,
    "rice": 0.3,
    "ginger": 0.5,
}


def save_layers(scene: world.Scene, story: str) -> list[str]:
    """Write each layer as workflows/input/collage_<story>_<kind>.png; returns the file names."""
    (WORKFLOWS / "input").mkdir(parents=True, exist_ok=True)
    names = []
    for layer in scene.layers:
        name = f"collage_{story}_{layer.kind.replace(' ', '_')}.png"
        pixels = np.round(layer.rgba * 255).astype(np.uint8)
        Image.fromarray(pixels).save(WORKFLOWS / "input" / name, optimize=True)
        names.append(name)
    return names


def bento_workflow(scene: world.Scene, files: list[str]) -> tuple[Json, Json]:
    """API form and page positions (node id -> column, row) of the main example."""
    prompt: Json = {"1": {"class_type": "CollageDemoModel", "inputs": {}}}
    places = {"1": (2, 0)}
    layers = {}
    for number, (layer, file) in enumerate(zip(scene.layers, files, strict=True)):
        load, node = str(10 + number), str(30 + number)
        prompt[load] = {"class_type": "LoadImage", "inputs": {"image": file}}
        prompt[node] = {
            "class_type": "CollageLayer",
            "inputs": {
                "image": [load, 0],
                "mask": [load, 1],
                "text": layer.phrase,
                "x": round(layer.x / 256, 3),
                "y": round(layer.y / 256, 3),
                "noise": NOISE[layer.kind],
            },
        }
        layers[f"layers.layer{number}"] = [node, 0]
        places |= {load: (0, number), node: (1, number)}
    prompt |= {
        "50": {
            "class_type": "CollageStack",
            "inputs": {"prompt": scene.caption, "width": 256, "height": 256, **layers},
        },
        "51": {
            "class_type": "MaskedCrossAttentionPatch",
            "inputs": {"model": ["1", 0], "clip": ["1", 1], "collage": ["50", 0]},
        },
        "52": {
            "class_type": "CLIPTextEncode",
            "inputs": {"text": "", "clip": ["1", 1]},
            "_meta": {"title": "Nothing to avoid"},
        },
        "53": {
            "class_type": "PerLayerNoiseKSampler",
            "inputs": {
                "model": ["51", 0],
                "collage": ["50", 0],
                "vae": ["1", 2],
                "positive": ["51", 1],
                "negative": ["52", 0],
                "seed": 7,
                "steps": 30,
                "cfg": 3.0,
                "sampler_name": "euler_ancestral",
                "scheduler": "normal",
                "base_noise": 0.6,
                "feather": 4.0,
            },
        },
        "54": {
            "class_type": "VAEDecode",
            "inputs": {"samples": ["53", 0], "vae": ["1", 2]},
        },
        "55": _save("50", 1, "collage_composite", "The collage"),
        "56": _save("54", 0, "collage_result", "The picture"),
    }
    places |= {"50": (2, 1), "51": (3, 0), "52": (3, 1), "53": (4, 0), "54": (5, 0)}
    places |= {"55": (3, 2), "56": (5, 1)}
    return prompt, places


def _save(node: str, slot: int, prefix: str, title: str) -> Json:
    inputs = {"images": [node, slot], "filename_prefix": prefix}
    return {"class_type": "SaveImage", "inputs": inputs, "_meta": {"title": title}}


def take_pictures() -> None:
    """The last demo's pictures become the template's thumbnail and the README's picture."""
    output = ROOT / "output"
    (ROOT / "docs").mkdir(exist_ok=True)
    shutil.copyfile(output / "bento_box_side_by_side.png", ROOT / "docs" / "bento_box.png")
    for sheet in sorted((output / "evaluate").glob("*.png")):
        with Image.open(sheet) as picture:
            picture.convert("RGB").save(ROOT / "docs" / f"{sheet.stem}.jpg", quality=88)
            if sheet.stem == "placement_0.8":  # collage, plain and node of the eighth collage
                picture.crop((1024, 768, 1792, 1024)).save(ROOT / "docs" / "words_in_place.png")
    result = next(iter(sorted(output.glob("bento_box_collage_result_*.png"))))
    with Image.open(result) as picture:
        picture.convert("RGB").save(WORKFLOWS / "bento_box.jpg", quality=92)


def main() -> None:
    parser = argparse.ArgumentParser(prog="run.py examples", description=__doc__)
    parser.add_argument("--pictures", action="store_true", help="take the last demo's pictures")
    if parser.parse_args().pictures:
        take_pictures()
        return
    scene = world.scene(BENTO_SEED, "bento")
    prompt, places = bento_workflow(scene, save_layers(scene, "bento"))
    prompt = with_defaults(prompt)
    # apart from the page's form, or the template browser would offer it too
    _write("api/bento_box.json", prompt)
    _write("bento_box.json", to_page_form(prompt, places))
    print(f"{len(scene.layers)} layers and 2 workflow files in {WORKFLOWS.name}/")


def _write(name: str, content: Json) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (WORKFLOWS / name).parent.mkdir(exist_ok=True)
    (WORKFLOWS / name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
