"""A document with `edit` beside CollageEdit on the same collages."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import torch
from PIL import Image

PROMPT = "a mug and a lemon on a table"


@pytest.fixture
def keep(temp_folder):
    """Put a picture into the input folder; its name and its pixels [1, H, W, 3]."""

    def put(name: str, mode: str = "RGBA", size: tuple[int, int] = (24, 24)) -> torch.Tensor:
        random = torch.Generator().manual_seed(sum(map(ord, name)))
        values = torch.randint(256, (size[1], size[0], len(mode)), generator=random)
        values[..., 3:] = 255
        Image.frombytes(mode, size, bytes(values.flatten().tolist())).save(
            temp_folder / "input" / name
        )
        return values[None, ..., :3] / 255

    return put


@pytest.fixture
def painted(keep) -> torch.Tensor:
    return keep("painted.png", "RGB", (96, 64))


@pytest.fixture
def table(keep) -> dict[str, Any]:
    """A table with a mug on the left and a lemon on the right, which lies over nothing."""
    for name in ("table.png", "mug.png", "lemon.png"):
        keep(name)
    layers = [
        {"id": "tabl", "picture": "table.png", "text": "table", "fit": "cover"},
        {"id": "mug1", "picture": "mug.png", "text": "mug", "x": 0.2},
        {"id": "lemo", "picture": "lemon.png", "text": "lemon", "x": 0.8},
    ]
    return {"version": 1, "width": 96, "height": 64, "prompt": PROMPT, "layers": layers}


def edited(document: dict[str, Any], **edit: Any) -> dict[str, Any]:
    return {**document, "edit": {"picture": "painted.png", "feather": 2, **edit}}


def moved(document: dict[str, Any], name: str, **changes: Any) -> dict[str, Any]:
    """The document with some keys of a layer changed."""
    changed = copy.deepcopy(document)
    next(one for one in changed["layers"] if one["id"] == name).update(changes)
    return changed


def before(document: dict[str, Any]) -> dict[str, Any]:
    return {"prompt": document["prompt"], "layers": document["layers"]}


@pytest.fixture
def run(node_of, temp_folder):
    def run(name: str, **inputs: Any) -> dict[str, Any]:
        node = node_of(name)
        made = node.execute(**inputs).args
        return dict(zip((out.id for out in node.GET_SCHEMA().outputs), made, strict=True))

    return run


@pytest.fixture
def editor(run):
    return lambda document, **more: run("CollageEditor", document=json.dumps(document), **more)


@pytest.fixture
def edit(run, editor, painted):
    """CollageEdit on the collage of a document without its edit."""

    def make(document: dict[str, Any], layers: str, **inputs: Any) -> dict[str, Any]:
        inputs = {"phrase": "", "feather": 2.0, "paste": False, "noise": 0.6} | inputs
        plain = {key: document[key] for key in document if key != "edit"}
        collage = editor(plain)["collage"]
        return run("CollageEdit", collage=collage, image=painted, layers=layers, **inputs)

    return make


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Both collages start from the same picture and redraw the same places as far."""
    assert torch.equal(one["image"], other["image"])
    mine, theirs = one["collage"], other["collage"]
    assert [layer.noise for layer in mine.layers] == [layer.noise for layer in theirs.layers]
    assert (mine.edit.base_noise, mine.edit.feather) == (
        theirs.edit.base_noise,
        theirs.edit.feather,
    )
    least, others = mine.edit.minimum_noise, theirs.edit.minimum_noise
    assert (least is None) == (others is None)
    assert least is None or torch.equal(least, others)
    assert one["report"].endswith(other["report"])


def test_chosen_layers_get_noise_and_all_else_none(editor, edit, table, painted):
    made = editor(edited(table, layers=["mug1"], noise=0.45))
    same(made, edit(table, "2", noise=0.45))
    assert [layer.noise for layer in made["collage"].layers] == [0.0, 0.45, 0.0]
    assert torch.equal(made["image"], painted)
    assert "Goes on from the finished picture" in made["report"]
    assert made["visible_masks"].shape == (3, 64, 96)


def test_the_background_can_be_chosen(editor, edit, table):
    table["layers"] = table["layers"][1:]
    same(editor(edited(table, layers=["lemo"], background=True)), edit(table, "0, 2"))


@pytest.mark.parametrize(
    "change", [{"x": 0.4}, {"flip": "horizontal"}, {"picture": "table.png"}, {"rotation": 20.0},
               {"scale": 0.5}, {"fit": "contain"}, {"y": 0.4}], ids=str,
)  # fmt: skip
def test_a_layer_that_differs_is_pasted_and_taken_from_its_old_place(editor, edit, table, change):
    now = moved(table, "mug1", **change)
    made = editor(edited(now, layers=["mug1"], before=before(table)))
    same(made, edit(now, "2", paste=True, before=editor(table)["collage"]))


