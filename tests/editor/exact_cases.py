"""`python exact_cases.py FOLDER`: collages and what CollageStack makes of them, for the page.

FOLDER/NAME.json        a collage document; its pictures lie under FOLDER by their names
FOLDER/NAME.png         the composite, RGB with 8 bits, cut off below as PreviewImage does it
FOLDER/NAME.ID.png      the visible alpha of the layer ID of the document, grey, cut off likewise
FOLDER/cases.json       the names, in order

The reader, the layers and the stack are the pack's own. `write_cases` is for tests.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from collage_core.collage.collage import Collage
from collage_core.collage.layer import Layer
from collage_core.collage.limits import BLENDS, FLIPS
from collage_core.collage.stack import new_canvas, with_layers, with_picture
from collage_core.files.document import Document, DocumentLayer, read_document
from collage_core.imaging.pixels import clean_pixels

Json = dict[str, Any]


def pictures() -> dict[str, np.ndarray]:
    """Name -> [H, W, 3 or 4] bytes; odd sizes, hard and soft edges, colour where alpha is 0."""
    random = np.random.default_rng(20231014)
    y, x = np.mgrid[0:83, 0:61]
    disc = np.zeros((83, 61, 4), np.uint8)
    disc[..., 0], disc[..., 1], disc[..., 2] = 3 * y, 4 * x, 255 - 2 * y
    inside = 30 - np.hypot(x - 30, (y - 41) * 0.75)
    disc[..., 3] = np.clip(inside * 255, 0, 255)
    soft = random.integers(0, 256, (50, 40, 4), np.uint8)
    soft[..., 3] = np.linspace(0, 255, 40)
    arrow = np.zeros((24, 36, 4), np.uint8)  # looks different in every flip
    arrow[:, :, :3] = 230
    arrow[4:20, 4:30], arrow[2:8, 20:34] = (200, 30, 30, 255), (20, 90, 220, 255)
    tones = np.zeros((64, 64, 3), np.uint8)  # every pair of tones that a blend mode tells apart
    tones[..., 0], tones[..., 1] = np.linspace(0, 255, 64)[None], np.linspace(0, 255, 64)[:, None]
    tones[..., 2] = 128
    photo = random.integers(0, 256, (210, 330, 3), np.uint8)
    photo[:, ::2] //= 2
    return {"disc": disc, "soft": soft, "arrow": arrow, "tones": tones, "photo": photo}


def cases() -> Iterator[tuple[str, Json]]:
    """Name and document of each case, with the short names of pictures."""
    whole = [_layer("tones"), _layer("disc", x=0.25), _layer("arrow", x=0.75, y=0.25)]
    yield "whole pixels", _document(whole)
    yield "between pixels", _document([{**one, "x": one["x"] + 0.00313} for one in whole])
    yield "shrunk", _document([_layer("photo", scale=0.31), _layer("disc", scale=0.437, x=0.3)])
    yield "shrunk to a dot", _document([_layer("photo", scale=0.01)])
    yield "enlarged", _document([_layer("arrow", scale=3.3, x=0.41), _layer("soft", scale=2)])
    yield (
        "right angles",
        _document([_layer("arrow", rotation=90 * n, **_corner(n)) for n in range(4)]),
    )
    angles = [17, 123.4, -40, 725]
    turned = [_layer("arrow", rotation=angles[n], scale=1.4, **_corner(n)) for n in range(4)]
    yield "odd angles", _document(turned)
    yield "shrunk and turned", _document([_layer("photo", scale=0.23, rotation=33.3)])
    yield "soft alpha", _document([_layer("photo", fit="cover"), _layer("soft", scale=1.31)])
    faint = [_layer("disc", opacity=0.5), _layer("soft", opacity=0.37, rotation=20)]
    yield "opacity", _document(faint)
    yield "flips", _document([_layer("arrow", flip=f, **_corner(n)) for n, f in enumerate(FLIPS)])
    more = {"scale": 1.7, "rotation": 33}
    yield (
        "flips turned",
        _document([_layer("arrow", flip=f, **more, **_corner(n)) for n, f in enumerate(FLIPS)]),
    )
    for blend in BLENDS[1:]:
        below = [_layer("tones", scale=2), _layer("disc", x=0.25)]
        over = _layer("tones", scale=2, rotation=90, blend=blend, flip="vertical")
        soft = _layer("soft", x=0.7, scale=1.5, blend=blend, opacity=0.8)
        yield f"blend {blend}", _document([*below, over, soft, _layer("arrow", y=0.8)])
    many = [
        _layer(
            ("disc", "soft", "arrow")[n % 3],
            fit="contain",
            scale=0.25 + 0.02 * n,
            x=0.1 + 0.04 * n,
            y=0.9 - 0.035 * n,
            rotation=7 * n,
            blend=BLENDS[n % 2 and n % len(BLENDS)],
        )
        for n in range(20)
    ]
    yield "twenty layers", _document(many, width=256, height=192)
    fits = [_layer("photo", fit="cover", rotation=12), _layer("disc", fit="contain", scale=0.8)]
    yield "fits", _document([*fits, _layer("arrow", fit="contain", scale=0.5, rotation=-50, x=0.7)])
    places = [{"x": -0.05}, {"x": 1.04, "y": 0.3}, {"y": 1.02, "rotation": 45}, {"x": 3}]
    yield "off the canvas", _document([_layer("arrow", scale=1.5, **place) for place in places])
    hidden = [_layer("disc"), _layer("tones", visible=False), _layer("arrow")]
    yield "a hidden layer", _document(hidden, background="#3af")
    framed = _document([_layer("disc", blend="screen")], width=160, background_picture="photo")
    yield "a picture behind", framed
    yield "no layers", _document([])


def _layer(picture: str, **settings: Any) -> Json:
    return {"picture": picture, "text": picture, "x": 0.5, "y": 0.5} | settings


def _corner(number: int) -> dict[str, float]:
    return {"x": 0.25 + 0.5 * (number % 2), "y": 0.25 + 0.5 * (number // 2)}


def _document(layers: list[Json], **settings: Any) -> Json:
    numbered = [{"id": f"id{n:02d}", **one} for n, one in enumerate(layers)]
    return {"version": 1, "width": 128, "height": 128} | settings | {"layers": numbered}


def write_cases(folder: Path) -> list[str]:
    """Write all cases into a folder; returns their names."""
    names = {short: _stored(pixels, folder) for short, pixels in pictures().items()}
    written: list[str] = []
    for name, raw in cases():
        for one in raw["layers"]:
            one["picture"] = names[one["picture"]]
        if behind := raw.get("background_picture"):
            raw["background_picture"] = names[behind]
        text = json.dumps(raw, indent=1)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
        _write_expected(folder, name, read_document(text))
        written.append(name)
    (folder / "cases.json").write_text(json.dumps(written), encoding="utf-8")
    return written


def _stored(pixels: np.ndarray, folder: Path) -> str:
    """Write a picture by its hash, as the page does, and return its name in documents."""
    memory = io.BytesIO()
    Image.fromarray(pixels).save(memory, "PNG")
    name = f"collage/{hashlib.sha256(memory.getvalue()).hexdigest()}.png"
    (folder / "collage").mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(memory.getvalue())
    return name


def _write_expected(folder: Path, name: str, document: Document) -> None:
    found = stacked(folder, document)
    _write(found.composite.image[0], folder / f"{name}.png")
    shown = [layer for layer in document.layers if layer.visible]
    for layer, mask in zip(shown, found.composite.visible_alpha[0], strict=True):
        _write(mask, folder / f"{name}.{layer.id}.png")


def stacked(folder: Path, document: Document) -> Collage:
    """The collage of a document, by the steps of CollageStack."""
    canvas = new_canvas(document.width, document.height, document.background)
    if document.background_picture:
        picture = _pixels(folder / document.background_picture)
        canvas = with_picture(canvas, picture, document.background)
    layers = [_made(folder, layer) for layer in document.layers]
    return with_layers(canvas, document.prompt, layers) if layers else canvas


def _made(folder: Path, layer: DocumentLayer) -> Layer:
    image, alpha, _ = clean_pixels(_pixels(folder / layer.picture), None, "exact_cases")
    return Layer(image=image, alpha=alpha, text=layer.text, **layer.settings)


def _pixels(path: Path) -> torch.Tensor:
    with Image.open(path) as picture:
        return torch.from_numpy(np.array(picture, np.float32))[None] / 255


def _write(values: torch.Tensor, path: Path) -> None:
    Image.fromarray((255 * values).clamp(0, 255).byte().numpy()).save(path)


if __name__ == "__main__":
    write_cases(Path(sys.argv[1]))
