"""`run.py examples --help-pictures`: the picture on the help page of every node.

Each picture shows what its node does to the example's bento box, painted with the demo model.
Pictures that need a training or a measurement come from docs/.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from PIL import Image
from torch.nn.functional import pad

from collage_core.storage.atomic_write import writing

from .. import world
from ..pack import ROOT, host_nodes, load_pack
from ..sheets import GAP, in_rows, read, to_picture
from .pictures import DOCS
from .studio import BASE, SAMPLING, Studio

FOLDER = ROOT / "web" / "docs" / "pictures"
WIDEST, QUALITY = 776, 88
CONTROLS = {"cloth": 0.0, "bento box": 1.0}  # of the rest: a half
LOUDER = 8  # times, to make a drift seen

Row = Sequence[torch.Tensor]  # pictures [256, 256, 3] in [0, 1]


def layer(studio: Studio) -> Row:
    """A layer: unchanged, moved and smaller, rotated, half transparent."""
    sushi = studio.collage.layers[studio.number("sushi") - 1]
    places = ({}, {"x": 0.3, "y": 0.25, "scale": 0.7}, {"rotation": 30.0}, {"opacity": 0.5})
    middle = replace(sushi, x=0.5, y=0.5, scale=2.0)
    canvas = replace(studio.collage, prompt=sushi.text)
    return [
        replace(canvas, layers=(replace(middle, **place),)).composite.image[0] for place in places
    ]


def stack(studio: Studio) -> Row:
    """One, two and all layers, and the visible mask of the box."""
    whole = studio.collage
    counts = (1, 2, len(whole.layers))
    seen = whole.composite.visible_alpha[0, studio.number("bento box") - 1]
    return [*(whole.with_layers(whole.layers[:n]).composite.image[0] for n in counts), grey(seen)]


def editor(studio: Studio) -> Row:
    """The collage, and what a few drags make of it: a thing moved, turned, mirrored, hidden."""
    whole = studio.collage
    sushi, rice = (studio.number(kind) - 1 for kind in ("sushi", "rice"))

    def with_it(number: int, **changes: Any) -> torch.Tensor:
        layers = list(whole.layers)
        layers[number] = replace(layers[number], **changes)
        return whole.with_layers(tuple(layers)).composite.image[0]

    moved = with_it(sushi, x=0.5, y=0.5, scale=1.4)
    turned = with_it(sushi, rotation=60.0, flip="horizontal")
    return [whole.composite.image[0], moved, turned, with_it(rice, visible=False)]


def keep_picture(studio: Studio) -> Row:
    """A picture, what of it is opaque, and what is kept."""
    number, whole = studio.number("sushi") - 1, studio.collage.composite
    picture, seen = whole.image[0], grey(whole.visible_alpha[0, number])
    return [picture, 1 - seen, torch.lerp(torch.full_like(picture, 0.85), picture, seen)]


def open_file(studio: Studio) -> Row:
    """Two of the pictures in a file, and the collage."""
    images, *_ = studio.run("CollageLayers", studio.collage, "#d9d9d9", **BASE)
    kinds = ("bento box", "sushi")
    return [
        *(images[studio.number(kind) - 1] for kind in kinds), studio.collage.composite.image[0]
    ]  # fmt: skip


def saved_file(studio: Studio) -> Row:
    """The same the other way round."""
    return open_file(studio)[::-1]


def from_layers(studio: Studio) -> Row:
    """Two layers by themselves, and the stack of all."""
    layers = [
        {
            "type": "raster",
            "image": torch.cat([layer.image, layer.alpha.unsqueeze(-1)], -1),
            "name": layer.text,
            "x": round(layer.x * 256 - layer.alpha.shape[2] / 2),
            "y": round(layer.y * 256 - layer.alpha.shape[1] / 2),
        }
        for layer in studio.collage.layers
    ]
    value = {"version": 1, "canvas": (256, 256), "layers": layers}
    _, together, *_ = studio.run("CollageFromLayers", value, studio.collage.prompt, 0.6)
    return [*_alone(studio, studio.collage)[::2], together[0]]


def from_batch(studio: Studio) -> Row:
    """Two pictures with masks out of a batch, and the stack of all."""
    images, _, masks, *_ = studio.run("CollageLayers", studio.collage, "#969696", **BASE)
    texts = "\n".join(layer.text for layer in studio.collage.layers)
    _, together, *_ = studio.run("CollageFromBatch", images, texts, studio.collage.prompt, masks)
    two = [studio.number(kind) - 1 for kind in ("bento box", "sushi")]
    return [*(images[n] for n in two), grey(masks[two[-1]]), together[0]]


def auto_tune(studio: Studio) -> Row:
    """The collage, and its noise with the dial at 0, 0.5 and 1."""
    tuned = [studio.run("CollageAutoTune", studio.collage, dial)[0] for dial in (0.0, 0.5, 1.0)]
    return [studio.collage.composite.image[0], *(grey(_noise(studio, one)) for one in tuned)]


def _noise(studio: Studio, collage: Any) -> torch.Tensor:
    return studio.run("CollageLayers", collage, "#969696", **BASE)[4][0]


def attention_map(studio: Studio) -> Row:
    """The picture, and the attention of the phrases of three layers."""
    patched, picture, _ = studio.painted
    latent = {"samples": studio.models[2].encode(picture)}
    maps, _ = studio.run("CollageAttentionMap", patched, studio.collage, latent, 8, 0)
    return [picture[0], *(maps[studio.number(kind) - 1] for kind in ("edamame", "rice", "sushi"))]


def control_net(studio: Studio) -> Row:
    """The collage, the control image, and the weight map of the layers."""
    core, collage = load_pack().collage_core, studio.collage
    controls = [CONTROLS.get(layer.kind, 0.5) for layer in studio.scene.layers]
    edges = studio.nodes.host.control.conditioning.find_edges(collage.composite.image)
    weights = core.control.control_map(collage.composite.visible_alpha, controls, 0.0)
    return [collage.composite.image[0], edges[0], grey(weights[0, 0])]


def sampler(studio: Studio) -> Row:
    """The collage, its noise, the picture."""
    _, picture, noise = studio.painted
    return [studio.collage.composite.image[0], grey(noise[0]), picture[0]]


def edit(studio: Studio) -> Row:
    """The finished picture, the noise of the edit, and the picture after it."""
    noise, _, pasted, _ = studio.edited
    return [studio.painted[1][0], grey(noise[0]), pasted[0]]


def paste_back(studio: Studio) -> Row:
    """The amplified difference from the original before and after, and the mask."""
    original = studio.painted[1]
    _, new, pasted, taken = studio.edited
    drift = [((picture - original).abs() * LOUDER)[0] for picture in (new, pasted)]
    return [new[0], *drift, grey(taken[0])]


def layers(studio: Studio) -> Row:
    """Three layers by themselves, and the noise map."""
    return [*_alone(studio, studio.collage), grey(_noise(studio, studio.collage))]


def split(studio: Studio) -> Row:
    """The finished picture, and three layers cut out of it."""
    picture = studio.painted[1]
    parted, *_ = studio.run("CollageSplit", studio.collage, picture)
    return [picture[0], *_alone(studio, parted)]


def take_layer(studio: Studio) -> Row:
    """The collage, and the picture and the mask of one layer, as large as they are."""
    _, image, mask = studio.run("CollageTakeLayer", studio.collage, _sushi(studio).text)
    rim = [(256 - size) // 2 for size in mask.shape[:0:-1]]
    own = pad(torch.cat((image[0].movedim(-1, 0), mask)), [rim[0], rim[0], rim[1], rim[1]])
    return [studio.collage.composite.image[0], own[:3].movedim(0, -1), grey(own[3])]


def put_layer(studio: Studio) -> Row:
    """The collage, and the same with a layer that was made larger and mirrored."""
    sushi = _sushi(studio)
    other = replace(sushi, scale=1.3 * sushi.scale, flip="horizontal")
    (changed,) = studio.run("CollagePutLayer", studio.collage, sushi.text, other)
    return [studio.collage.composite.image[0], changed.composite.image[0]]


def _sushi(studio: Studio) -> Any:
    return studio.collage.layers[studio.number("sushi") - 1]


def _alone(studio: Studio, collage: Any) -> Row:
    images, *_ = studio.run("CollageLayers", collage, "#969696", **BASE)
    return [images[studio.number(kind) - 1] for kind in ("bento box", "edamame", "sushi")]


def resize(studio: Studio) -> Row:
    """The collage, and the middle of it in twice the size, with all pixels of its pictures."""
    small = tuple(replace(layer, scale=layer.scale / 2) for layer in studio.collage.layers)
    half = replace(
        studio.collage,
        width=128,
        height=128,
        layers=small,
        background=studio.collage.background[:, ::2, ::2],
    )
    large = studio.run("CollageResize", half, 2.0, 1.0)[1][0]
    rim = 64
    return [pad(half.composite.image[0], [0, 0, rim, rim, rim, rim], value=1.0), large]


def demo_model(studio: Studio) -> Row:
    """A picture of each story from its caption alone."""
    model, _, vae = studio.models
    empty = {"samples": torch.zeros(1, model.model.latent_format.latent_channels, 32, 32)}
    # words alone need more steps and more guidance than a collage
    alone = {"steps": 30, "scheduler": "normal", "cfg": 3.0}
    sampling = {**SAMPLING, **alone, "positive": None, "negative": studio.words("")}
    pictures = []
    for seed, story in enumerate(("bento", "toys", "cake_table"), 1):
        sampling["positive"] = studio.words(world.scene(seed, story, collage=False).caption)
        sampled = host_nodes().common_ksampler(model, seed, latent=empty, **sampling)[0]
        pictures.append(vae.decode(sampled["samples"])[0])
    return pictures


def demo_control(studio: Studio) -> Row:
    """The collage, its edges, and the picture at noise 0.8 without the network and with it."""
    free = tuple(replace(layer, noise=0.8) for layer in studio.collage.layers)
    collage, (network,) = studio.collage.with_layers(free), studio.run("CollageDemoControlNet")
    painted = [studio.paint(collage, 7, with_it)[1][0] for with_it in (None, network)]
    return [*control_net(studio)[:2], *painted]


def grey(mask: torch.Tensor) -> torch.Tensor:
    return mask.unsqueeze(-1).expand(-1, -1, 3)


PICTURES: dict[str, Callable[[Studio], Row]] = {
    "CollageLayer": layer,
    "CollageStack": stack,
    "CollageEditor": editor,
    "CollageKeepPicture": keep_picture,
    "CollageOpenFile": open_file,
    "CollageSaveFile": saved_file,
    "CollageFromLayers": from_layers,
    "CollageFromBatch": from_batch,
    "CollageAutoTune": auto_tune,
    "CollageAttentionMap": attention_map,
    "CollageControlNet": control_net,
    "PerLayerNoiseKSampler": sampler,
    "CollageEdit": edit,
    "CollagePasteBack": paste_back,
    "CollageLayers": layers,
    "CollageSplit": split,
    "CollageTakeLayer": take_layer,
    "CollagePutLayer": put_layer,
    "CollageResize": resize,
    "CollageDemoModel": demo_model,
    "CollageDemoControlNet": demo_control,
}
# node -> a picture of docs/, and how many of its pictures to leave out on the left
TAKEN = {
    "MaskedCrossAttentionPatch": ("toy_box.png", 0),
    "CollageLayerLora": ("layer_loras.png", 0),
    "LayerTextualInversion": ("learned_look.png", 0),
    "CollageEmbeddingLoad": ("learned_look.png", 1),
}


@torch.inference_mode()
def make_help_pictures(names: Sequence[str] = ()) -> None:
    """Write the pictures of these nodes, or of all nodes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    studio = Studio()
    for name in names or (*PICTURES, *TAKEN):
        if name in TAKEN:
            file, left_out = TAKEN[name]
            whole = read(DOCS / file)
            left = left_out * (whole.height + GAP)
            picture = whole.crop((left, 0, whole.width, whole.height))
        else:
            picture = in_a_row(PICTURES[name](studio))
        with writing(FOLDER / f"{name}.jpg", replace=True) as file:
            picture.save(file, "JPEG", quality=QUALITY)
        print(f"{name}.jpg", flush=True)


def in_a_row(pictures: Row) -> Image.Image:
    """One row with white gaps, at most as wide as a help page shows."""
    row = in_rows([[to_picture(picture) for picture in pictures]], GAP)
    if row.width <= WIDEST:
        return row
    height = round(row.height * WIDEST / row.width)
    return row.resize((WIDEST, height), Image.Resampling.BICUBIC)