def test_a_layer_with_other_strengths_or_words_is_neither(editor, edit, table):
    now = moved(table, "mug1", noise=0.1, attract=5, opacity=0.5)
    made = editor(edited(now, layers=["mug1"], before=before(table)))
    without = edit(now, "2")
    assert torch.equal(made["image"], without["image"])
    assert made["collage"].edit.minimum_noise is None


def test_only_what_differs_is_pasted(editor, edit, table, painted):
    """The lemon is chosen, too, and is redrawn from the picture."""
    now = moved(table, "mug1", x=0.45)
    made = editor(edited(now, layers=["mug1", "lemo"], before=before(table)))
    assert [layer.noise for layer in made["collage"].layers] == [0.0, 0.6, 0.6]
    right = (slice(None), slice(None), slice(70, None))
    assert torch.equal(made["image"][right], painted[right])
    assert not torch.equal(made["image"], painted)
    assert '"mug": noise 0.6' in made["report"]
    lines = [line for line in made["report"].splitlines() if "pasted over" in line]
    assert len(lines) == 1
    assert "mug" in lines[0]


def test_a_layer_moved_without_being_chosen_stays_where_it_is(editor, table, painted):
    now = moved(table, "mug1", x=0.45)
    made = editor(edited(now, layers=["lemo"], before=before(table)))
    assert torch.equal(made["image"], painted)


def test_a_layer_that_is_new_is_pasted(editor, edit, table):
    old = {**table, "layers": table["layers"][:2]}
    made = editor(edited(table, layers=["lemo"], before=before(old)))
    same(made, edit(table, "3", paste=True))


@pytest.mark.parametrize("gone", ["deleted", "hidden"])
def test_a_layer_that_is_gone_is_taken_out_of_the_picture(editor, table, painted, gone):
    now = {**table, "layers": [one for one in table["layers"] if one["id"] != "mug1"]}
    if gone == "hidden":
        now = moved(table, "mug1", visible=False)
    made = editor(edited(now, layers=["mug1"], before=before(table)))
    left = (slice(None), slice(20, 44), slice(10, 26))
    assert not torch.equal(made["image"][left], painted[left])
    assert torch.equal(made["image"][:, :, 50:], painted[:, :, 50:])
    noise = made["collage"].edit.minimum_noise
    assert noise[0, 0, 32, 19] > 0.5
    assert noise[0, 0, 32, 60] == 0
    assert "Taken away from where it was in the picture: layer 2" in made["report"]


def test_on_a_stack_below_numbers_go_on(editor, edit, table, painted, layer, stack):
    below = stack(layer("bear", x=0.9), prompt="bear", width=96).collage
    now = moved({**table, "prompt": "a bear and " + PROMPT}, "mug1", x=0.45)
    made = editor(edited(now, layers=["mug1"], before=before(table)), collage=below)
    assert [one.noise for one in made["collage"].layers] == [0.0, 0.0, 0.6, 0.0]
    assert "layer 3" in made["report"].lower()


@pytest.mark.parametrize(
    ("edit_of", "said"),
    [
        ({"layers": ["mug1"], "noise": 0}, "edit of the document, input noise: at 0 every layer"),
        ({"layers": ["mug1"], "picture": "mug.png"}, "24 x 24 pixels, and the canvas has 96 x 64"),
        ({"layers": []}, "no layer is chosen"),
        ({"layers": ["mug1"], "picture": "gone.png"}, "Edit: its picture gone.png is not in"),
        (
            {"layers": ["mug1"], "before": {"layers": [{"id": "abcd", "picture": "gone.png"}]}},
            'Layer 1 "" before the edit: its picture gone.png is not in',
        ),
    ],
)
def test_an_edit_that_cannot_be_is_refused(pack, editor, table, painted, edit_of, said):
    with pytest.raises(pack.collage_core.errors.CollageError, match=said):
        editor(edited(table, **edit_of))


def test_the_picture_that_is_edited_is_in_the_fingerprint(node_of, table, painted, temp_folder):
    document = json.dumps(edited(table, layers=["mug1"]))
    node = node_of("CollageEditor")
    first = node.fingerprint_inputs(document, "")
    Image.new("RGB", (96, 64)).save(temp_folder / "input" / "painted.png")
    assert node.fingerprint_inputs(document, "") != first
